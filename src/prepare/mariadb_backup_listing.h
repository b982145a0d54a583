// What lies in an increment of mariadb-backup, once the DDL that it met is taken into account.
//
// It has of each tablespace file that there is in the end either the pages that changed
// (NAME.delta), or all of it ("t.new"). Which: docs/format/mariadb-backup-deltas.md.
//
// Errors   kCorruption: files that contradict each other. kUnsupported: compressed or encrypted
//          streams. kChainBroken: mariadb-backup has applied it already, and used it up.
// Threads  A value.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/scanner.h"
#include "hbk/delta/mariadb_backup_delta.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

struct ListedTablespace {
  std::string name;  // in the end
  std::string path;  // of the delta, or of the whole file
  datadir::FileKind kind = datadir::FileKind::kTablespace;
  bool is_whole = false;
  delta::MariadbBackupMeta meta;  // of a delta
};

struct MariadbBackupListing {
  std::vector<ListedTablespace> tablespaces;  // sorted by name
  std::vector<datadir::DataFile> others;
  std::vector<std::string> databases;
};

// `system_files`: base names of the files of the system tablespace.
Result<MariadbBackupListing> ListMariadbBackupIncrement(
    io::FileSystem& fs, const std::string& dir, const std::vector<std::string>& system_files);

}  // namespace hbk::prepare
