// Describes a directory of mariadb-backup.
#pragma once

#include "hbk/info/backup_description.h"
#include "hbk/info/stored_files.h"

namespace hbk::info {

// False: the directory is none. What cannot be read is in the description's status.
bool DescribeForeign(io::FileSystem& fs, const StoredFiles& files, BackupDescription& description);

}  // namespace hbk::info
