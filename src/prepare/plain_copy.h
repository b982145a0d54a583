// How much of a file must be zeros to become a hole, when it is written out as a plain one.
#pragma once

#include <cstddef>

#include "hbk/manifest/backup_manifest.h"

namespace hbk::prepare {

// page_compressed pages live from their holes: there every block of the file system counts. Of
// other files only spare stretches do, or they would be cut into extents.
size_t HoleBytesOf(const manifest::ManifestFile& file);

}  // namespace hbk::prepare
