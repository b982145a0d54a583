// Whether a backup of hbk has lost its manifest, or has that of another.
//
// Without the manifest it looks like one of mariadb-backup, and would be taken without a single
// digest. So it would with the manifest of a backup that is not prepared beside files that are:
// that is how it looks after mariadb-backup --prepare, which knows nothing of manifests.
//
// Errors   Those of the file system.
// Threads  Pure functions.
#pragma once

#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/mariadb_backup_files.h"

namespace hbk::manifest {

// The manifest is gone, but the rest says that hbk made it. `metadata`: null if there is none.
Result<bool> HasLostManifest(io::FileSystem& fs, const std::string& dir,
                             const MariadbBackupSet* metadata);

// kCorruption that says so.
Status LostManifest(const std::string& dir);

// Of a backup that is prepared, beside a manifest that says it is not: kCorruption if hbk has
// prepared it. hbk_chunks then tells of the files as they are now; mariadb-backup leaves it as it
// was. Without that file nothing is known, and it is taken for prepared by mariadb-backup.
Status CheckPreparedElsewhere(io::FileSystem& fs, const std::string& dir,
                              const BackupManifest& manifest);

}  // namespace hbk::manifest
