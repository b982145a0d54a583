// Workers that share the ranges of many files: the biggest file first.
//
// A worker goes on in the file it is in; else it opens the next file; else it helps with a file
// that others are in. So small files fill the gaps, and the last huge file keeps all busy.
//
// Threads  Run from one thread; it returns when all workers have ended.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"

#include "file_copy.h"

namespace hbk::backup {

class CopyPool {
 public:
  // `environment.stop` is replaced by one that also ends the other workers after an error.
  CopyPool(CopyEnvironment environment, std::vector<CopyJob> jobs);

  // Results in the order of the jobs.
  Result<std::vector<CopyResult>> Run(uint32_t workers);

 private:
  // A file, from its first range to its last.
  struct Slot {
    std::unique_ptr<FileCopy> copy;
    bool is_open = false;
    uint64_t next_range = 0;
    uint64_t ranges_left = 0;
    CopyResult result;
  };
  // Something to do: open the slot, or copy one range of it.
  struct Unit {
    Slot* slot = nullptr;
    std::optional<uint64_t> range;
  };

  void Work();
  // Nothing: all is taken.
  std::optional<Unit> Take(Slot* current) HBK_EXCLUDES(mutex_);
  Slot* FindStarted(Slot* current) HBK_REQUIRES(mutex_);
  Status Do(const Unit& unit, CopyBuffers& buffers);
  Status FinishSlot(Slot& slot);
  void Fail(const Status& status) HBK_EXCLUDES(mutex_);

  std::stop_source stop_source_;
  std::stop_callback<std::function<void()>> forward_stop_;
  CopyEnvironment environment_;
  std::vector<Slot> slots_;     // in the order of the jobs
  std::vector<Slot*> by_size_;  // biggest first

  Mutex mutex_;
  CondVar changed_;
  size_t next_slot_ HBK_GUARDED_BY(mutex_) = 0;        // in by_size_
  std::vector<Slot*> started_ HBK_GUARDED_BY(mutex_);  // open, with ranges not yet taken
  size_t opening_count_ HBK_GUARDED_BY(mutex_) = 0;
  Status status_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::backup
