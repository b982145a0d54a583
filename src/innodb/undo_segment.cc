#include "hbk/innodb/undo_segment.h"

#include <string_view>

#include <fmt/format.h>

#include "hbk/innodb/page.h"

namespace hbk::innodb {
namespace {

// Header page of a rollback segment: the number of undo slots follows from the page size.
constexpr size_t kUndoSlots = kFilData + 4 + 4 + 16 + 10;
constexpr size_t kUndoSlotBytes = 4;
constexpr size_t kPageBytesPerUndoSlot = 16;
constexpr PageNo kNoPage = UINT32_MAX;

// First page of an undo segment.
constexpr size_t kUndoState = kFilData + 2 + 2 + 2 + 12;
constexpr size_t kUndoLastLog = kUndoState + 2;
constexpr size_t kUndoLogsBegin = kUndoLastLog + 2 + 10 + 16;
constexpr uint16_t kStateActive = 1;
constexpr uint16_t kStatePrepared = 5;

// From the start of the header of an undo log.
constexpr size_t kHasXid = 8 + 8 + 2 + 2;
constexpr size_t kXidFormat = kHasXid + 1 + 1 + 8 + 2 + 2 + 12;
constexpr size_t kXidGlobalSize = kXidFormat + 4;
constexpr size_t kXidBranchSize = kXidGlobalSize + 4;
constexpr size_t kXidData = kXidBranchSize + 4;
constexpr size_t kUndoLogHeaderBytes = kXidData + 128;

// The server's own XIDs: this, its server_id, a number.
constexpr uint32_t kServerXidFormat = 1;
constexpr std::string_view kServerXidPrefix = "MySQLXid";
constexpr uint32_t kServerXidBytes = 8 + 8 + 8;

}  // namespace

std::vector<PageNo> ParseUndoSegments(ByteView page) {
  HBK_CHECK(page.size() >= kUndoPageSizeMin);
  std::vector<PageNo> segments;
  const size_t slot_count = page.size() / kPageBytesPerUndoSlot;
  for (size_t slot = 0; slot < slot_count; ++slot) {
    const PageNo first_page = LoadBe32(page, kUndoSlots + slot * kUndoSlotBytes);
    if (first_page != kNoPage) segments.push_back(first_page);
  }
  return segments;
}

Result<bool> IsPreparedByServer(ByteView page) {
  HBK_CHECK(page.size() >= kUndoPageSizeMin);
  const uint16_t type = LoadBe16(page, kFilType);
  if (type != kPageUndoLog)
    return CorruptionError(fmt::format("page type {} instead of undo log", type));
  if (LoadBe16(page, kUndoState) != kStatePrepared) return false;
  const size_t log = LoadBe16(page, kUndoLastLog);
  if (log < kUndoLogsBegin || log + kUndoLogHeaderBytes > page.size() - kFilTrailer)
    return CorruptionError(fmt::format("an undo log header at offset {}", log));
  const ByteView header = page.subspan(log, kUndoLogHeaderBytes);
  return header[kHasXid] != 0 && LoadBe32(header, kXidFormat) == kServerXidFormat &&
         LoadBe32(header, kXidGlobalSize) == kServerXidBytes &&
         LoadBe32(header, kXidBranchSize) == 0 &&
         AsText(header.subspan(kXidData)).starts_with(kServerXidPrefix);
}

void MakeActive(MutableByteView page) {
  StoreBe16(page, kUndoState, kStateActive);
}

}  // namespace hbk::innodb
