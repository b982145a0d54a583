// The prepared backup that is to be restored: which files, how large, with which digests.
//
// The manifest is believed where there is one: what it does not list is not restored. Without one
// it is mariadb-backup's directory, and everything in it that a server's data directory can hold
// belongs to it. A backup of ours that mariadb-backup has prepared is of the second kind: its
// manifest tells of the files as they were before.
//
// Errors   kNotFound: no backup. kFailed: not complete or not prepared. kCorruption: a file is
//          missing or has another size than the manifest says. kUnsupported: an increment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"

namespace hbk::restore {

struct SourceFile {
  std::string name;  // in the backup
  std::string path;
  datadir::FileKind kind = datadir::FileKind::kDefinition;
  io::FileInfo info;
  std::string digest;  // empty: not known
};

struct RestoreSource {
  std::string dir;
  std::vector<SourceFile> files;  // metadata files that no server directory gets are left out
  std::vector<std::string> databases;
  std::vector<datadir::SystemFile> system_files;  // by base name, in page order
  std::vector<std::string> claim_files;  // make the directory a backup: manifest, checkpoints
  std::vector<std::string> warnings;
  bool has_digests = false;

  [[nodiscard]] bool HasRocksdb() const;
};

Result<RestoreSource> OpenRestoreSource(io::FileSystem& fs, const std::string& backup_dir);

}  // namespace hbk::restore
