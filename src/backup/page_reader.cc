#include "page_reader.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

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

}  // namespace

void SleepForReal(microseconds duration) {
  std::this_thread::sleep_for(duration);
}

std::string Describe(const PageFault& fault) {
  const std::string_view what =
      fault.is_gone ? "beyond the end of the file" : innodb::PageVerdictName(fault.verdict);
  return fmt::format("page {} at offset {}: {}", ToString(fault.page), fault.offset, what);
}

PageReader::PageReader(io::File& file, PageLayout layout, Sleep sleep)
    : file_(file), layout_(std::move(layout)), sleep_(std::move(sleep)) {}

Result<std::optional<PageFault>> PageReader::HealPages(uint64_t offset, MutableByteView pages,
                                                       AlignedBuffer& scratch,
                                                       const std::stop_token& stop,
                                                       uint64_t& retried_pages) {
  const size_t page_bytes = layout_.flags.physical_size();
  HBK_CHECK(offset % page_bytes == 0 && pages.size() % page_bytes == 0);
  for (size_t index = 0; index < pages.size(); index += page_bytes) {
    const MutableByteView page = pages.subspan(index, page_bytes);
    PageFault fault;
    fault.offset = offset + index;
    fault.page.space = layout_.space_id;
    fault.page.page =
        layout_.first_page_no + static_cast<innodb::PageNo>(fault.offset / page_bytes);
    if (layout_.doublewrite && layout_.doublewrite->Contains(fault.page.page)) {
      std::fill(page.begin(), page.end(), uint8_t{0});
      continue;
    }
    fault.verdict = innodb::CheckPage(page, layout_.flags, fault.page);
    if (IsWhole(fault.verdict)) continue;
    HBK_ASSIGN_OR_RETURN(const auto stayed, HealPage(fault, page, scratch, stop));
    if (stayed) return stayed;
    ++retried_pages;
  }
  return std::optional<PageFault>();
}

Result<std::optional<PageFault>> PageReader::HealPage(PageFault fault, MutableByteView page,
                                                      AlignedBuffer& scratch,
                                                      const std::stop_token& stop) {
  const uint64_t begin = fault.offset / io::kDirectAlignment * io::kDirectAlignment;
  const auto index = static_cast<size_t>(fault.offset - begin);
  const size_t size = (index + page.size() + io::kDirectAlignment - 1) / io::kDirectAlignment *
                      io::kDirectAlignment;
  Backoff backoff(fault.verdict == PageVerdict::kWrongSpaceId ? kPatienceForWrongSpace : kPatience,
                  sleep_);
  do {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const size_t got, file_.ReadAt(begin, scratch.view().first(size)));
    if (got < index + page.size()) {
      fault.is_gone = true;
      return std::optional<PageFault>(fault);
    }
    const ByteView image = ByteView(scratch.view()).subspan(index, page.size());
    fault.verdict = innodb::CheckPage(image, layout_.flags, fault.page);
    if (IsWhole(fault.verdict)) {
      std::copy(image.begin(), image.end(), page.begin());
      return std::optional<PageFault>();
    }
  } while (backoff.Wait());
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
