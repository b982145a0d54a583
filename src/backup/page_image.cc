#include "page_image.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hbk/base/crc32c.h"
#include "hbk/codec/page_codec.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/trx_sys.h"

namespace hbk::backup {
namespace {

using innodb::PageVerdict;

// Offsets in the image of a compressed page of the old format.
constexpr size_t kPayloadSize = innodb::kFilData;      // u16
constexpr size_t kAlgorithm = innodb::kFilKeyVersion;  // u64
constexpr size_t kPayload = innodb::kFilData + 2;
constexpr size_t kEncryptedPayload = innodb::kFilData + 4;  // the algorithm stands before it
constexpr uint16_t kFullCrc32Compressed = 0x8000;

bool IsOldCompressed(ByteView page, const innodb::TablespaceFlags& flags) {
  return !flags.is_full_crc32() && !flags.is_zip() &&
         LoadBe16(page, innodb::kFilType) == innodb::kPageCompressed;
}

// False for a number that is none, too.
bool HasCodec(ByteView page) {
  const uint64_t number = LoadBe64(page, kAlgorithm);
  return number != 0 && number <= static_cast<uint64_t>(codec::Algorithm::kSnappy) &&
         codec::IsAvailable(static_cast<codec::Algorithm>(number));
}

// The page inside has the checksum that the image lacks.
PageVerdict CheckInside(ByteView page, const innodb::TablespaceFlags& flags, innodb::PageId id) {
  const uint64_t number = LoadBe64(page, kAlgorithm);
  if (number == 0 || number > static_cast<uint64_t>(codec::Algorithm::kSnappy))
    return PageVerdict::kBadChecksum;
  const auto algorithm = static_cast<codec::Algorithm>(number);
  if (!codec::IsAvailable(algorithm)) return PageVerdict::kGood;
  const size_t payload = LoadBe16(page, kPayloadSize);
  if (payload > page.size() - kPayload) return PageVerdict::kBadChecksum;
  std::vector<uint8_t> inside(page.size());
  if (!codec::Decompress(algorithm, page.subspan(kPayload, payload), inside).ok())
    return PageVerdict::kBadChecksum;
  const uint16_t type = LoadBe16(inside, innodb::kFilType);
  if (type == innodb::kPageCompressed || type == innodb::kPageCompressedEncrypted)
    return PageVerdict::kBadChecksum;
  return innodb::CheckPage(inside, flags, id);
}

size_t FullCrc32Bytes(ByteView page) {
  const uint16_t type = LoadBe16(page, innodb::kFilType);
  if ((type & kFullCrc32Compressed) == 0) return page.size();
  const size_t size = size_t{static_cast<uint16_t>(type & ~kFullCrc32Compressed)} << 8;
  return size == 0 || size > page.size() ? page.size() : size;
}

// What the server would write there.
uint32_t ComputeOldChecksum(ByteView page, const innodb::TablespaceFlags& flags,
                            innodb::PageId id) {
  std::vector<uint8_t> sealed(page.begin(), page.end());
  innodb::SealPage(sealed, flags, id);
  return LoadBe32(sealed, innodb::kFilChecksum);
}

void AddLsn(ByteView page, size_t tail, std::vector<std::string>& faults) {
  const uint32_t head_lsn = LoadBe32(page, innodb::kFilLsn + 4);
  const uint32_t tail_lsn = LoadBe32(page, tail);
  if (head_lsn == tail_lsn) return;
  faults.push_back(
      fmt::format("LSN {} at the head, but its low half is 0x{:08x} there and 0x{:08x} "
                  "at the tail",
                  innodb::PageLsn(page), head_lsn, tail_lsn));
}

void AddFullCrc32(ByteView page, std::vector<std::string>& faults) {
  const size_t size = FullCrc32Bytes(page);
  const uint32_t stored = LoadBe32(page, size - 4);
  const uint32_t computed = Crc32c(page.first(size - 4));
  if (stored != computed)
    faults.push_back(fmt::format("checksum 0x{:08x}, computed 0x{:08x}", stored, computed));
  const bool is_plain = size == page.size() && LoadBe32(page, innodb::kFilChecksum) == 0;
  if (is_plain) AddLsn(page, page.size() - innodb::kFilTrailer, faults);
}

void AddOld(ByteView page, const innodb::TablespaceFlags& flags, innodb::PageId id,
            std::vector<std::string>& faults) {
  const uint32_t computed = ComputeOldChecksum(page, flags, id);
  const uint32_t stored = LoadBe32(page, innodb::kFilChecksum);
  const size_t tail = page.size() - innodb::kFilTrailer;
  const uint32_t key_version = LoadBe32(page, innodb::kFilKeyVersion);
  if (key_version != 0 && LoadBe32(page, innodb::kFilKeyVersion + 4) == computed) return;
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
                                 key_version, LoadBe32(page, innodb::kFilKeyVersion + 4)));
  }
}

}  // namespace

