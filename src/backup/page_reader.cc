#include "page_reader.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "hbk/innodb/page_image.h"

namespace hbk::backup {
namespace {

using innodb::PageVerdict;
using std::chrono::microseconds;
using namespace std::chrono_literals;

constexpr microseconds kFirstPause = 1ms;
constexpr microseconds kPauseMax = 100ms;
constexpr microseconds kPatience = 5s;
// A page with a good checksum that names another space is not torn; waiting hardly helps.
constexpr microseconds kPatienceForWrongSpace = 10ms;
// A file with many damaged pages would take hours: after these it is damage that is waited for.
constexpr uint32_t kDamagedWithPatience = 3;
constexpr microseconds kPatienceForMore = 50ms;
// Far more than a server keeps in use; the limit is for what only looks like versions.
constexpr size_t kKeyVersionsMax = 1000;

// Waits, longer each time, as long as there is patience left. False if there is none.
class Backoff {
 public:
  Backoff(microseconds patience, const Sleep& sleep) : patience_(patience), sleep_(sleep) {}

  bool Wait() {
    if (waited_ >= patience_) return false;
    sleep_(pause_);
    waited_ += pause_;
    pause_ = std::min(pause_ * 2, kPauseMax);
    return true;
  }

 private:
  const microseconds patience_;
  const Sleep& sleep_;
  microseconds waited_{0};
  microseconds pause_ = kFirstPause;
};

bool IsWhole(PageVerdict verdict) {
  return verdict == PageVerdict::kGood || verdict == PageVerdict::kZero;
}

void NoteKey(uint32_t version, PageNotes& notes) {
  if (version == 0) return;
  std::vector<uint32_t>& known = notes.key_versions;
  if (!known.empty() && known.back() == version) return;
  const bool is_known = std::find(known.begin(), known.end(), version) != known.end();
  if (!is_known && known.size() < kKeyVersionsMax) known.push_back(version);
}

}  // namespace

void SleepForReal(microseconds duration) {
  std::this_thread::sleep_for(duration);
}

std::string Describe(const PageFault& fault) {
  if (fault.is_gone) {
    return fmt::format("page {} at offset {}: beyond the end of the file", ToString(fault.page),
                       fault.offset);
  }
  const std::string detail = fault.detail.empty() ? "" : fmt::format(" ({})", fault.detail);
  return fmt::format("page {} at offset {}: {}{}", ToString(fault.page), fault.offset,
                     innodb::PageVerdictName(fault.verdict), detail);
}

PageReader::PageReader(io::File& file, PageLayout layout, Sleep sleep)
    : file_(file), layout_(std::move(layout)), sleep_(std::move(sleep)) {}

PageFault PageReader::At(uint64_t offset) const {
  PageFault fault;
  fault.offset = offset;
  fault.page.space = layout_.space_id;
  fault.page.page =
      layout_.first_page_no + static_cast<innodb::PageNo>(offset / layout_.flags.physical_size());
  return fault;
}

Result<std::optional<PageFault>> PageReader::HealPages(uint64_t offset, MutableByteView pages,
                                                       AlignedBuffer& scratch,
                                                       const std::stop_token& stop,
                                                       PageNotes& notes) {
  const size_t page_bytes = layout_.flags.physical_size();
  HBK_CHECK(offset % page_bytes == 0 && pages.size() % page_bytes == 0);
  for (size_t index = 0; index < pages.size(); index += page_bytes) {
    const MutableByteView page = pages.subspan(index, page_bytes);
    PageFault fault = At(offset + index);
    if (layout_.doublewrite && layout_.doublewrite->Contains(fault.page.page)) {
      std::fill(page.begin(), page.end(), uint8_t{0});
      continue;
    }
    fault.verdict = innodb::CheckImage(page, layout_.flags, fault.page);
    if (fault.verdict == PageVerdict::kZero) continue;
    if (fault.verdict != PageVerdict::kGood) {
      HBK_ASSIGN_OR_RETURN(const auto stayed, HealPage(fault, page, scratch, stop));
      if (stayed) return stayed;
      ++notes.retried_pages;
    }
    if (innodb::IsUnverifiable(page, layout_.flags)) {
      HBK_ASSIGN_OR_RETURN(const auto stayed, SettlePage(fault, page, scratch, stop));
      if (stayed) return stayed;
    }
    NoteKey(innodb::KeyVersionOf(page, layout_.flags, fault.page), notes);
    const size_t used = innodb::UsedBytes(page, layout_.flags);
    std::fill(page.begin() + static_cast<ptrdiff_t>(used), page.end(), uint8_t{0});
  }
  return std::optional<PageFault>();
}

// The page alone, between multiples of the alignment. Fewer bytes: the file ends there.
Result<ByteView> PageReader::ReadAgain(uint64_t offset, size_t page_bytes, AlignedBuffer& scratch) {
  const uint64_t begin = offset / io::kDirectAlignment * io::kDirectAlignment;
  const auto index = static_cast<size_t>(offset - begin);
  const size_t size =
      (index + page_bytes + io::kDirectAlignment - 1) / io::kDirectAlignment * io::kDirectAlignment;
  HBK_ASSIGN_OR_RETURN(const size_t got, file_.ReadAt(begin, scratch.view().first(size)));
  if (got < index + page_bytes) return ByteView();
  return ByteView(scratch.view()).subspan(index, page_bytes);
}

Result<std::optional<PageFault>> PageReader::HealPage(PageFault fault, MutableByteView page,
                                                      AlignedBuffer& scratch,
                                                      const std::stop_token& stop) {
  microseconds patience = damaged_count_ < kDamagedWithPatience ? kPatience : kPatienceForMore;
  if (fault.verdict == PageVerdict::kWrongSpaceId) patience = kPatienceForWrongSpace;
  Backoff backoff(patience, sleep_);
  do {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const ByteView image, ReadAgain(fault.offset, page.size(), scratch));
    if (image.empty()) {
      fault.is_gone = true;
      return std::optional<PageFault>(fault);
    }
    fault.verdict = innodb::CheckImage(image, layout_.flags, fault.page);
    std::copy(image.begin(), image.end(), page.begin());
    if (IsWhole(fault.verdict)) return std::optional<PageFault>();
  } while (backoff.Wait());
  ++damaged_count_;
  fault.detail = innodb::DescribeDamage(page, layout_.flags, fault.page);
  return std::optional<PageFault>(fault);
}

