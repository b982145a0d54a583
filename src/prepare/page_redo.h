// Brings one page image forward by its redo.
//
// The rule is the server's: an mtr that starts below the page's LSN is in the page already; the
// page's LSN becomes the end LSN of the last mtr applied (docs/format/redo-log.md, "Applying").
//
// Errors   kCorruption: redo and page do not fit together.
// Threads  Pure function.
#pragma once

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

#include "partition_loader.h"

namespace hbk::prepare {

struct PageChange {
  bool is_changed = false;
  // The page carries an LSN of this redo that none of its entries ends at: somebody else changed
  // it.
  bool has_foreign_lsn = false;
};

// `frame` is the page as it is in the file; anything if it is rebuilt here. Sets the LSN of a
// changed page, not its checksums. `log_start` is where the redo begins.
Result<PageChange> ApplyPageRedo(const PageRedo& redo, MutableByteView frame, bool is_zip,
                                 innodb::Lsn log_start);

}  // namespace hbk::prepare
