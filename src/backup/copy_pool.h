// Threads that share the ranges of many files: the biggest file first.
//
// A reader goes on in the file it is in; else it opens the next file; else it helps with a file
// that others are in. So small files fill the gaps, and the last huge file keeps all busy.
//
// Others than the readers check, encode and write, so that disk and processor work at the same
// time: what was read goes to whichever of them is free. Only what is small is stored by whoever
// has read it.
//
// Of readers there are more for small files than for large ones. A large file is read at the speed
// of the disk by few, and more of them only take it from the server; small files are waited for one
// by one, and many wait for several at a time.
//
// Memory   A chunk of kCopyBufferBytes for each thread, and one more for each reader of large
//          files; and what a target holds of chunks that came before their turn: nobody is more
//          than kAheadRangesMax ranges ahead in a file.
// Threads  Run from one thread; it returns when all others have ended.
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

// How many threads do what.
struct CopyThreads {
  uint32_t large_readers = 1;  // of files of more than kSmallFileBytes; of any, too
  uint32_t small_readers = 0;  // besides
  uint32_t storers = 1;

  // For a user who has said `workers`.
  static CopyThreads Of(uint32_t workers);
};

class CopyPool {
 public:
  static constexpr uint64_t kSmallFileBytes = kCopyBufferBytes;

  // `environment.stop` is replaced by one that also ends the other threads after an error.
  CopyPool(CopyEnvironment environment, std::vector<CopyJob> jobs, const CopyThreads& threads);

  // Once. Results in the order of the jobs.
  Result<std::vector<CopyResult>> Run();

 private:
  static constexpr uint64_t kAheadRangesMax = 16;
  // Less is stored by whoever has read it: to wake another thread takes as long.
  static constexpr size_t kHandedOverBytesMin = 128 << 10;

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
  // One of the threads that read.
  struct Reader {
    bool takes_large = false;
    Slot* current = nullptr;
  };
  // What was read and has to be stored.
  struct FullChunk {
    Unit unit;
    CopyPiece piece;
    size_t got = 0;
    AlignedBuffer bytes;
  };

  void ReadFiles(bool takes_large);
  void StoreChunks();
  // Nothing: all is taken.
  std::optional<Unit> Take(const Reader& reader) HBK_EXCLUDES(mutex_);
  Slot* NextUnopened(const Reader& reader) HBK_REQUIRES(mutex_);
  Slot* FindStarted(const Reader& reader) HBK_REQUIRES(mutex_);
  Status Open(Slot& slot, CopyBuffers& buffers) HBK_EXCLUDES(mutex_);
  Status ReadRange(const Unit& unit, CopyBuffers& buffers);
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
  const CopyThreads threads_;
  BoundedQueue<FullChunk> full_;
  BoundedQueue<AlignedBuffer> free_;

  Mutex mutex_;
  CondVar changed_;
  size_t small_begin_ = 0;                             // in by_size_
  size_t next_large_ HBK_GUARDED_BY(mutex_) = 0;       // in by_size_
  size_t next_small_ HBK_GUARDED_BY(mutex_) = 0;       // in by_size_
  std::vector<Slot*> started_ HBK_GUARDED_BY(mutex_);  // open, with ranges not yet taken
  size_t opening_count_ HBK_GUARDED_BY(mutex_) = 0;
  Status status_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::backup