// A page that no checksum covers: until two reads agree.
Result<std::optional<PageFault>> PageReader::SettlePage(PageFault fault, MutableByteView page,
                                                        AlignedBuffer& scratch,
                                                        const std::stop_token& stop) {
  Backoff backoff(kPatience, sleep_);
  do {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const ByteView image, ReadAgain(fault.offset, page.size(), scratch));
    if (image.empty()) {
      fault.is_gone = true;
      return std::optional<PageFault>(fault);
    }
    if (std::equal(image.begin(), image.end(), page.begin())) return std::optional<PageFault>();
    std::copy(image.begin(), image.end(), page.begin());
    fault.verdict = innodb::CheckImage(page, layout_.flags, fault.page);
    if (!IsWhole(fault.verdict)) {
      HBK_ASSIGN_OR_RETURN(const auto stayed, HealPage(fault, page, scratch, stop));
      if (stayed) return stayed;
    }
    if (!innodb::IsUnverifiable(page, layout_.flags)) return std::optional<PageFault>();
  } while (backoff.Wait());
  fault.verdict = PageVerdict::kBadChecksum;
  fault.detail = "it does not come to rest";
  return std::optional<PageFault>(fault);
}

Result<innodb::FirstPage> ReadFirstPage(io::File& file, uint64_t file_size,
                                        uint32_t logical_page_size, AlignedBuffer& scratch,
                                        microseconds patience, const Sleep& sleep,
                                        const std::stop_token& stop) {
  Backoff backoff(patience, sleep);
  innodb::FirstPage page;
  do {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const size_t got,
                         file.ReadAt(0, scratch.view().first(innodb::kPageSizeMax)));
    page = innodb::ClassifyFirstPage(ByteView(scratch.view()).first(got), file_size,
                                     logical_page_size);
  } while (page.kind == innodb::FirstPageKind::kDamaged && backoff.Wait());
  return page;
}

}  // namespace hbk::backup
