// What must be true of the target before the first byte is written.
//
// Errors   kTargetInUse: a server has it open, a root is not empty, or a file is in the way.
//          kNoSpace: too little of it. kUsage: target and backup lie in each other.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"

#include "restore_plan.h"
#include "restore_source.h"

namespace hbk::restore {

// The path itself if it exists, else the nearest directory above it that does.
Result<std::string> NearestExisting(io::FileSystem& fs, const std::string& path);

// Neither the backup nor the target is open by a server, and they are apart.
Status CheckNotInUse(io::FileSystem& fs, const RestoreSource& source,
                     const datadir::Layout& layout);

// Roots are absent or empty; "lost+found", and a directory that leads to another root, are fine.
Status CheckRootsEmpty(io::FileSystem& fs, const datadir::Layout& layout);

// No file of the plan is there yet.
Status CheckNothingInTheWay(io::FileSystem& fs, const RestorePlan& plan);

// Each file system has room for what `plan` puts there. With `move`, files that stay on their file
// system need none.
Status CheckSpace(io::FileSystem& fs, const RestorePlan& plan, bool move);

}  // namespace hbk::restore
