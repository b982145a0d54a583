// Workers that restore or check many files at once: the largest first, huge ones shared.
//
// Threads  Run is called once, from one thread; it returns when all workers have ended. The first
//          error stops the others at the end of what they are at: 64 MiB at most.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/report/reporter.h"

#include "file_restore.h"
#include "restore_plan.h"

namespace hbk::restore {

// How far a phase is, of which several pools may be parts.
//
// Threads  Any.
class RestoreProgress {
 public:
  RestoreProgress(report::Reporter& reporter, uint64_t total_bytes)
      : reporter_(reporter), total_bytes_(total_bytes) {}

  void Add(uint64_t bytes) {
    reporter_.Progress(done_bytes_.fetch_add(bytes) + bytes, total_bytes_);
  }

 private:
  report::Reporter& reporter_;
  const uint64_t total_bytes_;
  std::atomic<uint64_t> done_bytes_{0};
};

class RestorePool {
 public:
  // Borrows `files`, which are to be sorted by size, the largest first, and `progress`.
  RestorePool(const RestoreContext& context, const std::vector<const PlannedFile*>& files,
              FileRestore::Mode mode, RestoreProgress& progress);

  Status Run(uint32_t worker_count) HBK_EXCLUDES(mutex_);

 private:
  // A file that is being worked on; several workers may hold it.
  struct Job {
    Job(const RestoreContext& context, const PlannedFile& file, FileRestore::Mode mode)
        : restore(context, file, mode) {}
    FileRestore restore;
    std::atomic<uint64_t> chunks_left{0};
  };
  // Chunks of a job; without a job: a file that nobody has opened yet.
  struct Task {
    const PlannedFile* file = nullptr;
    std::shared_ptr<Job> job;
    uint64_t first_chunk = 0;
    uint64_t end_chunk = 0;
  };

  void Work() HBK_EXCLUDES(mutex_);
  std::optional<Task> Next() HBK_EXCLUDES(mutex_);
  Status Do(Task task, AlignedBuffer& buffer) HBK_EXCLUDES(mutex_);
  // Opens the file and shares its ranges out. The last of them is left in `task`.
  Status OpenFile(Task& task) HBK_EXCLUDES(mutex_);
  void Fail(const Status& status) HBK_EXCLUDES(mutex_);

  const RestoreContext context_;
  const std::vector<const PlannedFile*>& files_;
  const FileRestore::Mode mode_;
  RestoreProgress& progress_;

  Mutex mutex_;
  CondVar changed_;
  size_t next_file_ HBK_GUARDED_BY(mutex_) = 0;
  std::deque<Task> ranges_ HBK_GUARDED_BY(mutex_);
  uint32_t opening_count_ HBK_GUARDED_BY(mutex_) = 0;
  std::optional<Status> failure_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::restore
