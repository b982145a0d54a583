// What lies in a backup directory that its manifest does not know, and directories that are gone.
//
// Errors   Those of the file system.
// Threads  One.
#pragma once

#include "hbk/manifest/stored_backup.h"

#include "backup_facts.h"
#include "content_check.h"

namespace hbk::verify {

// Of a backup with a manifest. `raw` shows the files as they lie there; `keys` is asked if their
// names are sealed.
Status CheckDirectory(const BackupFacts& facts, io::FileSystem& raw, manifest::SealingKeyRing& keys,
                      CheckContext& context);

}  // namespace hbk::verify
