// `hbk copy-back` and `hbk move-back`: puts a prepared backup where a server can start on it.
//
// Everything is checked before the first byte is written: the set is prepared, all its files are
// there, the target roots are absent or empty, no server holds them, the space is enough. Digests
// are checked on the way; move-back reads them all before it moves anything.
//
// The system tablespace comes first and the redo log file last, each after what came before is
// durable: a server that finds one without the other refuses to start, so what a power cut or
// SIGKILL leaves cannot be taken for a whole instance. A run that fails removes what it has made,
// or moves back what it has moved.
//
// After move-back the backup directory has a marker instead of its manifest: it is no backup any
// more.
//
// Errors   kTargetInUse, kNoSpace, kCorruption (a file is missing, or its size or digest does not
//          fit), kFailed (not prepared), kNotFound (no backup), kUsage (layout or owner),
//          kMissingPrivilege (owner), kInterrupted.
// Threads  Run is called once, from the main thread; `stop` may be requested from any.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"
#include "hbk/report/reporter.h"

namespace hbk::restore {

struct RestoreOptions {
  std::string backup_dir;
  bool move = false;  // rename or copy and delete, instead of copy
  datadir::LayoutOptions target;
  // Where tables with DATA DIRECTORY go, instead of where they were. "/old=/new": those below /old
  // go below /new, and their .isl files say so; the longest /old that fits a table counts.
  std::vector<std::string> remap;
  bool local_tablespaces = false;  // all of them into the data directory, without .isl files
  bool force_non_empty_directories = false;  // existing files are still never overwritten
  // "user" or "user:group" or numbers; empty: owner of the target directory (of its parent, if it
  // is made by this run).
  std::string owner;
  uint32_t parallel = 0;  // 0: from the cores
};

struct RestoreSummary {
  uint64_t file_count = 0;
  uint64_t bytes = 0;
};

Result<RestoreSummary> RunRestore(const RestoreOptions& options, io::FileSystem& fs,
                                  report::Reporter& reporter, std::stop_token stop);

}  // namespace hbk::restore
