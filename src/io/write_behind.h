// Writes through the page cache that do not fill it: what was written is sent to the disk soon and
// leaves the cache when it is there.
//
// A direct write waits for the disk, and one that lengthens a file for the writers before it. Here
// the kernel joins what is written to larger requests and has several of them under way, while the
// writer goes on; on ext4 a copy of 2 GB takes two thirds of the time (docs/benchmarks.md).
//
// Errors   The kernel tells an error of the write back to whoever asks first: that may be the wait
//          here, for a file that is closed by then, and whoever syncs it later by its name would
//          hear nothing. So the first error is kept for good, and every Sync asks for it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"

#include "scoped_fd.h"

namespace hbk::io {

// What is on its way to the disk, of all files together: whoever adds too much of it waits for what
// was added first. Any thread.
class WriteBehindQueue {
 public:
  struct OpenFile {
    OpenFile(int owned_fd, std::string name) : fd(owned_fd), path(std::move(name)) {}
    const ScopedFd fd;
    const std::string path;
  };

  // The file stays open as long as something of it is on its way.
  void Start(std::shared_ptr<OpenFile> file, uint64_t offset, uint64_t size) HBK_EXCLUDES(mutex_);
  // Until nothing is on its way.
  void Drain() HBK_EXCLUDES(mutex_);
  // Of the first write back that failed; of what is on its way nothing is known. It waits for those
  // that are being asked about: what was synced before this is called cannot have failed unheard.
  Status status() HBK_EXCLUDES(mutex_);

 private:
  struct Range {
    std::shared_ptr<OpenFile> file;
    uint64_t offset = 0;
    uint64_t size = 0;
  };

  bool FinishOldest(uint64_t bytes_max, size_t ranges_max) HBK_EXCLUDES(mutex_);
  void Note(const OpenFile& file, int error_number) HBK_EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar asked_;
  std::deque<Range> ranges_ HBK_GUARDED_BY(mutex_);
  uint64_t bytes_ HBK_GUARDED_BY(mutex_) = 0;
  size_t asking_ HBK_GUARDED_BY(mutex_) = 0;  // threads that wait for the kernel's answer
  Status status_ HBK_GUARDED_BY(mutex_);
};

// The writes of one file. Any thread, but for Finish.
class WriteBehind {
 public:
  // `fd` is duplicated. The queue is borrowed.
  WriteBehind(int fd, const std::string& path, WriteBehindQueue& queue);

  // These bytes have been written. They start when they are many with those before them.
  void Wrote(uint64_t offset, uint64_t size) HBK_EXCLUDES(mutex_);
  // Starts the rest.
  void Finish() HBK_EXCLUDES(mutex_);

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
