// A copy of a backup for `--output-dir`, so that the backup itself stays as it is.
//
// Blocks are shared where the file system can; else each file is checked against its digest in the
// manifest. Until the copy is prepared it has no manifest, the marker hbk_incomplete, and a
// checkpoints file that says unfinished: nothing takes for a backup what a killed run has left.
//
// Errors   kUsage: one directory is, or lies inside, another. kTargetInUse: the directory of the
//          copy is not empty, or the backup is being changed, or a killed prepare has changed it
//          by half. kNoSpace: before anything is copied, if that can be foreseen. kCorruption: a
//          file is not what the manifest says.
// Threads  One; workers are started inside.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/report/reporter.h"

#include "backup_set.h"

namespace hbk::prepare {

class OutputCopy {
 public:
  struct Places {
    std::string base;
    std::vector<std::string> increments;
    std::string output;
  };
  struct File {
    std::string name;
    io::FileInfo info;
  };

  // Makes nothing yet. What the caller knows of the base is to be read after this: Make() fails
  // if the base has changed since.
  static Result<std::unique_ptr<OutputCopy>> Open(io::FileSystem& fs, Places places);
  // Removes the copy unless it was finished.
  ~OutputCopy();  // NOLINT(bugprone-exception-escape): only want of memory throws
  OutputCopy(const OutputCopy&) = delete;
  OutputCopy& operator=(const OutputCopy&) = delete;

  // Durable when it returns. `extra_bytes`: what will come on top of the base.
  Status Make(const BackupSet& base, uint64_t extra_bytes, uint32_t worker_count,
              report::Reporter& reporter, const std::stop_token& stop);
  // The copy is prepared, and a backup from here on.
  Status Finish();
  // After Make: files share blocks with those of the base, and were not read.
  [[nodiscard]] bool is_sharing() const { return is_sharing_; }

 private:
  OutputCopy(io::FileSystem& fs, Places places) : fs_(fs), places_(std::move(places)) {}

  [[nodiscard]] std::string From(std::string_view name) const;
  [[nodiscard]] std::string To(std::string_view name) const;
  Status ListBase(const std::string& directory);
  Status CheckBaseAtRest() const;
  Status CheckBaseUnchanged() const;
  Status MakeDirectories();
  Status CheckSpace(const BackupSet& base, uint64_t extra_bytes);
  Status CopyFile(const std::string& name, const manifest::ManifestFile* known,
                  const std::stop_token& stop) const;
  Status CheckDigest(const std::string& name, const std::string& digest,
                     const std::stop_token& stop) const;
  Status WriteCheckpoints(const BackupSet& base) const;
  Status SyncDirectories() const;

  io::FileSystem& fs_;
  const Places places_;
  std::vector<File> files_;  // all of the base, by name
  std::vector<std::string> directories_;
  std::string checkpoints_;  // name; empty: there is none
  bool is_sharing_ = false;  // blocks
  bool is_made_ = false;     // the marker is there
  bool is_new_directory_ = false;
};

}  // namespace hbk::prepare
