#include "hbk_stream_format.h"

#include <algorithm>

#include <xxhash.h>

namespace hbk::stream {
namespace {

constexpr size_t kRecordCheck = kRecordHeadBytes - 8;
constexpr size_t kStreamCheck = kStreamHeadBytes - 8;

uint64_t Check(ByteView bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace

bool IsRecordType(uint8_t byte) {
  return std::string_view("ODCRXMUE").find(static_cast<char>(byte)) != std::string_view::npos;
}

std::array<uint8_t, kRecordHeadBytes> RenderRecordHead(const RecordHead& head, uint64_t& chain) {
  std::array<uint8_t, kRecordHeadBytes> bytes{};
  StoreLe32(bytes, 0, kRecordMagic);
  bytes[4] = static_cast<uint8_t>(head.type);
  StoreLe32(bytes, 8, head.file);
  StoreLe32(bytes, 12, head.payload_size);
  StoreLe64(bytes, 16, head.number);
  StoreLe64(bytes, 24, head.payload_hash);
  chain = Check(ByteView(bytes).first(kRecordCheck), chain);
  StoreLe64(bytes, kRecordCheck, chain);
  return bytes;
}

std::optional<RecordHead> ParseRecordHead(ByteView bytes, uint64_t& chain) {
  const uint64_t check = Check(bytes.first(kRecordCheck), chain);
  if (bytes.size() != kRecordHeadBytes || check != LoadLe64(bytes, kRecordCheck) ||
      LoadLe32(bytes, 0) != kRecordMagic || !IsRecordType(bytes[4]) ||
      !IsAllZero(bytes.subspan(5, 3)))
    return std::nullopt;
  chain = check;
  RecordHead head;
  head.type = static_cast<RecordType>(bytes[4]);
  head.file = LoadLe32(bytes, 8);
  head.payload_size = LoadLe32(bytes, 12);
  head.number = LoadLe64(bytes, 16);
  head.payload_hash = LoadLe64(bytes, 24);
  if (head.payload_size > kRecordPayloadBytesMax) return std::nullopt;
  return head;
}

std::array<uint8_t, kStreamHeadBytes> RenderStreamHead(ByteView stream_id, uint64_t& chain,
                                                       uint32_t version) {
  std::array<uint8_t, kStreamHeadBytes> bytes{};
  std::ranges::copy(AsBytes(kHbkStreamMagic), bytes.begin());
  StoreLe32(bytes, 8, version);
  std::copy_n(stream_id.begin(), std::min(stream_id.size(), kStreamIdBytes), bytes.begin() + 16);
  chain = Check(ByteView(bytes).first(kStreamCheck), 0);
  StoreLe64(bytes, kStreamCheck, chain);
  return bytes;
}

std::optional<uint32_t> ParseStreamHead(ByteView bytes, uint64_t& chain) {
  chain = Check(bytes.first(kStreamCheck), 0);
  if (AsText(bytes.first(kHbkStreamMagic.size())) != kHbkStreamMagic ||
      chain != LoadLe64(bytes, kStreamCheck))
    return std::nullopt;
  return LoadLe32(bytes, 8);
}

uint64_t PayloadHash(ByteView payload) {
  return XXH3_64bits(payload.data(), payload.size());
}

void DataDigest::Add(uint64_t offset, uint64_t size, uint64_t payload_hash) {
  std::array<uint8_t, 24> piece{};
  StoreLe64(piece, 0, offset);
  StoreLe64(piece, 8, size);
  StoreLe64(piece, 16, payload_hash);
  sum_ += XXH3_64bits(piece.data(), piece.size());
  bytes_ += size;
}

std::array<uint8_t, DataDigest::kBytes> DataDigest::Render() const {
  std::array<uint8_t, kBytes> bytes{};
  StoreLe64(bytes, 0, bytes_);
  StoreLe64(bytes, 8, sum_);
  return bytes;
}

std::array<uint8_t, EndCounts::kBytes> EndCounts::Render() const {
  std::array<uint8_t, kBytes> bytes{};
  StoreLe64(bytes, 0, files);
  StoreLe64(bytes, 8, directories);
  StoreLe64(bytes, 16, data_bytes);
  return bytes;
}

EndCounts EndCounts::Parse(ByteView bytes) {
  return {LoadLe64(bytes, 0), LoadLe64(bytes, 8), LoadLe64(bytes, 16)};
}

}  // namespace hbk::stream
