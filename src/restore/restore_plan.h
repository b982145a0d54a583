// Where every file of a backup goes.
//
//   system tablespace   innodb_data_home_dir, by the order in innodb_data_file_path
//   undo001 ...         innodb_undo_directory
//   ib_logfile0         innodb_log_group_home_dir
//   aria_log*           aria_log_dir_path
//   DATA DIRECTORY      where the table's .isl file says, if nothing is there; else into the data
//                       directory, without the .isl file, and with a warning
//   everything else     the data directory
//
// Errors   kUsage: the target's innodb_data_file_path does not fit the backup's files.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"

#include "restore_source.h"

namespace hbk::restore {

struct PlannedFile {
  SourceFile source;
  std::string target;
};

struct RestorePlan {
  std::vector<PlannedFile> files;        // largest first
  std::vector<std::string> directories;  // to be there before the files; parents first
  std::vector<std::string> warnings;
};

Result<RestorePlan> MakeRestorePlan(io::FileSystem& fs, const RestoreSource& source,
                                    const datadir::Layout& layout);

}  // namespace hbk::restore
