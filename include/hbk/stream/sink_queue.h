// What several threads write, on its way into one sink: a thread of its own empties the queue.
//
// Units    Sizes are bytes.
// Memory   kBlockBytes x (kBlocksMax + 2).
// Errors   The first one of the sink comes back from every Append after it, and from Finish.
// Threads  Append: any. Finish: one, when no Append is running any more.
#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/io/byte_stream.h"

namespace hbk::stream {

class SinkQueue {
 public:
  static constexpr size_t kBlockBytes = 1 << 20;
  static constexpr size_t kBlocksMax = 16;

  explicit SinkQueue(std::unique_ptr<io::ByteSink> sink);
  // Without Finish: what is in the queue is written, if the sink takes it.
  ~SinkQueue();
  SinkQueue(const SinkQueue&) = delete;
  SinkQueue& operator=(const SinkQueue&) = delete;

  // The pieces, one behind the other, with nothing of another call between them. Waits for room.
  Status Append(std::span<const ByteView> pieces) HBK_EXCLUDES(append_mutex_, mutex_);
  Status Append(std::initializer_list<ByteView> pieces) {
    return Append(std::span(pieces.begin(), pieces.size()));
  }
  // Everything is written, and the sink finished. Called once.
  Status Finish() HBK_EXCLUDES(mutex_);

  // So far, taken from Append.
  [[nodiscard]] uint64_t byte_count() HBK_EXCLUDES(mutex_);

 private:
  using Block = std::vector<uint8_t>;

  void WriteBlocks() HBK_EXCLUDES(mutex_);
  Status AppendPiece(ByteView piece) HBK_EXCLUDES(mutex_);
  void Close() HBK_EXCLUDES(mutex_);

  const std::unique_ptr<io::ByteSink> sink_;  // the thread's, until it has ended

  Mutex append_mutex_;  // keeps the pieces of a call together
  Mutex mutex_;
  CondVar has_room_;
  CondVar has_blocks_;
  std::deque<Block> filled_ HBK_GUARDED_BY(mutex_);
  Block current_ HBK_GUARDED_BY(mutex_);
  std::vector<Block> free_ HBK_GUARDED_BY(mutex_);
  uint64_t byte_count_ HBK_GUARDED_BY(mutex_) = 0;
  bool is_closed_ HBK_GUARDED_BY(mutex_) = false;
  Status status_ HBK_GUARDED_BY(mutex_);
  std::thread writer_;
};

}  // namespace hbk::stream
