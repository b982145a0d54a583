#include "hbk/stream/sink_queue.h"

#include <algorithm>
#include <utility>

namespace hbk::stream {

SinkQueue::SinkQueue(std::unique_ptr<io::ByteSink> sink) : sink_(std::move(sink)) {
  writer_ = std::thread([this] { WriteBlocks(); });
}

SinkQueue::~SinkQueue() {
  Close();
}

void SinkQueue::Close() {
  {
    const MutexLock lock(mutex_);
    is_closed_ = true;
    has_blocks_.NotifyAll();
  }
  if (writer_.joinable()) writer_.join();
}

void SinkQueue::WriteBlocks() {
  Block block;
  while (true) {
    {
      const MutexLock lock(mutex_);
      block.clear();
      if (block.capacity() > 0 && free_.size() < kBlocksMax) free_.push_back(std::move(block));
      while (filled_.empty() && current_.empty() && !is_closed_)
        has_blocks_.Wait(mutex_);
      if (!filled_.empty()) {
        block = std::move(filled_.front());
        filled_.pop_front();
      } else if (!current_.empty()) {
        // The sink is idle: no reason to wait until the block is full.
        block = std::exchange(current_, {});
      } else {
        return;
      }
      has_room_.NotifyAll();
    }
    const Status status = sink_->Write(block);
    if (status.ok()) continue;
    const MutexLock lock(mutex_);
    status_ = status;
    has_room_.NotifyAll();
    return;
  }
}

Status SinkQueue::Append(std::span<const ByteView> pieces) {
  const MutexLock whole(append_mutex_);
  for (const ByteView piece : pieces)
    HBK_RETURN_IF_ERROR(AppendPiece(piece));
  return OkStatus();
}

Status SinkQueue::AppendPiece(ByteView piece) {
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(status_);
  byte_count_ += piece.size();
  while (!piece.empty()) {
    if (current_.size() == kBlockBytes) {
      while (filled_.size() >= kBlocksMax && status_.ok())
        has_room_.Wait(mutex_);
      HBK_RETURN_IF_ERROR(status_);
      // Else the writer has taken it meanwhile.
      if (current_.size() == kBlockBytes) filled_.push_back(std::exchange(current_, {}));
    }
    if (current_.capacity() == 0) {
      if (free_.empty()) {
        current_.reserve(kBlockBytes);
      } else {
        current_ = std::move(free_.back());
        free_.pop_back();
      }
    }
    const size_t part = std::min(piece.size(), kBlockBytes - current_.size());
    current_.insert(current_.end(), piece.begin(), piece.begin() + static_cast<ptrdiff_t>(part));
    piece = piece.subspan(part);
    has_blocks_.NotifyOne();
  }
  return OkStatus();
}

Status SinkQueue::Finish() {
  Close();
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(status_);
  return sink_->Finish();
}

uint64_t SinkQueue::byte_count() {
  const MutexLock lock(mutex_);
  return byte_count_;
}

}  // namespace hbk::stream
