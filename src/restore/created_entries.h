// What this run has made in the target, so that a failed run can take it back.
//
// Threads  Any.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "file_owner.h"

namespace hbk::restore {

class CreatedEntries {
 public:
  explicit CreatedEntries(io::FileSystem& fs) : fs_(fs) {}

  void AddFile(const std::string& path) HBK_EXCLUDES(mutex_);
  // The file was moved, not made: taking it back moves it back.
  void AddMove(const std::string& from, const std::string& to) HBK_EXCLUDES(mutex_);
  // Makes the directory and those above it that are missing, of mode 0700, for the owner.
  Status MakeDirectories(const std::string& path, FileOwner owner) HBK_EXCLUDES(mutex_);

  // Last made, first removed; goes on after a failure. What is left, one line each.
  std::vector<std::string> TakeBack() HBK_EXCLUDES(mutex_);

  // Makes the names durable: every directory that got an entry.
  Status SyncDirectories() HBK_EXCLUDES(mutex_);

 private:
  enum class Kind { kFile, kDirectory, kMove };
  struct Entry {
    Kind kind = Kind::kFile;
    std::string path;
    std::string from;  // of a move
  };

  Status TakeBackOne(const Entry& entry);

  io::FileSystem& fs_;
  Mutex mutex_;
  std::vector<Entry> entries_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::restore
