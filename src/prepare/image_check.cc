#include "image_check.h"

#include <algorithm>
#include <bit>

#include "hbk/innodb/page_image.h"

namespace hbk::prepare {
namespace {

using innodb::PageVerdict;
using innodb::TablespaceFlags;

// Flags of the old format: docs/format/innodb-pages.md.
constexpr uint32_t kOldBase = 1U | 1U << 5;
constexpr uint32_t kOldPageCompressed = 1U << 16;
constexpr uint32_t kUsualPageSize = 16384;

uint32_t SizeCode(uint32_t size) {
  return static_cast<uint32_t>(std::countr_zero(size)) - 9;
}

}  // namespace

ImageCheck::ImageCheck(uint32_t logical_page_size, uint32_t zip_size) {
  const uint32_t old_size =
      logical_page_size == kUsualPageSize ? 0 : SizeCode(logical_page_size) << 6;
  std::vector<uint32_t> candidates;
  if (zip_size != 0) {
    candidates = {kOldBase | old_size | SizeCode(zip_size) << 1};
  } else {
    formats_.push_back(TablespaceFlags::FullCrc32(logical_page_size));
    candidates = {kOldBase | old_size, kOldBase | old_size | kOldPageCompressed};
  }
  for (const uint32_t raw : candidates) {
    const auto flags = TablespaceFlags::Decode(raw);
    if (flags.ok()) formats_.push_back(*flags);
  }
}

PageVerdict ImageCheck::Check(ByteView image, innodb::PageId id) {
  if (IsAllZero(image)) return PageVerdict::kZero;
  if (formats_.empty()) return PageVerdict::kBadChecksum;
  std::vector<TablespaceFlags> fitting;
  PageVerdict first_verdict = PageVerdict::kBadChecksum;
  for (const TablespaceFlags& flags : formats_) {
    const PageVerdict verdict = innodb::CheckImage(image, flags, id);
    if (&flags == &formats_.front()) first_verdict = verdict;
    if (verdict == PageVerdict::kGood) fitting.push_back(flags);
  }
  if (fitting.empty()) return first_verdict;
  formats_ = std::move(fitting);
  return PageVerdict::kGood;
}

}  // namespace hbk::prepare
