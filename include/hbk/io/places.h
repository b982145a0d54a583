// Where a path leads that need not exist yet: is it inside a certain directory?
//
// Symlinks count for what they lead to, so that a path says more than its text.
//
// Threads  Any.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::io {

bool IsSameDirectory(const FileInfo& a, const FileInfo& b);
// The deepest directory of the path that exists.
std::string ExistingAncestor(FileSystem& fs, std::string path);
// Which of the directories is the one of the path, or is above it; empty: none.
Result<std::string> FindAbove(FileSystem& fs, const std::string& path,
                              const std::vector<std::string>& dirs);

}  // namespace hbk::io
