#include "hbk/innodb/tablespace_flags.h"

#include <fmt/format.h>

namespace hbk::innodb {
namespace {

// full_crc32: bits 0..3 page size, 4 marker, 5..7 compression algorithm.
constexpr uint32_t kFullCrc32Marker = 1U << 4;
constexpr uint32_t kFullCrc32Used = 0xFF;
constexpr uint32_t kAlgorithmMax = 6;

// Old format.
constexpr uint32_t kPostAntelope = 1U << 0;
constexpr uint32_t kAtomicBlobs = 1U << 5;
constexpr uint32_t kDataDirectory = 1U << 10;  // written by MariaDB 10.0, means nothing now
constexpr uint32_t kForeign = 0x1FU << 11;     // MySQL 5.7 and MariaDB 10.1.0 .. 10.1.20
constexpr uint32_t kPageCompressed = 1U << 16;
constexpr uint32_t kOldUsed = 0x1FFFF;

// A page size code c stands for 512 << c: 3 is 4 KiB, 7 is 64 KiB.
constexpr uint32_t kSizeCodeMin = 3;
constexpr uint32_t kSizeCodeMax = 7;
constexpr uint32_t kSizeCode16K = 5;
constexpr uint32_t kZipCodeMax = 5;

uint32_t SizeOfCode(uint32_t code) {
  return 512U << code;
}

}  // namespace

Result<TablespaceFlags> TablespaceFlags::Decode(uint32_t flags) {
  TablespaceFlags decoded;
  decoded.raw_ = flags;
  if ((flags & kFullCrc32Marker) != 0) {
    const uint32_t code = flags & 15;
    const uint32_t algorithm = flags >> 5 & 7;
    if (code < kSizeCodeMin || code > kSizeCodeMax || algorithm > kAlgorithmMax ||
        (flags & ~kFullCrc32Used) != 0) {
      return CorruptionError(fmt::format("tablespace flags {:#x} are not valid", flags));
    }
    decoded.logical_size_ = SizeOfCode(code);
    decoded.is_page_compressed_ = algorithm != 0;
    decoded.compression_algorithm_ = algorithm;
    return decoded;
  }
  if ((flags & kForeign) != 0) {
    return UnsupportedError(fmt::format(
        "tablespace flags {:#x} are those of MySQL or of MariaDB before 10.1.21", flags));
  }
  const uint32_t zip_code = flags >> 1 & 15;
  uint32_t code = flags >> 6 & 15;
  // The old format writes 16 KiB as 0, and never as its code.
  const bool is_code_valid =
      code == 0 || (code >= kSizeCodeMin && code <= kSizeCodeMax && code != kSizeCode16K);
  if (code == 0) code = kSizeCode16K;
  constexpr uint32_t kNeededByZip = kPostAntelope | kAtomicBlobs;
  const bool is_zip_valid =
      zip_code == 0 || (zip_code <= kZipCodeMax && zip_code <= code && code <= kSizeCode16K &&
                        (flags & kNeededByZip) == kNeededByZip && (flags & kPageCompressed) == 0);
  const bool is_antelope_valid = (flags & kAtomicBlobs) == 0 || (flags & kPostAntelope) != 0;
  if (!is_code_valid || !is_zip_valid || !is_antelope_valid || (flags & ~kOldUsed) != 0) {
    return CorruptionError(fmt::format("tablespace flags {:#x} are not valid", flags));
  }
  decoded.logical_size_ = SizeOfCode(code);
  decoded.zip_size_ = zip_code == 0 ? 0 : SizeOfCode(zip_code);
  decoded.is_page_compressed_ = (flags & kPageCompressed) != 0;
  static_assert((kDataDirectory & kOldUsed) != 0, "DATA_DIR of 10.0 is accepted");
  return decoded;
}

TablespaceFlags TablespaceFlags::FullCrc32(uint32_t page_size) {
  for (uint32_t code = kSizeCodeMin; code <= kSizeCodeMax; ++code) {
    if (SizeOfCode(code) == page_size) return Decode(kFullCrc32Marker | code).value();
  }
  HBK_CHECK(false);
}

}  // namespace hbk::innodb
