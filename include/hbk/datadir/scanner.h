// Lists what of a data directory belongs into a backup, and what a backup directory holds.
//
// The files of MyRocks are not listed in a data directory: only a checkpoint of them can be copied.
//
// A data directory is spread out and alive: symlinked databases, symlinked MyISAM and Aria files
// and the .isl files of DATA DIRECTORY tables are followed. A backup is flat and at rest: one root,
// one level of database directories, and nothing in it is a symlink.
//
// Format   docs/format/data-directory.md, docs/format/backup-directory.md.
// Errors   A file that vanishes between listing and stat() is left out: tables are dropped while
//          we look. Everything else is an error; kNotFound: the directory or a system file is
//          missing. In a backup: kCorruption for a symlink.
// Threads  One scan per call; any.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_identity.h"
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
  // Directories of databases, by database, for the next scan: those in which a file that comes,
  // goes or gets another name after this scan will show in the directory's times, and that have
  // nothing but files of their own.
  std::map<std::string, io::FileIdentity, std::less<>> settled;
  // What SetAside() took out of `files`, by database, each sorted by name. The next scan hands it
  // on untouched, unless the directory is not as it was: then the database is not here any more.
  std::map<std::string, std::vector<DataFile>, std::less<>> aside;
};

// For a scan that others wait for: takes files of settled databases out of `files` whose fate
// depends on nothing but their being there under their names.
void SetAside(Scan& scan, const std::function<bool(const DataFile&)>& is_decided);
// Puts them back: those of a database, those of all.
void BringBack(Scan& scan, std::string_view database);
void BringBackAll(Scan& scan);
// Whether there is such a file, set aside or not.
bool HasFile(const Scan& scan, std::string_view name);

// The path in a .isl file, whose server-side name is `db`/`table`.isl. kCorruption unless it is
// absolute and ends in a directory and `table`.ibd. (The directory is that of the database in which
// the table was created; RENAME TABLE to another one does not move the file.)
Result<std::string> ParseTablespaceLink(std::string_view text, std::string_view isl_name);

struct ScanOptions {
  std::vector<std::string> ignore_db_dirs;  // @@ignore_db_dirs, split
  // Files of a database of which nothing is asked but that they are the same as in the scan before:
  // they are not looked at while their directory is as it was then. Null: all are looked at.
  std::function<bool(const DataFile&)> needs_no_look;
};

// `before` is an earlier scan of the same data directory, or an empty one. What is known of it
// saves looking at files one by one, on file systems that keep times (FileSystem::KeepsFileTimes).
Result<Scan> ScanDatadir(io::FileSystem& fs, const Layout& layout, const ScanOptions& options,
                         Scan before = {});

// Files of every kind, redo log and metadata files too; `source_path` is `dir`/`name`. System files
// are those in `system_files`, by base name. Unknown files are ignored.
Result<Scan> ScanBackupDirectory(io::FileSystem& fs, const std::string& dir,
                                 const std::vector<SystemFile>& system_files);

// Names of mariadb-backup's notes of DDL that ran during its backup, which its prepare carries out:
// "db/t.new" (a later copy of the tablespace), "db/t.ren", "db/t.del".
Result<std::vector<std::string>> ListPendingDdl(io::FileSystem& fs, const std::string& dir);

}  // namespace hbk::datadir
