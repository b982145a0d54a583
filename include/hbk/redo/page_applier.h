// Applies redo records to one page image.
//
// The server's own recovery, record by record: docs/format/redo-log.md, "Applying". Verified to
// give the same bytes.
//
// Errors   kCorruption: record and page do not fit together (message says what was expected). The
//          frame may then be half changed: throw it away.
// Threads  Pure function.
#pragma once

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/types.h"

namespace hbk::redo {

// `records` is a run of whole page records of one mtr, all of page `id`, as they stand in the mtr
// body: the first carries the page id, the others are same-page records. `frame` is the page in
// memory form: physical_size bytes, not encrypted, not page_compressed. `is_zip` says
// ROW_FORMAT=COMPRESSED, where only INIT_PAGE, FREE_PAGE, WRITE, MEMSET and MEMMOVE are legal.
// The frame must say that it is page `id`, unless the run begins with INIT_PAGE or FREE_PAGE.
// Does not touch FIL_PAGE_LSN nor checksums: that is the caller's, once all runs are applied.
// OPTION and TRIM_PAGES change nothing: the latter is about a file.
// False if the run frees the page, else true.
Result<bool> ApplyRecords(ByteView records, MutableByteView frame, innodb::PageId id, bool is_zip);

// Whether a run begins with that record, so that the page need not be read before it is applied:
// what the page held, and all earlier runs of it, are of no interest.
bool IsInitPage(ByteView records);
bool IsFreePage(ByteView records);

}  // namespace hbk::redo
