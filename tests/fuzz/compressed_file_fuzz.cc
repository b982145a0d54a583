// Compressed files: any bytes are refused, or are a whole file. A file that was compressed and then
// changed in any way is refused, or is what it was.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/codec/frame_codec.h"
#include "hbk/filter/compressed_file.h"
#include "hbk/filter/seek_table.h"

#include "tests/support/mem_file_system.h"

namespace {

using hbk::StatusCode;
using hbk::codec::FrameChoice;
using hbk::codec::FrameMethod;
using hbk::filter::kFileChunkBytes;

constexpr size_t kHeadBytes = 9;  // of an input: method and change, and where
// A table may speak of far more than there is.
constexpr uint64_t kReadBytesMax = 4 * kFileChunkBytes;

// What a reader gets of the beginning of these bytes; nothing if they are refused.
std::optional<std::string> Read(std::string_view stored, FrameMethod method) {
  hbk::testing::MemFileSystem fs;
  fs.PutFile("/f", stored);
  std::shared_ptr<hbk::io::File> file = fs.Open("/f", {}).value();
  const auto reader = hbk::filter::CompressedFileReader::Open(std::move(file), method);
  if (!reader.ok()) {
    HBK_CHECK(reader.status().code() == StatusCode::kCorruption);
    return std::nullopt;
  }
  const uint64_t size = std::min((*reader)->size(), kReadBytesMax);
  std::vector<uint8_t> bytes(size);
  const auto got = (*reader)->Read(0, bytes);
  if (!got.ok()) {
    HBK_CHECK(got.status().code() == StatusCode::kCorruption);
    return std::nullopt;
  }
  HBK_CHECK(*got == size);
  return std::string(hbk::AsText(bytes));
}

std::string Compress(const std::string& plain, const FrameChoice& choice) {
  hbk::filter::FrameEncoderPool pool(choice);
  std::string stored;
  hbk::filter::CompressedFileWriter writer(pool, [&stored](hbk::ByteView bytes) {
    stored += hbk::AsText(bytes);
    return hbk::OkStatus();
  });
  const hbk::ByteView bytes = hbk::AsBytes(plain);
  for (size_t begin = 0; begin < bytes.size(); begin += kFileChunkBytes) {
    const auto size = std::min<size_t>(kFileChunkBytes, bytes.size() - begin);
    HBK_CHECK(writer.Write(begin / kFileChunkBytes, bytes.subspan(begin, size)).ok());
  }
  HBK_CHECK(writer.Finish(plain.size()).value() == stored.size());
  return stored;
}

// The input as the frames of a file whose table is right.
std::string WithTable(hbk::ByteView input) {
  hbk::filter::SeekTable table;
  const size_t first = input.size() / 2;
  table.Add(static_cast<uint32_t>(first), kFileChunkBytes);
  table.Add(static_cast<uint32_t>(input.size() - first), 1 + static_cast<uint32_t>(first));
  return std::string(hbk::AsText(input)) + std::string(hbk::AsText(table.Render()));
}

std::string Changed(const std::string& stored, uint8_t how, size_t a, size_t b) {
  std::string changed = stored;
  switch (how % 4) {
    case 0: changed[a % stored.size()] ^= static_cast<char>(1 << b % 8); break;
    case 1: changed.resize(a % stored.size()); break;
    case 2: changed.insert(a % stored.size(), stored, b % stored.size(), 1 + b % 100000); break;
    default: changed.erase(a % stored.size(), 1 + b % 100000); break;
  }
  return changed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHeadBytes) return 0;
  const hbk::ByteView input(data, size);
  const bool is_zstd = (data[0] & 0x80U) != 0;
  const FrameMethod method = is_zstd ? FrameMethod::kZstd : FrameMethod::kLz4;
  const hbk::ByteView rest = input.subspan(kHeadBytes);
  (void)Read(hbk::AsText(rest), method);
  if (rest.size() >= 2) (void)Read(WithTable(rest), method);

  const size_t a = hbk::LoadLe32(input, 1);
  const size_t b = hbk::LoadLe32(input, 5);
  std::string plain(hbk::AsText(rest));
  // Some longer than a chunk.
  if ((data[0] & 0x40U) != 0) plain.resize(plain.size() + b % (2 * kFileChunkBytes), 'p');
  const std::string stored = Compress(plain, {method, 1});
  HBK_CHECK(Read(stored, method) == plain);
  const auto changed = Read(Changed(stored, data[0], a, b), method);
  HBK_CHECK(!changed || *changed == plain);
  return 0;
}
