#include "buffered_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/base/check.h"

namespace hbk::stream {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

}  // namespace

// What is in the buffer moves to its front.
Status BufferedSource::Fill() {
  if (has_ended_) return OkStatus();
  buffer_.resize(kBufferBytes);
  std::copy(buffer_.begin() + static_cast<ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  const MutableByteView room = MutableByteView(buffer_).subspan(end_);
  HBK_ASSIGN_OR_RETURN(const size_t got, source_->Read(room));
  end_ += got;
  has_ended_ = got < room.size();
  return OkStatus();
}

Result<ByteView> BufferedSource::Peek(size_t size) {
  HBK_CHECK(size <= kPeekBytesMax);
  if (end_ - begin_ < size) HBK_RETURN_IF_ERROR(Fill());
  return ByteView(buffer_).subspan(begin_, std::min(size, end_ - begin_));
}

Result<bool> BufferedSource::IsAtEnd() {
  HBK_ASSIGN_OR_RETURN(const ByteView next, Peek(1));
  return next.empty();
}

Status BufferedSource::Read(MutableByteView out) {
  const uint64_t begin = offset_;
  const size_t buffered = std::min(out.size(), end_ - begin_);
  std::copy_n(buffer_.begin() + static_cast<ptrdiff_t>(begin_), buffered, out.begin());
  begin_ += buffered;
  offset_ += buffered;
  out = out.subspan(buffered);
  if (out.empty()) return OkStatus();
  if (out.size() < kBufferBytes) {
    HBK_RETURN_IF_ERROR(Fill());
    if (end_ - begin_ >= out.size()) return Read(out);
  } else if (!has_ended_) {
    // Past the buffer, which is empty.
    HBK_ASSIGN_OR_RETURN(const size_t got, source_->Read(out));
    offset_ += got;
    has_ended_ = got < out.size();
    if (!has_ended_) return OkStatus();
  }
  return CorruptionError(
      fmt::format("the stream is cut off: it ends within what begins at offset {}", begin));
}

}  // namespace hbk::stream
