// One prepare at a time on a directory, and none beside a server; and the mark that files are
// being changed.
//
// The lock file is there while prepare runs. It is empty until the first file of the backup is
// changed. From then on it says so, durably, until the backup is prepared: the next run knows
// that an earlier one was killed in the middle.
//
// Errors   kTargetInUse: another prepare holds the lock, or a server runs on the directory.
// Threads  One.
#pragma once

#include <memory>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "backup_set.h"

namespace hbk::prepare {

constexpr std::string_view kLockFileName = "hbk_prepare.lock";

class PrepareLock {
 public:
  static Result<std::unique_ptr<PrepareLock>> Take(io::FileSystem& fs, const std::string& dir);
  // Removes the lock file unless files were changed and Finish was not reached.
  ~PrepareLock();
  PrepareLock(const PrepareLock&) = delete;
  PrepareLock& operator=(const PrepareLock&) = delete;

  // An earlier run began to change files and did not come to its end.
  [[nodiscard]] bool was_interrupted() const { return was_interrupted_; }
  // To be called before the first change; returns once that is durable.
  Status BeginChanges();
  // The backup is prepared: nothing is to be repeated.
  Status Finish();

 private:
  PrepareLock(io::FileSystem& fs, std::string dir);

  io::FileSystem& fs_;
  std::string dir_;
  std::string path_;
  std::unique_ptr<io::File> file_;
  bool was_interrupted_ = false;
  bool is_changing_ = false;
};

// kTargetInUse if a server has the system tablespace open.
Status CheckNoServer(io::FileSystem& fs, const BackupSet& set);

}  // namespace hbk::prepare
