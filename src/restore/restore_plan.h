// Where every file of a backup goes.
//
//   system tablespace   innodb_data_home_dir, by the order in innodb_data_file_path
//   undo001 ...         innodb_undo_directory
//   ib_logfile0         innodb_log_group_home_dir
//   aria_log*           aria_log_dir_path
//   #rocksdb/*          rocksdb_datadir; its log files rocksdb_wal_dir
//   DATA DIRECTORY      where LinkPlacement says; by default where the table's .isl file says
//   everything else     the data directory
//
// A DATA DIRECTORY table comes home, into the data directory and without its .isl file, when its
// own place is taken, or lies in the data directory or in the backup; a warning says so. What is at
// that place may be the table of the server that was backed up: with an .isl file that leads there,
// the restored server would write to it.
//
// Errors   kUsage: the target's innodb_data_file_path does not fit the backup's files; a remap
//          leads into the data directory or the backup, or to a path that is too long.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"

#include "path_remap.h"
#include "restore_source.h"

namespace hbk::restore {

struct PlannedFile {
  SourceFile source;
  std::string target;
  // What is written instead of the source's bytes: a .isl file whose table goes elsewhere.
  std::optional<std::string> content = std::nullopt;
};

// What becomes of tables with DATA DIRECTORY.
struct LinkPlacement {
  PathRemap remap = {};
  bool brings_home = false;  // all of them, without a warning
};

struct RestorePlan {
  std::vector<PlannedFile> files;        // largest first
  std::vector<std::string> directories;  // to be there before the files; parents first
  std::vector<std::string> warnings;
};

Result<RestorePlan> MakeRestorePlan(io::FileSystem& fs, const RestoreSource& source,
                                    const datadir::Layout& layout, const LinkPlacement& links);

}  // namespace hbk::restore
