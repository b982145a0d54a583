#include "redo_target.h"

#include <algorithm>
#include <utility>

namespace hbk::backup {

Result<std::unique_ptr<RedoTarget>> RedoTarget::Create(io::FileSystem& fs,
                                                       const std::string& path) {
  // Direct: its thread may wait for the disk, and the copy into the page cache would be a quarter
  // of what the tailer costs.
  HBK_ASSIGN_OR_RETURN(
      auto file, fs.Open(path, {.write = true, .create = true, .direct = true, .mode = 0600}));
  return std::unique_ptr<RedoTarget>(new RedoTarget(std::move(file)));
}

RedoTarget::RedoTarget(std::unique_ptr<io::File> file)
    : file_(std::move(file)),
      queue_(kQueueChunks),
      // All that there are.
      written_(kQueueChunks + 2) {
  chunk_.buffer = AlignedBuffer(kChunkBytes);
  writer_ = std::thread([this] { WriteChunks(); });
}

RedoTarget::~RedoTarget() {
  queue_.Close();
  if (writer_.joinable()) writer_.join();
}

void RedoTarget::WriteChunks() {
  while (auto chunk = queue_.Pop()) {
    digest_.AddChunk(ByteView(chunk->buffer.view()).first(chunk->used));
    // Whole blocks: the file is cut to its size at the end.
    const size_t rounded =
        (chunk->used + io::kDirectAlignment - 1) / io::kDirectAlignment * io::kDirectAlignment;
    const MutableByteView padding = chunk->buffer.view().first(rounded).subspan(chunk->used);
    std::fill(padding.begin(), padding.end(), uint8_t{0});
    const Status status =
        file_->WriteAt(chunk->offset, ByteView(chunk->buffer.view()).first(rounded));
    if (status.ok()) {
      if (!written_.Push(std::move(chunk->buffer))) return;
      continue;
    }
    {
      const MutexLock lock(mutex_);
      write_status_ = status;
    }
    queue_.Close();
    return;
  }
}

Status RedoTarget::write_status() {
  const MutexLock lock(mutex_);
  return write_status_;
}

Status RedoTarget::PushChunk() {
  Chunk next;
  next.offset = chunk_.offset + chunk_.used;
  auto buffer = written_.TryPop();
  next.buffer = buffer ? std::move(*buffer) : AlignedBuffer(kChunkBytes);
  const bool is_taken = queue_.Push(std::exchange(chunk_, std::move(next)));
  if (!is_taken) return write_status();
  return OkStatus();
}

Status RedoTarget::Append(ByteView bytes) {
  while (!bytes.empty()) {
    const size_t part = std::min(bytes.size(), kChunkBytes - chunk_.used);
    std::copy_n(bytes.begin(), part, chunk_.buffer.data() + chunk_.used);
    chunk_.used += part;
    size_ += part;
    bytes = bytes.subspan(part);
    if (chunk_.used == kChunkBytes) HBK_RETURN_IF_ERROR(PushChunk());
  }
  return write_status();
}

Status RedoTarget::Finish() {
  if (chunk_.used > 0) HBK_RETURN_IF_ERROR(PushChunk());
  queue_.Close();
  writer_.join();
  HBK_RETURN_IF_ERROR(write_status());
  HBK_RETURN_IF_ERROR(file_->Truncate(size_));
  HBK_RETURN_IF_ERROR(file_->Sync());
  return file_->Close();
}

}  // namespace hbk::backup
