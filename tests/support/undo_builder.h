// Pages of rollback segments, for tests: what transactions there are, and in which state.
//
// Format   docs/format/innodb-pages.md, "Rollback segments". The checksums are not set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hbk/innodb/types.h"

namespace hbk::testing {

constexpr uint16_t kUndoActive = 1;
constexpr uint16_t kUndoCached = 2;
constexpr uint16_t kUndoPrepared = 5;
constexpr size_t kUndoStateOffset = 56;
constexpr size_t kUndoLogOffset = 86;  // of the log that MakeUndoPage makes

struct Xid {
  uint32_t format = 1;
  std::string global;
  std::string branch = {};
};

// As the server makes them for its binlog.
Xid MakeServerXid();
Xid MakeUserXid();

// Page 5 of the system tablespace.
std::string MakeTrxSysPage(size_t size, innodb::Lsn lsn,
                           const std::vector<innodb::PageId>& rollback_segments);
// The header page of a rollback segment.
std::string MakeRollbackSegmentPage(size_t size, innodb::PageId id, innodb::Lsn lsn,
                                    const std::vector<innodb::PageNo>& undo_segments);
// The first page of an undo segment.
std::string MakeUndoPage(size_t size, innodb::PageId id, innodb::Lsn lsn, uint16_t state,
                         const Xid& xid);

}  // namespace hbk::testing
