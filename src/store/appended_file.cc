#include "appended_file.h"

#include <algorithm>
#include <utility>

namespace hbk::store {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

}  // namespace

AppendedFile::AppendedFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}

Status AppendedFile::Append(ByteView bytes) {
  if (!file_->is_direct() && used_ == 0) {
    HBK_RETURN_IF_ERROR(file_->WriteAt(written_, bytes));
    written_ += bytes.size();
    return OkStatus();
  }
  if (buffer_.size() == 0) buffer_ = AlignedBuffer(kBufferBytes);
  while (!bytes.empty()) {
    const size_t part = std::min(bytes.size(), kBufferBytes - used_);
    std::copy_n(bytes.begin(), part, buffer_.data() + used_);
    used_ += part;
    bytes = bytes.subspan(part);
    if (used_ == kBufferBytes) HBK_RETURN_IF_ERROR(Flush());
  }
  return OkStatus();
}

Status AppendedFile::Flush() {
  const size_t rounded =
      (used_ + io::kDirectAlignment - 1) / io::kDirectAlignment * io::kDirectAlignment;
  std::fill_n(buffer_.data() + used_, rounded - used_, uint8_t{0});
  HBK_RETURN_IF_ERROR(file_->WriteAt(written_, ByteView(buffer_.view()).first(rounded)));
  written_ += used_;
  used_ = 0;
  return OkStatus();
}

Status AppendedFile::Finish() {
  if (used_ == 0) return OkStatus();
  HBK_RETURN_IF_ERROR(Flush());
  // The last write was rounded up.
  return file_->Truncate(written_);
}

}  // namespace hbk::store
