// The file system of a prepare, which notes what of each file is written.
//
// Everything that a run does to files goes through it, whoever does it, so that a chunk of which it
// does not know is one that the run has not changed. Files are told apart by device and inode:
// renames do not matter, and what is made new, or emptied, counts as written whole.
//
// Memory   A bit for each MiB of a file that is written to.
// Errors   Those of the other file system.
// Threads  As io::FileSystem demands; StartAgain while nobody else is at work.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/io/forwarding_file_system.h"

namespace hbk::prepare {

// Chunks of filter::TreeDigest. Which of a file were written to.
struct WrittenChunks {
  std::vector<bool> chunks;        // by number, as far as they go
  uint64_t all_from = UINT64_MAX;  // and all from this one on

  [[nodiscard]] bool Contains(uint64_t chunk) const {
    return chunk >= all_from || (chunk < chunks.size() && chunks[chunk]);
  }
};

class WriteWatch final : public io::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

  // Forgets what was written until now; files that are open go on to be watched.
  void StartAgain() HBK_EXCLUDES(mutex_);
  // Of the file that Stat() said this of.
  [[nodiscard]] WrittenChunks WrittenOf(const io::FileInfo& file) const HBK_EXCLUDES(mutex_);

  Result<std::unique_ptr<io::File>> Open(const std::string& path,
                                         const io::OpenOptions& options) override;

 private:
  friend class WatchedFile;
  // Of one file; lives as long as the watch and whoever has it open.
  class Record {
   public:
    void Note(uint64_t offset, uint64_t size) HBK_EXCLUDES(mutex_);
    void NoteAllFrom(uint64_t offset) HBK_EXCLUDES(mutex_);
    void Clear() HBK_EXCLUDES(mutex_);
    [[nodiscard]] WrittenChunks written() const HBK_EXCLUDES(mutex_);

   private:
    mutable Mutex mutex_;
    WrittenChunks written_ HBK_GUARDED_BY(mutex_);
  };

  mutable Mutex mutex_;
  std::map<std::pair<uint64_t, uint64_t>, std::shared_ptr<Record>> records_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::prepare
