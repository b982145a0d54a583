#include "encoding_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/check.h"

namespace hbk::store {
namespace {

using filter::kFileChunkBytes;

}  // namespace

EncodingFile::EncodingFile(std::unique_ptr<io::File> below, std::string path,
                           filter::FrameEncoderPool& pool)
    : path_(std::move(path)),
      below_(std::move(below)),
      writer_(pool, [this](ByteView bytes) { return AppendStored(bytes); }) {}

Status EncodingFile::Cannot(std::string_view what) const {
  return UnsupportedError(fmt::format("{} is stored encoded and cannot be {}", path_, what));
}

Result<size_t> EncodingFile::ReadAt(uint64_t /*offset*/, MutableByteView /*out*/) {
  return Cannot("read while it is written");
}

Status EncodingFile::WriteAt(uint64_t offset, ByteView data) {
  if (data.empty()) return OkStatus();
  is_begun_ = true;
  return announced_ ? WriteChunk(offset, data) : AppendBytes(offset, data);
}

Status EncodingFile::AppendStored(ByteView bytes) {
  HBK_RETURN_IF_ERROR(below_->WriteAt(stored_bytes_, bytes));
  stored_bytes_ += bytes.size();
  return OkStatus();
}

// There are no holes in an encoded file: what is zeros takes next to nothing.
Result<uint64_t> EncodingFile::WriteSparse(uint64_t offset, ByteView data, size_t /*hole_bytes*/) {
  HBK_RETURN_IF_ERROR(WriteAt(offset, data));
  return uint64_t{data.size()};
}

Status EncodingFile::SkipZeros(uint64_t offset, uint64_t size) {
  static const std::vector<uint8_t> zeros(kFileChunkBytes);
  HBK_CHECK(size <= zeros.size());
  return WriteAt(offset, ByteView(zeros).first(size));
}

// A write may be rounded up to whole blocks.
Status EncodingFile::WriteChunk(uint64_t offset, ByteView data) {
  HBK_CHECK(offset % kFileChunkBytes == 0 && offset < *announced_);
  const uint64_t size = std::min<uint64_t>(kFileChunkBytes, *announced_ - offset);
  HBK_CHECK(data.size() >= size);
  return writer_.Write(offset / kFileChunkBytes, data.first(size));
}

Status EncodingFile::AppendBytes(uint64_t offset, ByteView data) {
  const uint64_t held_begin = held_index_ * kFileChunkBytes;
  if (offset < held_begin || offset > held_begin + held_.size())
    return Cannot("written but from front to back");
  size_t at = offset - held_begin;
  for (;;) {
    const size_t part = std::min<size_t>(data.size(), kFileChunkBytes - at);
    held_.resize(std::max(held_.size(), at + part));
    std::copy_n(data.begin(), part, held_.begin() + static_cast<ptrdiff_t>(at));
    data = data.subspan(part);
    if (data.empty()) return OkStatus();
    HBK_RETURN_IF_ERROR(EncodeHeld());
    at = 0;
  }
}

Status EncodingFile::EncodeHeld() {
  if (held_.empty()) return OkStatus();
  HBK_RETURN_IF_ERROR(writer_.Write(held_index_, held_));
  ++held_index_;
  held_.clear();
  return OkStatus();
}

Status EncodingFile::Truncate(uint64_t size) {
  if (announced_) {
    if (size != *announced_) return Cannot("made shorter or longer");
    is_whole_ = true;
    return OkStatus();
  }
  if (!is_begun_) {
    announced_ = size;
    return OkStatus();
  }
  const uint64_t held_begin = held_index_ * kFileChunkBytes;
  if (size < held_begin || size > held_begin + held_.size())
    return Cannot("made shorter or longer");
  held_.resize(size - held_begin);
  return OkStatus();
}

Status EncodingFile::PunchHole(uint64_t /*offset*/, uint64_t /*size*/) {
  return Cannot("changed");
}

Status EncodingFile::Sync() {
  wants_sync_ = true;
  return OkStatus();
}

Result<io::FileInfo> EncodingFile::Stat() {
  return below_->Stat();
}

Result<uint64_t> EncodingFile::SeekData(uint64_t offset) {
  return offset;
}

Status EncodingFile::SetOwner(uint32_t uid, uint32_t gid) {
  return below_->SetOwner(uid, gid);
}

Status EncodingFile::SetMode(uint32_t mode) {
  return below_->SetMode(mode);
}

Status EncodingFile::Close() {
  if (std::exchange(is_closed_, true)) return OkStatus();
  const uint64_t size = announced_ ? *announced_ : held_index_ * kFileChunkBytes + held_.size();
  if (!announced_ || is_whole_ || size == 0) {
    HBK_RETURN_IF_ERROR(EncodeHeld());
    HBK_RETURN_IF_ERROR(writer_.Finish(size).status());
  }
  if (wants_sync_) HBK_RETURN_IF_ERROR(below_->Sync());
  return below_->Close();
}

}  // namespace hbk::store
