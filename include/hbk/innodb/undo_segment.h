// Transactions that are open, as the pages of rollback segments know them.
//
// The header page of a rollback segment names its undo segments. Each transaction that has written
// something has one, whose first page says whether it is active or prepared, and by which XID. A
// server that starts rolls back what is active, and keeps what is prepared.
//
// Format   docs/format/innodb-pages.md, "Rollback segments".
// Errors   kCorruption: no page of an undo log; a log header that is not within it.
// Threads  Pure functions.
// Source   MariaDB Server 10.11, trx0rseg.h, trx0undo.h, handler.h (read, not copied); verified on
//          files of 10.5, 10.11 and 11.8.
#pragma once

#include <cstddef>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

constexpr size_t kUndoPageSizeMin = 4096;  // of all pages here

// `page` is the header page of a rollback segment. The first pages of its undo segments, which lie
// in the tablespace that it lies in; at most one for 16 bytes of the page.
std::vector<PageNo> ParseUndoSegments(ByteView page);

// `page` is the first page of an undo segment. True if its transaction is prepared, by an XID that
// the server made for two phases of its own: its binlog, or several engines. What a user has
// prepared has another XID.
Result<bool> IsPreparedByServer(ByteView page);

// Makes it active again, as a server does that begins to roll it back. The XID may stay: it means
// something to a prepared transaction only.
void MakeActive(MutableByteView page);

}  // namespace hbk::innodb
