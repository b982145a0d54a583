#include <algorithm>

#include <fmt/format.h>

#include "hbk/innodb/page.h"

#include "page_records.h"

namespace hbk::redo {
namespace {

// Undo page header.
constexpr size_t kUndoType = innodb::kFilData + 0;
constexpr size_t kUndoStart = innodb::kFilData + 2;
constexpr size_t kUndoFree = innodb::kFilData + 4;
constexpr size_t kUndoNodePrev = innodb::kFilData + 6;  // page number, offset
constexpr size_t kUndoNodeNext = innodb::kFilData + 12;
constexpr size_t kUndoRecords = innodb::kFilData + 18;
constexpr size_t kUndoSegmentEnd = 86;  // a segment header, which UNDO_INIT keeps, ends here

// Each undo record stands between the offset of its end and that of its start.
constexpr size_t kUndoLinkBytes = 2;

}  // namespace

void InitUndoPage(MutableByteView frame) {
  StoreBe16(frame, innodb::kFilType, innodb::kPageUndoLog);
  StoreBe16(frame, kUndoType, 0);
  StoreBe16(frame, kUndoStart, kUndoRecords);
  StoreBe16(frame, kUndoFree, kUndoRecords);
  for (const size_t node : {kUndoNodePrev, kUndoNodeNext}) {
    StoreBe32(frame, node, UINT32_MAX);  // no page
    StoreBe16(frame, node + 4, 0);
  }
  std::fill(frame.begin() + kUndoSegmentEnd, frame.end() - innodb::kFilTrailer, uint8_t{0});
}

Status AppendUndo(MutableByteView frame, ByteView undo_record) {
  const size_t begin = LoadBe16(frame, kUndoFree);
  const size_t limit = frame.size() - innodb::kFilTrailer;
  if (begin < kUndoRecords || begin + undo_record.size() + 3 * kUndoLinkBytes >= limit)
    return CorruptionError(fmt::format("an undo record of {} bytes does not fit at offset {}",
                                       undo_record.size(), begin));
  const size_t end = begin + 2 * kUndoLinkBytes + undo_record.size();
  StoreBe16(frame, kUndoFree, static_cast<uint16_t>(end));
  StoreBe16(frame, begin, static_cast<uint16_t>(end));
  std::copy(undo_record.begin(), undo_record.end(), &frame[begin + kUndoLinkBytes]);
  StoreBe16(frame, end - kUndoLinkBytes, static_cast<uint16_t>(begin));
  return OkStatus();
}

}  // namespace hbk::redo
