// How the files of a backup are got at when they lie there compressed.
//
// The manifest says how they lie there. It and the other metadata lie there as they are, so that
// they can be read by people and scripts.
//
// Errors   Those of LoadManifest; a directory without a manifest has plain files.
// Threads  The file systems: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::manifest {

// False for the files that are compressed; `name` is relative to the backup.
bool IsKeptAsItIs(std::string_view name);

// Shows the files of some backups as plain ones, and everything else as it is.
class StoredBackups {
 public:
  explicit StoredBackups(io::FileSystem& fs) : fs_(fs) {}

  // True if its files are stored otherwise than plain.
  Result<bool> Add(const std::string& backup_dir);
  [[nodiscard]] io::FileSystem& fs() { return layers_.empty() ? fs_ : *layers_.back(); }

 private:
  io::FileSystem& fs_;
  std::vector<std::unique_ptr<io::FileSystem>> layers_;  // each above the one before
};

}  // namespace hbk::manifest
