#include "tests/support/undo_builder.h"

#include "hbk/innodb/page.h"

#include "tests/support/page_builder.h"

namespace hbk::testing {

Xid MakeServerXid() {
  return {.format = 1, .global = std::string("MySQLXid\x02\0\0\0\0\0\0\0\x1e\0\0\0\0\0\0\0", 24)};
}

Xid MakeUserXid() {
  return {.format = 1, .global = "of a user", .branch = "b"};
}

std::string MakeTrxSysPage(size_t size, innodb::Lsn lsn,
                           const std::vector<innodb::PageId>& rollback_segments) {
  std::string page = MakePage(size, {.space = 0, .page = 5}, lsn, innodb::kPageTrxSys);
  page.replace(56, 128 * 8, 128 * 8, '\xFF');
  size_t at = 56;
  for (const innodb::PageId id : rollback_segments) {
    StoreBe32(MutableBytes(page), at, id.space);
    StoreBe32(MutableBytes(page), at + 4, id.page);
    at += 8;
  }
  return page;
}

std::string MakeRollbackSegmentPage(size_t size, innodb::PageId id, innodb::Lsn lsn,
                                    const std::vector<innodb::PageNo>& undo_segments) {
  std::string page = MakePage(size, id, lsn, innodb::kPageSys);
  page.replace(72, size / 4, size / 4, '\xFF');
  for (size_t slot = 0; slot < undo_segments.size(); ++slot)
    StoreBe32(MutableBytes(page), 72 + 4 * slot, undo_segments[slot]);
  return page;
}

std::string MakeUndoPage(size_t size, innodb::PageId id, innodb::Lsn lsn, uint16_t state,
                         const Xid& xid) {
  std::string page = MakePage(size, id, lsn, innodb::kPageUndoLog);
  const MutableByteView bytes = MutableBytes(page);
  StoreBe16(bytes, kUndoStateOffset, state);
  StoreBe16(bytes, kUndoStateOffset + 2, kUndoLogOffset);
  const MutableByteView log = bytes.subspan(kUndoLogOffset);
  log[20] = 1;
  StoreBe32(log, 46, xid.format);
  StoreBe32(log, 50, static_cast<uint32_t>(xid.global.size()));
  StoreBe32(log, 54, static_cast<uint32_t>(xid.branch.size()));
  const std::string data = xid.global + xid.branch;
  page.replace(kUndoLogOffset + 58, data.size(), data);
  return page;
}

}  // namespace hbk::testing