PageVerdict CheckImage(ByteView page, const innodb::TablespaceFlags& flags, innodb::PageId id) {
  const PageVerdict verdict = innodb::CheckPage(page, flags, id);
  if (verdict != PageVerdict::kGood || !IsOldCompressed(page, flags)) return verdict;
  return CheckInside(page, flags, id);
}

bool IsUnverifiable(ByteView page, const innodb::TablespaceFlags& flags) {
  if (flags.is_full_crc32() || flags.is_zip()) return false;
  const uint16_t type = LoadBe16(page, innodb::kFilType);
  if (type == innodb::kPageCompressed) return !HasCodec(page);
  return type == innodb::kPageCompressedEncrypted;
}

size_t UsedBytes(ByteView page, const innodb::TablespaceFlags& flags) {
  if (flags.is_zip()) return page.size();
  if (flags.is_full_crc32()) return FullCrc32Bytes(page);
  const size_t payload = LoadBe16(page, kPayloadSize);
  switch (LoadBe16(page, innodb::kFilType)) {
    case innodb::kPageCompressed: return std::min(kPayload + payload, page.size());
    case innodb::kPageCompressedEncrypted:
      return std::min(kEncryptedPayload + payload, page.size());
    default: return page.size();
  }
}

uint32_t KeyVersionOf(ByteView page, const innodb::TablespaceFlags& flags, innodb::PageId id) {
  if (id.page == 0 || id == innodb::PageId{innodb::kSystemSpaceId, innodb::kTrxSysPageNo}) return 0;
  if (flags.is_full_crc32()) return LoadBe32(page, innodb::kFilChecksum);
  const uint16_t type = LoadBe16(page, innodb::kFilType);
  // These have something else there, and are never encrypted.
  if (type == innodb::kPageRtree || type == innodb::kPageCompressed) return 0;
  return LoadBe32(page, innodb::kFilKeyVersion);
}

std::string DescribeDamage(ByteView page, const innodb::TablespaceFlags& flags, innodb::PageId id) {
  std::vector<std::string> faults;
  const uint16_t type = LoadBe16(page, innodb::kFilType);
  const bool is_old_compressed =
      !flags.is_full_crc32() && !flags.is_zip() &&
      (type == innodb::kPageCompressed || type == innodb::kPageCompressedEncrypted);
  if (flags.is_full_crc32()) {
    AddFullCrc32(page, faults);
  } else if (is_old_compressed) {
    faults.push_back(fmt::format("compressed image of {} bytes that cannot be right",
                                 LoadBe16(page, kPayloadSize)));
  } else {
    AddOld(page, flags, id, faults);
  }
  if (innodb::PageNumber(page) != id.page)
    faults.push_back(fmt::format("page number {}", innodb::PageNumber(page)));
  const bool is_space_id_readable =
      !flags.is_full_crc32() ||
      (FullCrc32Bytes(page) == page.size() && LoadBe32(page, innodb::kFilChecksum) == 0);
  if (is_space_id_readable && innodb::PageSpaceId(page) != id.space)
    faults.push_back(fmt::format("space id {}", innodb::PageSpaceId(page)));
  return fmt::format("{}", fmt::join(faults, "; "));
}

}  // namespace hbk::backup
