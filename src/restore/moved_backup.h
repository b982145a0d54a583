// What becomes of a backup directory whose files are moved away: it stops to be a backup before the
// first of them goes.
//
// A marker is written, then the files that make it a backup (manifest, checkpoints) are set aside
// under names that say so: hbk_moved_*. A move that fails is undone; after one that was killed they
// tell, by hand, what belongs where. Once everything is in the target they go.
//
// Threads  One.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "restore_source.h"

namespace hbk::restore {

class MovedBackup {
 public:
  Status Begin(io::FileSystem& fs, const RestoreSource& source, const std::string& datadir);
  // After the files are back: it is a backup again. Nothing to do if Begin did nothing.
  Status Undo(io::FileSystem& fs, const RestoreSource& source);
  // After success. Removes files that were copied, what was set aside, and database directories
  // that are empty now.
  Status RemoveLeftovers(io::FileSystem& fs, const RestoreSource& source,
                         const std::vector<std::string>& copied);

 private:
  bool has_begun_ = false;
};

}  // namespace hbk::restore
