// The names that an archive has had so far: what may become of them, and what is behind each.
//
// Errors   kCorruption: a name that is taken, missing, or needed by hbk itself.
// Threads  One.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::extract {

// Of the directory that files are kept in until the end.
constexpr std::string_view kWorkDirectoryName = "hbk_extracting";

class ExtractedNames {
 public:
  // Files that have lost their name, to be removed.
  using Dropped = std::vector<uint64_t>;

  // `replaces`: a closed file of that name goes. Directories above it are made.
  Result<Dropped> Open(const std::string& path, uint64_t file, bool replaces);
  void Close(uint64_t file);
  Result<Dropped> Rename(const std::string& from, const std::string& to);
  // A file, a directory with all in it, or all files that a pattern with * fits.
  // `may_be_missing`: mariadb-backup also removes what it has not sent, as tables that were dropped
  // before it came to them.
  Result<Dropped> Remove(const std::string& path, bool may_be_missing = false);
  // Of one that may be there already, because a file is in it.
  Status MakeDirectory(const std::string& path);
  Status RemoveDirectory(const std::string& path);

  // By path, those of a directory behind it.
  [[nodiscard]] const std::map<std::string, uint64_t>& files() const { return files_; }
  [[nodiscard]] const std::set<std::string>& directories() const { return directories_; }

 private:
  Status MakeDirectoriesAbove(const std::string& path);
  Status CheckNotOpen(uint64_t file, const std::string& path) const;
  Result<Dropped> RemovePattern(const std::string& pattern);
  Result<Dropped> RemoveTree(const std::string& path);

  std::map<std::string, uint64_t> files_;
  std::set<std::string> directories_;
  std::map<uint64_t, std::string> open_;
};

}  // namespace hbk::extract
