// Records applied to a page.
//
// Input: 1 byte of options, 2 bytes with the size of the page content that follows, that content,
// then a run of records. Page content shorter than the page is split: the second half goes to the
// end of the page, where the directory is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/innodb/page.h"
#include "hbk/redo/mini_transaction.h"
#include "hbk/redo/page_applier.h"

namespace {

constexpr size_t kOptionBytes = 3;
constexpr uint8_t kZipBit = 8;

// Exactly as big as the page, so that an access beyond it is seen.
std::vector<uint8_t> MakeFrame(size_t size, hbk::ByteView content) {
  std::vector<uint8_t> frame(size, 0);
  content = content.first(std::min(content.size(), size));
  const size_t head = content.size() == size ? size : content.size() / 2;
  std::copy_n(content.begin(), head, frame.begin());
  std::copy(content.rbegin(), content.rend() - static_cast<ptrdiff_t>(head), frame.rbegin());
  return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hbk;        // NOLINT(google-build-using-namespace)
  using namespace hbk::redo;  // NOLINT(google-build-using-namespace)
  if (size < kOptionBytes) return 0;
  const ByteView input(data, size);
  const size_t page_bytes = innodb::kPageSizeMin << std::min(input[0] & 7, 6);
  const bool is_zip = (input[0] & kZipBit) != 0;
  const ByteView rest = input.subspan(kOptionBytes);
  const size_t content_bytes = std::min<size_t>(LoadBe16(input, 1), rest.size());
  std::vector<uint8_t> frame = MakeFrame(page_bytes, rest.first(content_bytes));
  const std::vector<uint8_t> records(rest.begin() + static_cast<ptrdiff_t>(content_bytes),
                                     rest.end());

  // The page is the one that the first record names.
  RecordReader reader(records);
  RedoRecord first;
  const Result<bool> is_there = reader.Next(first);
  if (!is_there.ok() || !*is_there) return 0;
  StoreBe32(frame, innodb::kFilPageNo, first.page.page);
  StoreBe32(frame, innodb::kFilSpaceId, first.page.space);
  const Result<bool> is_changed = ApplyRecords(records, frame, first.page, is_zip);
  if (!is_changed.ok()) HBK_CHECK(is_changed.status().code() == StatusCode::kCorruption);
  return 0;
}
