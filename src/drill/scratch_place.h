// The directory in which a drill happens: made for it, and removed with all that is in it.
//
// Layout   data/ (the restored copy), tmp/, server.cnf, error.log, server.pid, server.sock. The
//          path of a socket fits 107 bytes: where it would be longer, it is in a directory of its
//          own below /tmp, which nobody else may enter.
// Errors   kTargetInUse: the directory is not empty; kUsage: it is, or is in, a backup.
// Threads  One at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::drill {

class ScratchPlace {
 public:
  struct Plan {
    std::string dir;                   // absolute
    std::vector<std::string> backups;  // which it must not be in
    bool is_kept = false;
  };
  static Result<std::unique_ptr<ScratchPlace>> Make(io::FileSystem& fs, Plan plan);
  // Removes it, unless it is kept or Remove() has.
  ~ScratchPlace();
  ScratchPlace(const ScratchPlace&) = delete;
  ScratchPlace& operator=(const ScratchPlace&) = delete;

  // Not made: prepare makes it.
  [[nodiscard]] std::string data_dir() const { return io::JoinPath(dir_, "data"); }
  [[nodiscard]] std::string tmp_dir() const { return io::JoinPath(dir_, "tmp"); }
  [[nodiscard]] std::string config_path() const { return io::JoinPath(dir_, "server.cnf"); }
  [[nodiscard]] std::string error_log() const { return io::JoinPath(dir_, "error.log"); }
  [[nodiscard]] std::string pid_path() const { return io::JoinPath(dir_, "server.pid"); }
  [[nodiscard]] std::string socket_path() const {
    return io::JoinPath(socket_dir_.empty() ? dir_ : socket_dir_, "server.sock");
  }
  [[nodiscard]] const std::string& dir() const { return dir_; }
  // In which the server writes.
  [[nodiscard]] std::vector<std::string> writable() const;

  // The first thing that could not be removed is named.
  Status Remove();

 private:
  ScratchPlace(io::FileSystem& fs, std::string dir, bool is_kept)
      : fs_(fs), dir_(std::move(dir)), is_kept_(is_kept) {}
  Status MakeDirectories();
  Status MakeSocketDirectory();

  io::FileSystem& fs_;
  const std::string dir_;
  std::string socket_dir_;  // empty: it is in dir_
  const bool is_kept_;
  bool is_made_ = false;  // the directory is ours
};

// Everything below; symlinks are removed, not followed.
Status RemoveTree(io::FileSystem& fs, const std::string& dir);

}  // namespace hbk::drill
