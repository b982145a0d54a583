// The log file of a backup, while it is written: bytes are appended, a thread of its own writes.
//
// So a slow target stops the tailer only when it is kQueueChunks behind, not with each write.
//
// Memory   at most (kQueueChunks + 2) x kChunkBytes.
// Errors   The first failed write comes back from the next Append, and from Finish.
// Threads  Append and Finish from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bounded_queue.h"
#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

class RedoTarget {
 public:
  static constexpr size_t kChunkBytes = filter::TreeDigest::kChunkBytes;
  static constexpr size_t kQueueChunks = 64;

  // Creates the file; it must not exist.
  static Result<std::unique_ptr<RedoTarget>> Create(io::FileSystem& fs, const std::string& path);
  ~RedoTarget();
  RedoTarget(const RedoTarget&) = delete;
  RedoTarget& operator=(const RedoTarget&) = delete;

  Status Append(ByteView bytes);
  // Writes what is left, sets the size, syncs, closes. Called once.
  Status Finish();

  [[nodiscard]] uint64_t size() const { return size_; }
  // filter::TreeDigest; once it is finished.
  [[nodiscard]] std::string digest() const { return digest_.Finish(); }

 private:
  struct Chunk {
    uint64_t offset = 0;
    AlignedBuffer buffer;
    size_t used = 0;
  };

  explicit RedoTarget(std::unique_ptr<io::File> file);
  void WriteChunks();
  Status PushChunk();
  Status write_status() HBK_EXCLUDES(mutex_);

  std::unique_ptr<io::File> file_;
  uint64_t size_ = 0;
  filter::GrowingDigest digest_;  // by the writer
  Chunk chunk_;
  BoundedQueue<Chunk> queue_;
  // Used again: a new megabyte costs more than copying into it.
  BoundedQueue<AlignedBuffer> written_;
  Mutex mutex_;
  Status write_status_ HBK_GUARDED_BY(mutex_);
  std::thread writer_;
};

}  // namespace hbk::backup
