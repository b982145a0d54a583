// Whether a directory without a manifest is a backup of hbk that has lost it.
//
// Without the manifest it looks like one of mariadb-backup, and would be taken without a single
// digest.
//
// Errors   Those of the file system.
// Threads  Pure functions.
#pragma once

#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/mariadb_backup_files.h"

namespace hbk::manifest {

// The manifest is gone, but the rest says that hbk made it. `metadata`: null if there is none.
Result<bool> HasLostManifest(io::FileSystem& fs, const std::string& dir,
                             const MariadbBackupSet* metadata);

// kCorruption that says so.
Status LostManifest(const std::string& dir);

}  // namespace hbk::manifest
