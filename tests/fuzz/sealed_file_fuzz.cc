// Sealed files: any bytes are refused, or are what was sealed. A file that was sealed and then
// changed in any way is refused.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/seal/sealed_file.h"

#include "tests/support/mem_file_system.h"

namespace {

using hbk::StatusCode;
using hbk::seal::DataKey;
using hbk::seal::kSealedHeaderBytes;
using hbk::seal::kSegmentBytes;

constexpr size_t kSealedSegmentBytes = kSegmentBytes + hbk::crypto::kAeadTagBytes;
constexpr size_t kHeadBytes = 9;  // of an input: what is changed, and where

const DataKey& Key() {
  static const DataKey key = DataKey::FromBytes(hbk::Secret(std::string(32, 'k'))).value();
  return key;
}

// What a reader gets of these bytes; nothing if they are refused.
std::optional<std::string> Read(std::string_view stored) {
  hbk::testing::MemFileSystem fs;
  fs.PutFile("/f", stored);
  const auto file = hbk::seal::OpenSealedFile(fs.Open("/f", {}).value(), Key(), std::nullopt);
  if (!file.ok()) {
    const StatusCode code = file.status().code();
    HBK_CHECK(code == StatusCode::kCorruption || code == StatusCode::kMissingKey ||
              code == StatusCode::kUnsupported);
    return std::nullopt;
  }
  const uint64_t size = (*file)->Stat()->size;
  HBK_CHECK(size <= stored.size());
  std::vector<uint8_t> bytes(size + 1);
  const auto got = (*file)->ReadAt(0, bytes);
  if (!got.ok()) {
    HBK_CHECK(got.status().code() == StatusCode::kCorruption);
    return std::nullopt;
  }
  HBK_CHECK(*got == size);
  return std::string(hbk::AsText(hbk::ByteView(bytes).first(size)));
}

std::string Seal(const std::string& plain, uint8_t id_byte) {
  hbk::seal::FileId id{};
  id.fill(id_byte);
  std::string stored;
  const auto writer = hbk::seal::SealedWriter::Create(Key(), id, [&stored](hbk::ByteView bytes) {
    stored += hbk::AsText(bytes);
    return hbk::OkStatus();
  });
  HBK_CHECK((*writer)->Append(hbk::AsBytes(plain)).ok());
  HBK_CHECK((*writer)->Finish().value() == stored.size());
  HBK_CHECK(stored.size() == hbk::seal::SealedSize(plain.size()));
  return stored;
}

std::string Changed(const std::string& stored, uint8_t how, size_t a, size_t b) {
  std::string changed = stored;
  const size_t count = (stored.size() - kSealedHeaderBytes) / kSealedSegmentBytes;
  const auto segment = [](size_t index) {
    return kSealedHeaderBytes + index * kSealedSegmentBytes;
  };
  switch (how % 6) {
    case 0: changed[a % stored.size()] ^= static_cast<char>(1 << b % 8); break;
    case 1: changed.resize(a % (stored.size() + 1)); break;
    case 2: changed.insert(a % stored.size(), stored, b % stored.size(), 1 + b % 100000); break;
    case 3: changed.erase(a % stored.size(), 1 + b % 100000); break;
    case 4: {
      if (count < 2) break;
      const size_t first = segment(a % count);
      const size_t second = segment(b % count);
      std::swap_ranges(changed.begin() + static_cast<ptrdiff_t>(first),
                       changed.begin() + static_cast<ptrdiff_t>(first + kSealedSegmentBytes),
                       changed.begin() + static_cast<ptrdiff_t>(second));
      break;
    }
    default: {
      if (count == 0) break;
      const size_t begin = segment(a % count);
      changed.insert(segment(b % count), stored, begin, kSealedSegmentBytes);
      break;
    }
  }
  return changed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const hbk::ByteView input(data, size);
  (void)Read(hbk::AsText(input));
  if (size < kHeadBytes) return 0;

  const size_t a = hbk::LoadLe32(input, 1);
  const size_t b = hbk::LoadLe32(input, 5);
  const std::string_view text = hbk::AsText(input.subspan(kHeadBytes));
  std::string plain;
  // Several segments of a short input.
  for (size_t i = 0; i <= (data[0] >> 4U) && plain.size() < 4 * kSegmentBytes; ++i) {
    plain += text;
    if (data[0] >= 0x40) plain.resize(plain.size() + b % (kSegmentBytes + 1), 'p');
  }
  const std::string stored = Seal(plain, 1);
  HBK_CHECK(Read(stored) == plain);
  const std::string changed = Changed(stored, data[0], a, b);
  if (changed != stored) HBK_CHECK(!Read(changed));
  return 0;
}
