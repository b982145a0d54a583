// Writes through the page cache that do not fill it: what was written is sent to the disk soon and
// leaves the cache when it is there.
//
// A direct write waits for the disk, and one that lengthens a file for the writers before it. Here
// the kernel joins what is written to larger requests and has several of them under way, while the
// writer goes on; on ext4 a copy of 2 GB takes two thirds of the time (docs/benchmarks.md).
//
// Errors   An error of the write back is kept for error_number(): the kernel tells it once for each
//          open file, and waiting here may be what it is told to. syncfs() hears of it by itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "hbk/base/mutex.h"

#include "scoped_fd.h"

namespace hbk::io {

// What is on its way to the disk, of all files together: whoever adds too much of it waits for what
// was added first. Any thread.
class WriteBehindQueue {
 public:
  struct OpenFile {
    explicit OpenFile(int owned_fd) : fd(owned_fd) {}
    const ScopedFd fd;
    std::atomic<int> error_number{0};
  };

  // The file stays open as long as something of it is on its way.
  void Start(std::shared_ptr<OpenFile> file, uint64_t offset, uint64_t size) HBK_EXCLUDES(mutex_);
  // Until nothing is on its way.
  void Drain() HBK_EXCLUDES(mutex_);

 private:
  struct Range {
    std::shared_ptr<OpenFile> file;
    uint64_t offset = 0;
    uint64_t size = 0;
  };

  bool FinishOldest(uint64_t bytes_max, size_t ranges_max) HBK_EXCLUDES(mutex_);

  Mutex mutex_;
  std::deque<Range> ranges_ HBK_GUARDED_BY(mutex_);
  uint64_t bytes_ HBK_GUARDED_BY(mutex_) = 0;
};

// The writes of one file. Any thread, but for Finish.
class WriteBehind {
 public:
  // `fd` is duplicated. The queue is borrowed.
  WriteBehind(int fd, WriteBehindQueue& queue);

  // These bytes have been written. They start when they are many with those before them.
  void Wrote(uint64_t offset, uint64_t size) HBK_EXCLUDES(mutex_);
  // Starts the rest.
  void Finish() HBK_EXCLUDES(mutex_);
  // Of the first write back that failed; 0 if none did.
  [[nodiscard]] int error_number() const { return file_->error_number; }

 private:
  struct Run {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  const std::shared_ptr<WriteBehindQueue::OpenFile> file_;
  WriteBehindQueue& queue_;
  Mutex mutex_;
  std::vector<Run> runs_ HBK_GUARDED_BY(mutex_);  // not started; the one grown last is at the end
};

}  // namespace hbk::io
