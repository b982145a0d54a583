// Workers that share the ranges of many files: the biggest file first.
//
// A worker goes on in the file it is in; else it opens the next file; else it helps with a file
// that others are in. So small files fill the gaps, and the last huge file keeps all busy.
//
// A worker is two threads: one that reads and one that checks, encodes and writes, so that disk and
// processor work at the same time; and no more places are read at a time than there are workers.
// What was read goes to whichever of the second threads is free.
//
// Memory   Three chunks of kCopyBufferBytes a worker, and what a target holds of chunks that came
//          before their turn: nobody is more than kAheadRangesMax ranges ahead in a file.
// Threads  Run from one thread; it returns when all workers have ended.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bounded_queue.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"

#include "file_copy.h"

namespace hbk::backup {

class CopyPool {
 public:
  // `environment.stop` is replaced by one that also ends the other workers after an error.
  CopyPool(CopyEnvironment environment, std::vector<CopyJob> jobs, uint32_t workers);

  // Once. Results in the order of the jobs.
  Result<std::vector<CopyResult>> Run();

 private:
  static constexpr uint64_t kAheadRangesMax = 16;

  // A file, from its first range to its last.
  struct Slot {
    std::unique_ptr<FileCopy> copy;
    uint64_t range_count = 0;
    uint64_t next_range = 0;
    // Ranges that were begun and have not ended: of each, how many of its chunks are under way, and
    // one more while it is being read.
    std::map<uint64_t, uint32_t> begun;
    CopyResult result;
  };
  // Something to do: open the slot, or copy one range of it.
  struct Unit {
    Slot* slot = nullptr;
    std::optional<uint64_t> range;
  };
  // What was read and has to be stored.
  struct FullChunk {
    Unit unit;
    CopyPiece piece;
    size_t got = 0;
    AlignedBuffer bytes;
  };

  void ReadFiles();
  void StoreChunks();
  // Nothing: all is taken.
  std::optional<Unit> Take(Slot* current) HBK_EXCLUDES(mutex_);
  Slot* FindStarted(Slot* current) HBK_REQUIRES(mutex_);
  Status Open(Slot& slot, CopyBuffers& buffers) HBK_EXCLUDES(mutex_);
  Status ReadRange(const Unit& unit, AlignedBuffer& chunk);
  Status Store(FullChunk& full, CopyBuffers& buffers);
  void BeginChunk(const Unit& unit) HBK_EXCLUDES(mutex_);
  // Of a chunk, or of the reading of the range.
  Status End(const Unit& unit) HBK_EXCLUDES(mutex_);
  Status FinishSlot(Slot& slot);
  void Fail(const Status& status) HBK_EXCLUDES(mutex_);

  std::stop_source stop_source_;
  std::stop_callback<std::function<void()>> forward_stop_;
  CopyEnvironment environment_;
  std::vector<Slot> slots_;     // in the order of the jobs
  std::vector<Slot*> by_size_;  // biggest first
  const uint32_t workers_;
  BoundedQueue<FullChunk> full_;
  BoundedQueue<AlignedBuffer> free_;

  Mutex mutex_;
  CondVar changed_;
  size_t next_slot_ HBK_GUARDED_BY(mutex_) = 0;        // in by_size_
  std::vector<Slot*> started_ HBK_GUARDED_BY(mutex_);  // open, with ranges not yet taken
  size_t opening_count_ HBK_GUARDED_BY(mutex_) = 0;
  Status status_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::backup
