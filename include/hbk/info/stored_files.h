// What lies in the directory of a backup: names and sizes, nothing is opened.
//
// Units    Bytes.
// Errors   Those of the file system. Symlinks are not followed. kFailed: deeper than any backup is.
// Threads  A pure function.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::info {

struct StoredFiles {
  std::set<std::string> names;  // of regular files, relative to the directory
  uint64_t bytes = 0;           // their sizes
  uint64_t disk_bytes = 0;      // what they take up: less where there are holes
};

Result<StoredFiles> ListStoredFiles(io::FileSystem& fs, const std::string& dir);

}  // namespace hbk::info
