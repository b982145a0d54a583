#include "aria_page_reader.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace hbk::backup {

namespace {

using aria::PageState;
using namespace std::chrono_literals;

constexpr int kTries = 50;
constexpr auto kPause = 10ms;
// Between two reads that must agree: longer than a write of the server is interrupted for.
constexpr auto kPauseBetweenReads = 2ms;

}  // namespace

std::string Describe(const AriaPageFault& fault) {
  return fmt::format("page {} at offset {}: {}", fault.page_no, fault.offset,
                     fault.is_gone ? "beyond the end of the file" : "bad checksum");
}

AriaPageReader::AriaPageReader(io::File& file, aria::PageRules rules, Sleep sleep)
    : file_(file), rules_(rules), sleep_(std::move(sleep)) {}

Result<std::optional<AriaPageFault>> AriaPageReader::HealPages(uint64_t offset,
                                                               MutableByteView pages,
                                                               AlignedBuffer& scratch,
                                                               const std::stop_token& stop,
                                                               uint64_t& retried_pages) {
  const size_t page_bytes = rules_.block_bytes;
  HBK_CHECK(offset % page_bytes == 0 && pages.size() % page_bytes == 0);
  bool has_paused = false;
  for (size_t index = 0; index < pages.size(); index += page_bytes) {
    const MutableByteView page = pages.subspan(index, page_bytes);
    const uint64_t page_no = (offset + index) / page_bytes;
    const PageState state = aria::CheckPage(rules_, page_no, page);
    if (state == PageState::kGood) continue;
    // Once for all pages of one read.
    if (state == PageState::kUnverifiable && rules_.is_encrypted && !has_paused) {
      sleep_(kPauseBetweenReads);
      has_paused = true;
    }
    HBK_ASSIGN_OR_RETURN(const auto stayed, HealPage(offset + index, page, scratch, stop));
    if (stayed) return stayed;
    if (state == PageState::kBad) ++retried_pages;
  }
  return std::optional<AriaPageFault>();
}

Result<ByteView> AriaPageReader::ReadAgain(uint64_t offset, AlignedBuffer& scratch) {
  const uint64_t begin = offset / io::kDirectAlignment * io::kDirectAlignment;
  const auto index = static_cast<size_t>(offset - begin);
  const size_t size = (index + rules_.block_bytes + io::kDirectAlignment - 1) /
                      io::kDirectAlignment * io::kDirectAlignment;
  HBK_ASSIGN_OR_RETURN(const size_t got, file_.ReadAt(begin, scratch.view().first(size)));
  if (got < index + rules_.block_bytes) return ByteView();
  return ByteView(scratch.view()).subspan(index, rules_.block_bytes);
}

Result<std::optional<AriaPageFault>> AriaPageReader::HealPage(uint64_t offset, MutableByteView page,
                                                              AlignedBuffer& scratch,
                                                              const std::stop_token& stop) {
  AriaPageFault fault{offset / rules_.block_bytes, offset, false};
  for (int i = 0; i < kTries; ++i) {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const ByteView image, ReadAgain(offset, scratch));
    if (image.empty()) {
      fault.is_gone = true;
      return std::optional<AriaPageFault>(fault);
    }
    const bool is_same = std::equal(image.begin(), image.end(), page.begin());
    std::copy(image.begin(), image.end(), page.begin());
    const PageState state = aria::CheckPage(rules_, fault.page_no, page);
    if (state == PageState::kGood) return std::optional<AriaPageFault>();
    if (state == PageState::kUnverifiable && is_same) return std::optional<AriaPageFault>();
    sleep_(state == PageState::kBad ? kPause : kPauseBetweenReads);
  }
  return std::optional<AriaPageFault>(fault);
}

}  // namespace hbk::backup
