#include "hbk/innodb/page_checksum.h"

#include <algorithm>

#include "hbk/base/crc32c.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_image.h"

#include "image_checksum.h"

namespace hbk::innodb {
namespace {

// Bytes 26..33 hold the key version and more; 34..37 the space id. The old checksum covers neither.
constexpr size_t kUncoveredBegin = kFilKeyVersion;
constexpr size_t kUncoveredEnd = kFilData;

// innodb_checksum_algorithm=innodb, the default before 10.2; files keep such pages until they are
// written again.
uint32_t Fold(ByteView bytes) {
  uint32_t f = 0;
  for (const uint8_t b : bytes) {
    f = ((((f ^ b ^ 1653893711U) << 8) + f) ^ 1463735687U) + b;
  }
  return f;
}

bool HasLegacyChecksum(ByteView page, uint32_t crc) {
  const uint32_t head = LoadBe32(page, kFilChecksum);
  const uint32_t tail = LoadBe32(page, page.size() - kFilTrailer);
  if (head == kNoChecksum && tail == kNoChecksum) return true;
  const uint32_t new_fold =
      Fold(page.subspan(kFilPageNo, kUncoveredBegin - kFilPageNo)) +
      Fold(page.subspan(kUncoveredEnd, page.size() - kFilTrailer - kUncoveredEnd));
  const bool is_head_good = head == 0 || head == kNoChecksum || head == crc || head == new_fold;
  const bool is_tail_good = tail == LoadBe32(page, kFilLsn) || tail == kNoChecksum || tail == crc ||
                            tail == Fold(page.first(kUncoveredBegin));
  return is_head_good && is_tail_good;
}

PageVerdict CheckFullCrc32(ByteView page, bool& is_plain) {
  const size_t size = FullCrc32Size(page);
  const bool is_compressed = IsFullCrc32Compressed(page);
  // It would not have been stored compressed.
  if (is_compressed && size == page.size()) return PageVerdict::kBadChecksum;
  if (Crc32c(page.first(size - 4)) != LoadBe32(page, size - 4)) return PageVerdict::kBadChecksum;
  const bool is_encrypted = LoadBe32(page, kFilChecksum) != 0;
  is_plain = !is_compressed && !is_encrypted;
  if (is_plain && LoadBe32(page, kFilLsn + 4) != LoadBe32(page, page.size() - kFilTrailer)) {
    return PageVerdict::kLsnMismatch;
  }
  return PageVerdict::kGood;
}

// The legacy checksum of ROW_FORMAT=COMPRESSED pages: Adler-32 over the bytes that ZipChecksum
// covers, begun with 0 instead of 1.
uint32_t ZipAdler(ByteView page) {
  constexpr uint32_t kModulus = 65521;
  uint32_t low = 0;
  uint32_t high = 0;
  for (const ByteView piece : {page.subspan(kFilPageNo, kFilLsn - kFilPageNo),
                               page.subspan(kFilType, 2), page.subspan(kFilSpaceId)}) {
    for (const uint8_t byte : piece) {
      low = (low + byte) % kModulus;
      high = (high + low) % kModulus;
    }
  }
  return high << 16 | low;
}

PageVerdict CheckZip(ByteView page) {
  const uint32_t stored = LoadBe32(page, kFilChecksum);
  const uint32_t crc = ZipChecksum(page);
  if (stored == crc || stored == kNoChecksum) return PageVerdict::kGood;
  // Encrypted: the checksum over the image as it lies here stands behind the key version.
  const bool is_encrypted = LoadBe32(page, kFilKeyVersion) != 0;
  if (is_encrypted && LoadBe32(page, kOldImageChecksum) == crc) return PageVerdict::kGood;
  return stored == ZipAdler(page) ? PageVerdict::kGood : PageVerdict::kBadChecksum;
}

PageVerdict CheckOld(ByteView page) {
  if (IsOldCompressedType(LoadBe16(page, kFilType))) {
    // The stored image has no checksum: the one inside appears after decompression.
    const bool is_sane =
        LoadBe32(page, kFilChecksum) == kNoChecksum && OldPayloadOf(page).has_value();
    return is_sane ? PageVerdict::kGood : PageVerdict::kBadChecksum;
  }
  const uint32_t crc = OldChecksum(page);
  const size_t tail = page.size() - kFilTrailer;
  if (LoadBe32(page, kFilChecksum) == crc && LoadBe32(page, tail) == crc) {
    return LoadBe32(page, kFilLsn + 4) == LoadBe32(page, tail + 4) ? PageVerdict::kGood
                                                                   : PageVerdict::kLsnMismatch;
  }
  const bool is_encrypted = LoadBe32(page, kFilKeyVersion) != 0;
  if (is_encrypted && LoadBe32(page, kOldImageChecksum) == crc) return PageVerdict::kGood;
  const bool is_lsn_good = LoadBe32(page, kFilLsn + 4) == LoadBe32(page, tail + 4);
  return is_lsn_good && HasLegacyChecksum(page, crc) ? PageVerdict::kGood
                                                     : PageVerdict::kBadChecksum;
}

}  // namespace

uint32_t OldChecksum(ByteView page) {
  return Crc32c(page.subspan(kFilPageNo, kUncoveredBegin - kFilPageNo)) ^
         Crc32c(page.subspan(kUncoveredEnd, page.size() - kFilTrailer - kUncoveredEnd));
}

uint32_t ZipChecksum(ByteView page) {
  return Crc32c(page.subspan(kFilPageNo, kFilLsn - kFilPageNo)) ^
         Crc32c(page.subspan(kFilType, 2)) ^
         Crc32c(page.subspan(kFilSpaceId, page.size() - kFilSpaceId));
}

std::string_view PageVerdictName(PageVerdict verdict) {
  switch (verdict) {
    case PageVerdict::kGood: return "good";
    case PageVerdict::kZero: return "all zero";
    case PageVerdict::kBadChecksum: return "bad checksum";
    case PageVerdict::kLsnMismatch: return "LSN at head and tail differ";
    case PageVerdict::kWrongPageNo: return "another page number";
    case PageVerdict::kWrongSpaceId: return "another space id";
  }
  return "unknown";
}

PageVerdict CheckPage(ByteView page, const TablespaceFlags& flags, PageId id) {
  HBK_CHECK(page.size() == flags.physical_size());
  // A zero page has page number 0 and type 0: only then is it worth looking at every byte.
  if (LoadBe64(page, 0) == 0 && LoadBe64(page, kFilLsn) == 0 && IsAllZero(page)) {
    return PageVerdict::kZero;
  }
  bool is_space_id_readable = true;
  PageVerdict verdict = PageVerdict::kGood;
  if (flags.is_full_crc32()) {
    verdict = CheckFullCrc32(page, is_space_id_readable);
  } else {
    verdict = flags.is_zip() ? CheckZip(page) : CheckOld(page);
  }
  if (verdict != PageVerdict::kGood) return verdict;
  if (PageNumber(page) != id.page) return PageVerdict::kWrongPageNo;
  if (is_space_id_readable && PageSpaceId(page) != id.space) return PageVerdict::kWrongSpaceId;
  return PageVerdict::kGood;
}

void SealPage(MutableByteView page, const TablespaceFlags& flags, PageId id) {
  HBK_CHECK(page.size() == flags.physical_size());
  const Lsn lsn = PageLsn(page);
  const size_t tail = page.size() - kFilTrailer;
  if (flags.is_full_crc32()) {
    StoreBe32(page, kFilChecksum, 0);
    StoreBe32(page, tail, static_cast<uint32_t>(lsn));
    StoreBe32(page, tail + 4, Crc32c(page.first(tail + 4)));
    return;
  }
  if (flags.is_zip()) {
    StoreBe32(page, kFilChecksum, ZipChecksum(page));
    return;
  }
  const bool keeps_flush_lsn = IsNeverCoded(id);
  if (!keeps_flush_lsn) {
    std::fill_n(page.begin() + kFilKeyVersion, kFilSpaceId - kFilKeyVersion, uint8_t{0});
  }
  StoreBe64(page, tail, lsn);
  const uint32_t crc = OldChecksum(page);
  StoreBe32(page, kFilChecksum, crc);
  StoreBe32(page, tail, crc);
}

}  // namespace hbk::innodb
