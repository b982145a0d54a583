// Payloads of page_compressed and encrypted pages: any bytes in an image that is right around them
// are refused, or are a page. Any page can be stored and comes back, and a bit that flips in a
// stored one is noticed where a checksum covers it.
//
// Input: a byte for the codec and what else, one for the page, four for the bit that flips, then
// the payload, or the content of the page.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"
#include "hbk/codec/page_codec.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_coder.h"

#include "tests/support/coded_tablespace.h"
#include "tests/support/fixed_keys.h"

namespace {

using namespace hbk;          // NOLINT(google-build-using-namespace)
using namespace hbk::innodb;  // NOLINT(google-build-using-namespace)
using codec::Algorithm;

constexpr size_t kHeadBytes = 6;
constexpr PageId kId{.space = 5, .page = 3};
constexpr Lsn kLsn = 0x123456789;
constexpr uint32_t kNoChecksum = 0xDEADBEEF;
constexpr uint32_t kKeyVersion = 1;

struct Choice {
  Algorithm algorithm = Algorithm::kNone;
  bool is_encrypted = false;
  TablespaceFlags flags;
  uint16_t type = kPageIndex;
};

Choice Choose(uint8_t first, uint8_t second) {
  Choice choice;
  choice.algorithm = static_cast<Algorithm>(1 + first % 6);
  choice.is_encrypted = (first & 0x40U) != 0;
  constexpr std::array<uint16_t, 4> kTypes = {kPageIndex, kPageRtree, kPageBlob, kPageAllocated};
  choice.type = kTypes[second >> 6];
  const uint32_t size_code = 3 + (second & 7U) % 5;
  const bool is_old = (first & 0x80U) != 0;
  const bool is_zip = is_old && (second & 0x20U) != 0;
  uint32_t raw = 0x10 | size_code | static_cast<uint32_t>(choice.algorithm) << 5;
  if (is_zip)
    raw = 0x21 | (size_code - 2) << 1;
  else if (is_old)
    raw = 0x10021 | (size_code == 5 ? 0 : size_code) << 6;
  choice.flags = TablespaceFlags::Decode(raw).value();
  return choice;
}

void CheckCodec(Algorithm algorithm, ByteView payload, size_t page_bytes) {
  std::vector<uint8_t> page(page_bytes);
  const Status status = codec::Decompress(algorithm, payload, page);
  HBK_CHECK(status.ok() || status.code() == StatusCode::kCorruption);
  if (!status.ok()) return;
  std::vector<uint8_t> stored(page_bytes);
  const auto size = codec::Compress(algorithm, page, stored);
  HBK_CHECK(size.ok() && *size <= stored.size());
  if (*size == 0) return;
  // Exactly as long, so that an access beyond it is seen.
  stored.resize(*size);
  stored.shrink_to_fit();
  std::vector<uint8_t> again(page_bytes);
  HBK_CHECK(codec::Decompress(algorithm, stored, again).ok() && again == page);
}

void PutHead(MutableByteView page, uint16_t type) {
  StoreBe32(page, kFilPageNo, kId.page);
  StoreBe64(page, kFilLsn, kLsn);
  StoreBe16(page, kFilType, type);
  StoreBe32(page, kFilSpaceId, kId.space);
}

PageCoder MakeCoder(const Choice& choice, crypto::KeySource& keys) {
  return {kId.space, choice.flags,
          choice.is_encrypted ? std::optional(testing::MakeCryptData()) : std::nullopt, &keys};
}

// What both are but for checksums, and in old files for the place of the key version.
void MakeComparable(const TablespaceFlags& flags, std::vector<uint8_t>& frame) {
  if (!flags.is_full_crc32()) StoreBe64(frame, kFilKeyVersion, 0);
  SealPage(frame, flags, kId);
}

// The image that says of itself that this is its payload.
std::vector<uint8_t> ImageAround(const Choice& choice, ByteView payload) {
  std::vector<uint8_t> image(choice.flags.physical_size());
  PutHead(image, choice.type);
  const auto place = [&](size_t offset, size_t behind) {
    const size_t size = std::min(payload.size(), image.size() - offset - behind);
    std::copy_n(payload.begin(), size, image.begin() + static_cast<ptrdiff_t>(offset));
    return size;
  };
  if (!choice.flags.is_full_crc32()) {
    const uint16_t type = choice.is_encrypted ? kPageCompressedEncrypted : kPageCompressed;
    const size_t size = place(OldPayloadOffset(type), kOldEncryptedPayload - kOldPayload);
    StoreBe32(image, kFilChecksum, kNoChecksum);
    StoreBe16(image, kFilType, type);
    StoreBe16(image, kOldPayloadSize, static_cast<uint16_t>(size));
    const auto number = static_cast<uint8_t>(choice.algorithm);
    if (choice.is_encrypted) {
      StoreBe32(image, kFilKeyVersion, kKeyVersion);
      StoreBe16(image, kOldEncryptedAlgorithm, number);
    } else {
      StoreBe64(image, kOldAlgorithm, number);
    }
    return image;
  }
  constexpr size_t kHeader = kFilType + 2;
  const size_t payload_bytes = place(kHeader, kFullCrc32SizeUnit + 4);
  const size_t size = (kHeader + payload_bytes + 4 + kFullCrc32SizeUnit - 1) / kFullCrc32SizeUnit *
                      kFullCrc32SizeUnit;
  StoreBe16(image, kFilType,
            static_cast<uint16_t>(kFullCrc32Compressed | size / kFullCrc32SizeUnit));
  if (choice.is_encrypted) StoreBe32(image, kFilChecksum, kKeyVersion);
  StoreBe32(image, size - 4, Crc32c(ByteView(image).first(size - 4)));
  return image;
}

void CheckImageAround(const Choice& choice, ByteView payload) {
  testing::FixedKeys keys;
  keys.Add(1, kKeyVersion);
  PageCoder coder = MakeCoder(choice, keys);
  const std::vector<uint8_t> image = ImageAround(choice, payload);
  (void)innodb::CheckImage(image, choice.flags, kId);
  HBK_CHECK(UsedBytes(image, choice.flags) <= image.size());
  std::vector<uint8_t> frame(image.size());
  const auto coding = coder.Decode(image, kId, frame);
  if (coding.ok()) return;
  const StatusCode code = coding.status().code();
  HBK_CHECK(code == StatusCode::kCorruption || code == StatusCode::kMissingKey);
}

void CheckStoring(const Choice& choice, ByteView content, uint32_t flip) {
  testing::FixedKeys keys;
  keys.Add(1, kKeyVersion);
  PageCoder coder = MakeCoder(choice, keys);
  coder.SetAlgorithm(choice.algorithm);
  std::vector<uint8_t> frame(choice.flags.physical_size());
  std::copy_n(content.begin(), std::min(content.size(), frame.size()), frame.begin());
  PutHead(frame, choice.type);
  std::vector<uint8_t> image(frame.size());
  const auto size = coder.Encode(frame, kId, PageCoding{}, image);
  HBK_CHECK(size.ok() && *size <= image.size() && IsAllZero(ByteView(image).subspan(*size)));
  MakeComparable(choice.flags, frame);

  // What stands behind is no part of it.
  std::fill(image.begin() + static_cast<ptrdiff_t>(*size), image.end(), uint8_t{0x55});
  std::vector<uint8_t> back(frame.size());
  const auto coding = coder.Decode(image, kId, back);
  HBK_CHECK(coding.ok() && UsedBytes(image, choice.flags) <= *size);
  MakeComparable(choice.flags, back);
  HBK_CHECK(back == frame);

  image[flip / 8 % *size] ^= static_cast<uint8_t>(1U << flip % 8);
  const auto flipped = coder.Decode(image, kId, back);
  // Of the old format, some fields of the head are covered by nothing.
  HBK_CHECK(!flipped.ok() || !choice.flags.is_full_crc32());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHeadBytes) return 0;
  const ByteView input(data, size);
  const Choice choice = Choose(input[0], input[1]);
  const ByteView rest = input.subspan(kHeadBytes);
  const ByteView payload = rest.first(std::min(rest.size(), kPageSizeMax));
  CheckCodec(choice.algorithm, payload, choice.flags.logical_size());
  if (!choice.flags.is_zip()) CheckImageAround(choice, payload);
  CheckStoring(choice, payload, LoadLe32(input, 2));
  return 0;
}
