// Lists what of a data directory belongs into a backup.
//
// Errors   A file that vanishes between listing and stat() is left out: tables are dropped while
//          we look. Everything else is an error.
// Threads  One scan per call; any.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"

namespace hbk::datadir {

struct DataFile {
  std::string name;         // in the backup: "ibdata1", "undo001", "db/t.ibd". At most one slash.
  std::string source_path;  // where it is now; a DATA DIRECTORY table is followed to its place
  FileKind kind = FileKind::kDefinition;
  io::FileInfo info;  // of the file itself, symlinks followed
};

struct Scan {
  std::vector<DataFile> files;         // sorted by name
  std::vector<std::string> databases;  // directory names, also of empty ones
  std::vector<std::string> warnings;   // what was left out and a user might miss
};

struct ScanOptions {
  std::vector<std::string> ignore_db_dirs;  // @@ignore_db_dirs, split
};

Result<Scan> ScanDatadir(io::FileSystem& fs, const Layout& layout, const ScanOptions& options);

}  // namespace hbk::datadir
