#include "appended_file.h"

#include <algorithm>
#include <utility>

#include "hbk/base/check.h"

namespace hbk::store {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

}  // namespace

AppendedFile::AppendedFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}

AppendedFile::~AppendedFile() {
  (void)StopWriter();
}

Status AppendedFile::Append(ByteView bytes) {
  if (!file_->is_direct() && used_ == 0) {
    HBK_RETURN_IF_ERROR(file_->WriteAt(written_, bytes));
    written_ += bytes.size();
    return OkStatus();
  }
  while (!bytes.empty()) {
    if (buffer_.size() == 0) {
      buffer_ = AlignedBuffer(kBufferBytes);
      ++buffer_count_;
    }
    const size_t part = std::min(bytes.size(), kBufferBytes - used_);
    std::copy_n(bytes.begin(), part, buffer_.data() + used_);
    used_ += part;
    bytes = bytes.subspan(part);
    if (used_ == kBufferBytes) HBK_RETURN_IF_ERROR(HandOver());
  }
  return OkStatus();
}

Status AppendedFile::HandOver() {
  if (!writer_.joinable()) writer_ = std::thread([this] { WriteBuffers(); });
  if (!full_.Push({std::exchange(buffer_, AlignedBuffer()), written_})) return WriterError();
  written_ += std::exchange(used_, 0);
  if (buffer_count_ < kBuffersMax) return OkStatus();
  auto next = free_.Pop();
  if (!next) return WriterError();
  buffer_ = std::move(*next);
  return OkStatus();
}

void AppendedFile::WriteBuffers() {
  while (auto full = full_.Pop()) {
    const Status status = file_->WriteAt(full->offset, full->bytes.view());
    if (!status.ok()) {
      {
        const MutexLock lock(mutex_);
        status_ = status;
      }
      full_.Close();
      free_.Close();
      return;
    }
    // There is room for all.
    if (!free_.Push(std::move(full->bytes))) return;
  }
}

// All that was handed over is written, or the status says why not.
Status AppendedFile::StopWriter() {
  full_.Close();
  if (writer_.joinable()) writer_.join();
  const MutexLock lock(mutex_);
  return status_;
}

// As long as bytes are appended, only a writer that has failed closes the queues.
Status AppendedFile::WriterError() {
  const Status status = StopWriter();
  HBK_CHECK(!status.ok());
  return status;
}

Status AppendedFile::WriteRest() {
  const size_t rounded =
      (used_ + io::kDirectAlignment - 1) / io::kDirectAlignment * io::kDirectAlignment;
  std::fill_n(buffer_.data() + used_, rounded - used_, uint8_t{0});
  HBK_RETURN_IF_ERROR(file_->WriteAt(written_, ByteView(buffer_.view()).first(rounded)));
  written_ += std::exchange(used_, 0);
  return OkStatus();
}

Status AppendedFile::Finish() {
  HBK_RETURN_IF_ERROR(StopWriter());
  if (used_ == 0) return OkStatus();
  HBK_RETURN_IF_ERROR(WriteRest());
  // The last write was rounded up.
  return file_->Truncate(written_);
}

Status AppendedFile::Close() {
  const Status written = StopWriter();
  const Status closed = file_->Close();
  return written.ok() ? closed : written;
}

}  // namespace hbk::store
