#include "hbk/innodb/xdes.h"

#include "hbk/innodb/page.h"

namespace hbk::innodb {
namespace {

// Of one descriptor: what stands before the bits, of which each page has two.
constexpr size_t kXdesBits = 24;
constexpr size_t kBitsPerPage = 2;
constexpr uint32_t kExtentBytesMin = 1U << 20;
constexpr PageNo kExtentPagesMin = 64;
constexpr uint32_t kSmallPage = 16384;  // below, an extent has kExtentBytesMin

}  // namespace

PageNo ExtentPages(const TablespaceFlags& flags) {
  const uint32_t logical = flags.logical_size();
  return logical < kSmallPage ? kExtentBytesMin / logical : kExtentPagesMin;
}

size_t XdesBytes(const TablespaceFlags& flags) {
  return kXdesBits + ExtentPages(flags) * kBitsPerPage / 8;
}

PageNo DescriptorPageOf(const TablespaceFlags& flags, PageNo page) {
  // One such page for as many pages as a page has bytes.
  return page - page % flags.physical_size();
}

bool IsPageFree(ByteView descriptor, const TablespaceFlags& flags, PageNo free_limit, PageNo page) {
  HBK_CHECK(descriptor.size() == flags.physical_size());
  if (page >= free_limit) return true;
  const PageNo extent_pages = ExtentPages(flags);
  const size_t index = page % flags.physical_size() / extent_pages;
  const size_t bit = page % extent_pages * kBitsPerPage;
  const size_t offset = kXdesArray + XdesBytes(flags) * index + kXdesBits + bit / 8;
  HBK_CHECK(offset < descriptor.size());
  return (descriptor[offset] >> bit % 8 & 1) != 0;
}

}  // namespace hbk::innodb
