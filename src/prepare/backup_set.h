// What a directory given to prepare is: a backup of ours, one of mariadb-backup, or neither.
//
// A backup of ours has a manifest, which is believed; the metadata files of mariadb-backup that lie
// beside it only matter in that mariadb-backup may have prepared it meanwhile.
//
// Errors   kNotFound: no backup, or one that was never finished. kChainBroken: an increment, which
//          cannot be prepared by itself. kCorruption: metadata that cannot be right.
// Threads  A value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/mariadb_backup_files.h"

namespace hbk::prepare {

struct BackupSet {
  std::string dir;
  std::optional<manifest::BackupManifest> manifest;
  // Names and content of the metadata files; absent where a backup of ours has none.
  std::optional<manifest::MariadbBackupSet> metadata;

  bool is_prepared = false;
  // mariadb-backup prepared a backup of ours: what the manifest says of files is history.
  bool is_prepared_elsewhere = false;
  // Made of chosen tables only: redo of others has no file.
  bool is_partial = false;
  innodb::Lsn last_lsn = 0;               // the redo must reach it
  uint32_t page_size = 0;                 // innodb_page_size
  std::vector<std::string> system_files;  // names, in page order
  // What the backup recorded of the server; keys are found with it.
  keys::Settings settings;

  [[nodiscard]] std::string Path(std::string_view name) const { return io::JoinPath(dir, name); }
};

Result<BackupSet> OpenBackupSet(io::FileSystem& fs, const std::string& dir);

// Every file of the manifest is there with its size, metadata also with their digest, and there are
// no other tables. Before prepare has begun.
Status CheckManifestFiles(io::FileSystem& fs, const BackupSet& set);

}  // namespace hbk::prepare
