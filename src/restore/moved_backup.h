// What becomes of a backup directory whose files are moved away: it stops to be a backup before the
// first of them goes.
//
// A marker is written, then the files that make it a backup (manifest, checkpoints) are removed.
// Their content is kept, so that a move that fails can be undone.
//
// Threads  One.
#pragma once

#include <map>
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
  // Removes files that were copied, and database directories that are empty now.
  Status RemoveLeftovers(io::FileSystem& fs, const RestoreSource& source,
                         const std::vector<std::string>& copied);

 private:
  std::map<std::string, std::string> claims_;  // content by name
  bool has_begun_ = false;
};

}  // namespace hbk::restore
