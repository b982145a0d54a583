// Which pages the server has changed between two LSNs, as its redo log names them.
//
// An increment reads only these of a tablespace file that the base has, and a share of the others,
// if the log still holds everything from the end of the base to the checkpoint at which the redo of
// the increment begins. Why no other page is needed: docs/design/0007-increments.md.
//
// What lies before the newest checkpoint may be overwritten at any time. Whether it was is told by
// the distance to the server's LSN alone, asked for after the reading; and the mini-transactions
// must follow each other from the first LSN exactly to the last one.
//
// Errors   kRedoOverrun: the log does not hold it any more. kUnsupported: an encrypted log.
//          kCorruption: the log does not go on. kInterrupted. The status of `read_lsn` as it is.
// Threads  ScanChangedPages: one. ChangedPages: a value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

using innodb::Lsn;
using innodb::PageNo;
using innodb::SpaceId;

struct ChangedPages {
  Lsn to = 0;                                    // what is changed from here on is not in it
  std::map<SpaceId, std::vector<PageNo>> pages;  // in order, each once
  std::set<SpaceId> remade;                      // whose file came, went or was renamed

  // Null: none.
  [[nodiscard]] const std::vector<PageNo>* Of(SpaceId space) const {
    const auto found = pages.find(space);
    return found == pages.end() ? nullptr : &found->second;
  }
};

struct ChangedPagesScan {
  std::string log_path;                   // the server's ib_logfile0
  Lsn from = 0;                           // a mini-transaction begins here
  Lsn to = 0;                             // and one here: the checkpoint
  std::function<Result<Lsn>()> read_lsn;  // asks the server for its LSN
};

Result<ChangedPages> ScanChangedPages(io::FileSystem& fs, const ChangedPagesScan& scan,
                                      const std::stop_token& stop);

}  // namespace hbk::backup
