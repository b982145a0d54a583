#include "hbk/innodb/page_image.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hbk/base/crc32c.h"
#include "hbk/innodb/trx_sys.h"

namespace hbk::innodb {
namespace {

using codec::Algorithm;

Algorithm AlgorithmOfNumber(uint64_t number) {
  return static_cast<Algorithm>(std::min<uint64_t>(number, UINT8_MAX));
}

Algorithm OldAlgorithmOf(ByteView image) {
  return AlgorithmOfNumber(LoadBe64(image, kOldAlgorithm));
}

// The page inside has the checksum that the image lacks.
PageVerdict CheckInside(ByteView page, const TablespaceFlags& flags, PageId id) {
  const Algorithm algorithm = OldAlgorithmOf(page);
  if (algorithm == Algorithm::kNone || algorithm > Algorithm::kSnappy)
    return PageVerdict::kBadChecksum;
  if (!codec::IsAvailable(algorithm)) return PageVerdict::kGood;
  const std::optional<ByteView> payload = OldPayloadOf(page);
  if (!payload.has_value()) return PageVerdict::kBadChecksum;
  std::vector<uint8_t> inside(page.size());
  if (!codec::Decompress(algorithm, *payload, inside).ok()) return PageVerdict::kBadChecksum;
  if (IsOldCompressedType(LoadBe16(inside, kFilType))) return PageVerdict::kBadChecksum;
  return CheckPage(inside, flags, id);
}

// What the server would write there.
uint32_t ComputeOldChecksum(ByteView page, const TablespaceFlags& flags, PageId id) {
  std::vector<uint8_t> sealed(page.begin(), page.end());
  SealPage(sealed, flags, id);
  return LoadBe32(sealed, kFilChecksum);
}

void AddLsn(ByteView page, size_t tail, std::vector<std::string>& faults) {
  const uint32_t head_lsn = LoadBe32(page, kFilLsn + 4);
  const uint32_t tail_lsn = LoadBe32(page, tail);
  if (head_lsn == tail_lsn) return;
  faults.push_back(
      fmt::format("LSN {} at the head, but its low half is 0x{:08x} there and 0x{:08x} "
                  "at the tail",
                  PageLsn(page), head_lsn, tail_lsn));
}

void AddFullCrc32(ByteView page, std::vector<std::string>& faults) {
  const size_t size = FullCrc32Size(page);
  const uint32_t stored = LoadBe32(page, size - 4);
  const uint32_t computed = Crc32c(page.first(size - 4));
  if (stored != computed)
    faults.push_back(fmt::format("checksum 0x{:08x}, computed 0x{:08x}", stored, computed));
  const bool is_plain = size == page.size() && LoadBe32(page, kFilChecksum) == 0;
  if (is_plain) AddLsn(page, page.size() - kFilTrailer, faults);
}

void AddOld(ByteView page, const TablespaceFlags& flags, PageId id,
            std::vector<std::string>& faults) {
  const uint32_t computed = ComputeOldChecksum(page, flags, id);
  const uint32_t stored = LoadBe32(page, kFilChecksum);
  const size_t tail = page.size() - kFilTrailer;
  const uint32_t key_version = LoadBe32(page, kFilKeyVersion);
  if (key_version != 0 && LoadBe32(page, kOldImageChecksum) == computed) return;
  if (flags.is_zip()) {
    if (stored != computed)
      faults.push_back(fmt::format("checksum 0x{:08x}, computed 0x{:08x}", stored, computed));
  } else {
    const uint32_t stored_tail = LoadBe32(page, tail);
    if (stored != computed || stored_tail != computed) {
      faults.push_back(
          fmt::format("checksum 0x{:08x} at the head and 0x{:08x} at the tail, "
                      "computed 0x{:08x}",
                      stored, stored_tail, computed));
    }
    AddLsn(page, tail + 4, faults);
  }
  if (key_version != 0 && !faults.empty()) {
    faults.push_back(fmt::format("as an encrypted page (key version {}): checksum 0x{:08x}",
                                 key_version, LoadBe32(page, kOldImageChecksum)));
  }
}

}  // namespace

PageCoding CodingOf(ByteView image, const TablespaceFlags& flags, bool has_crypt_data, PageId id) {
  PageCoding coding;
  if (IsNeverCoded(id)) return coding;
  const uint16_t type = LoadBe16(image, kFilType);
  if (flags.is_full_crc32()) {
    coding.key_version = LoadBe32(image, kFilChecksum);
    if (IsFullCrc32Compressed(image))
      coding.algorithm = AlgorithmOfNumber(flags.compression_algorithm());
    return coding;
  }
  if (!flags.is_zip() && type == kPageCompressed) {
    coding.algorithm = OldAlgorithmOf(image);
    return coding;
  }
  if (!flags.is_zip() && type == kPageCompressedEncrypted) {
    coding.key_version = LoadBe32(image, kFilKeyVersion);
    coding.algorithm = AlgorithmOfNumber(LoadBe16(image, kOldEncryptedAlgorithm));
    return coding;
  }
  if (has_crypt_data) coding.key_version = LoadBe32(image, kFilKeyVersion);
  return coding;
}

uint32_t KeyVersionOf(ByteView page, const TablespaceFlags& flags, PageId id) {
  // These have a split number there, and are never encrypted in the old format. CodingOf takes it
  // for a key version: its callers look at the checksum behind it, too, before they believe it.
  if (!flags.is_full_crc32() && LoadBe16(page, kFilType) == kPageRtree) return 0;
  return CodingOf(page, flags, /*has_crypt_data=*/true, id).key_version;
}

bool IsNeverCoded(PageId id) {
  return id.page == 0 || id == PageId{kSystemSpaceId, kTrxSysPageNo};
}

bool IsFullCrc32Compressed(ByteView image) {
  return (LoadBe16(image, kFilType) & kFullCrc32Compressed) != 0;
}

size_t FullCrc32Size(ByteView image) {
  if (!IsFullCrc32Compressed(image)) return image.size();
  const auto units = static_cast<uint16_t>(LoadBe16(image, kFilType) & ~kFullCrc32Compressed);
  const size_t size = units * kFullCrc32SizeUnit;
  return size == 0 || size > image.size() ? image.size() : size;
}

bool IsOldCompressedType(uint16_t type) {
  return type == kPageCompressed || type == kPageCompressedEncrypted;
}

size_t OldPayloadOffset(uint16_t type) {
  return type == kPageCompressedEncrypted ? kOldEncryptedPayload : kOldPayload;
}

std::optional<ByteView> OldPayloadOf(ByteView image) {
  const uint16_t type = LoadBe16(image, kFilType);
  const size_t size = LoadBe16(image, kOldPayloadSize);
  // Of a clear one, too, none is so long that it would not fit if it was encrypted.
  if (size > image.size() - kOldEncryptedPayload) return std::nullopt;
  const uint64_t algorithm = type == kPageCompressedEncrypted
                                 ? LoadBe16(image, kOldEncryptedAlgorithm)
                                 : LoadBe64(image, kOldAlgorithm);
  if (algorithm == 0) return std::nullopt;
  return image.subspan(OldPayloadOffset(type), size);
}

size_t UsedBytes(ByteView page, const TablespaceFlags& flags) {
  if (flags.is_zip()) return page.size();
  if (flags.is_full_crc32()) return FullCrc32Size(page);
  const uint16_t type = LoadBe16(page, kFilType);
  if (!IsOldCompressedType(type)) return page.size();
  const std::optional<ByteView> payload = OldPayloadOf(page);
  return payload.has_value() ? OldPayloadOffset(type) + payload->size() : page.size();
}

PageVerdict CheckImage(ByteView page, const TablespaceFlags& flags, PageId id) {
  const PageVerdict verdict = CheckPage(page, flags, id);
  const bool has_page_inside =
      !flags.is_full_crc32() && !flags.is_zip() && LoadBe16(page, kFilType) == kPageCompressed;
  if (verdict != PageVerdict::kGood || !has_page_inside) return verdict;
  return CheckInside(page, flags, id);
}

bool IsUnverifiable(ByteView page, const TablespaceFlags& flags) {
  if (flags.is_full_crc32() || flags.is_zip()) return false;
  const uint16_t type = LoadBe16(page, kFilType);
  if (type == kPageCompressed) return !codec::IsAvailable(OldAlgorithmOf(page));
  return type == kPageCompressedEncrypted;
}

std::string DescribeDamage(ByteView page, const TablespaceFlags& flags, PageId id) {
  std::vector<std::string> faults;
  const bool is_old_compressed =
      !flags.is_full_crc32() && !flags.is_zip() && IsOldCompressedType(LoadBe16(page, kFilType));
  if (flags.is_full_crc32()) {
    AddFullCrc32(page, faults);
  } else if (is_old_compressed) {
    faults.push_back(fmt::format("compressed image of {} bytes that cannot be right",
                                 LoadBe16(page, kOldPayloadSize)));
  } else {
    AddOld(page, flags, id, faults);
  }
  if (PageNumber(page) != id.page)
    faults.push_back(fmt::format("page number {}", PageNumber(page)));
  const bool is_space_id_readable = !flags.is_full_crc32() || (FullCrc32Size(page) == page.size() &&
                                                               LoadBe32(page, kFilChecksum) == 0);
  if (is_space_id_readable && PageSpaceId(page) != id.space)
    faults.push_back(fmt::format("space id {}", PageSpaceId(page)));
  return fmt::format("{}", fmt::join(faults, "; "));
}

}  // namespace hbk::innodb
