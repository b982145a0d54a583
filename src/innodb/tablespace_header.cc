#include "hbk/innodb/tablespace_header.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/xdes.h"

namespace hbk::innodb {
namespace {

constexpr std::array<uint8_t, 6> kCryptMagic = {0x73, 0x0E, 0x0C, 0x52, 0x45, 0x74};
constexpr size_t kCryptBytes = 6 + 1 + 1 + 16 + 4 + 4 + 1;
constexpr uint8_t kCryptTypeMax = 1;

FirstPage Damaged(std::string reason) {
  FirstPage page;
  page.kind = FirstPageKind::kDamaged;
  page.reason = std::move(reason);
  return page;
}

// The encryption metadata stands behind the extent descriptors. The server counts the FIL header
// twice in its offset.
size_t CryptOffset(const TablespaceFlags& flags) {
  return kFilData + kXdesArray + XdesBytes(flags) * flags.physical_size() / ExtentPages(flags);
}

// False if it is there but cannot be what it says.
bool ReadCryptData(ByteView page, const TablespaceFlags& flags, std::optional<CryptData>& result) {
  const size_t offset = CryptOffset(flags);
  if (offset + kCryptBytes > page.size()) return true;
  if (!std::equal(kCryptMagic.begin(), kCryptMagic.end(), page.begin() + static_cast<long>(offset)))
    return true;
  CryptData crypt;
  crypt.type = page[offset + 6];
  if (crypt.type > kCryptTypeMax || page[offset + 7] != crypt.iv.size()) return false;
  std::copy_n(page.begin() + static_cast<long>(offset) + 8, crypt.iv.size(), crypt.iv.begin());
  crypt.min_key_version = LoadBe32(page, offset + 24);
  crypt.key_id = LoadBe32(page, offset + 28);
  crypt.option = page[offset + 32];
  result = crypt;
  return true;
}

}  // namespace

FirstPage ClassifyFirstPage(ByteView head, uint64_t file_size, uint32_t logical_page_size) {
  // The smallest page is enough: its part of page 0 has space id and size in it. More would not be
  // right: behind a page 0 of 1 KiB that is not written yet there may be pages that are.
  if (IsAllZero(head.first(std::min<size_t>(head.size(), kPageSizeMin)))) return {};
  if (head.size() < kPageSizeMin) {
    return Damaged(fmt::format("the file has {} bytes, less than a page", file_size));
  }
  const auto flags = TablespaceFlags::Decode(LoadBe32(head, kFspFlags));
  if (!flags.ok()) return Damaged(flags.status().message());
  if (logical_page_size != 0 && flags->logical_size() != logical_page_size) {
    return Damaged(fmt::format("its page size is {}, that of the instance is {}",
                               flags->logical_size(), logical_page_size));
  }
  if (head.size() < flags->physical_size()) {
    return Damaged(fmt::format("the file has {} bytes, less than its page size {}", file_size,
                               flags->physical_size()));
  }
  const ByteView page = head.first(flags->physical_size());
  const SpaceId space_id = PageSpaceId(page);
  if (space_id != LoadBe32(page, kFspSpaceId) || space_id >= kSpaceIdEnd) {
    return Damaged(
        fmt::format("page 0 names the space ids {} and {}", space_id, LoadBe32(page, kFspSpaceId)));
  }
  const PageVerdict verdict = CheckPage(page, *flags, PageId{space_id, 0});
  if (verdict != PageVerdict::kGood) {
    return Damaged(fmt::format("page 0: {}", PageVerdictName(verdict)));
  }
  FirstPage result;
  result.kind = FirstPageKind::kValid;
  result.header.space_id = space_id;
  result.header.size_pages = LoadBe32(page, kFspSize);
  result.header.free_limit = LoadBe32(page, kFspFreeLimit);
  result.header.flags = *flags;
  if (!ReadCryptData(page, *flags, result.header.crypt))
    return Damaged("page 0: encryption metadata of an unknown kind");
  return result;
}

}  // namespace hbk::innodb
