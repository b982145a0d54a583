#include "file_target.h"

#include <algorithm>
#include <utility>

#include "file_digest.h"

namespace hbk::backup {
namespace {

// All-zero stretches of this size and alignment are left out. Smaller ones would only cut the file
// into extents.
constexpr size_t kHoleBytes = 64 << 10;
constexpr size_t kSmallHoleBytes = io::kDirectAlignment;

}  // namespace

Result<std::unique_ptr<CopyTarget>> FileTarget::Create(io::FileSystem& fs, Options options) {
  const bool is_large = options.size >= kLargeBytesMin;
  HBK_ASSIGN_OR_RETURN(
      auto file, fs.Open(options.path,
                         {.write = true, .create = true, .write_behind = is_large, .mode = 0600}));
  // The whole size at once: ranges arrive in any order, and what is not written stays a hole.
  if (options.size > 0) HBK_RETURN_IF_ERROR(file->Truncate(options.size));
  return std::unique_ptr<CopyTarget>(new FileTarget(fs, std::move(options), std::move(file)));
}

FileTarget::FileTarget(io::FileSystem& fs, Options options, std::unique_ptr<io::File> file)
    : fs_(fs), options_(std::move(options)), file_(std::move(file)), digest_(options_.size) {}

Status FileTarget::Write(const FileChunk& chunk) {
  const ByteView bytes = chunk.bytes.first(chunk.size);
  digest_.AddChunk(chunk.offset / kCopyBufferBytes, bytes);
  HBK_ASSIGN_OR_RETURN(const uint64_t written,
                       file_->WriteSparse(chunk.offset, bytes,
                                          options_.has_small_holes ? kSmallHoleBytes : kHoleBytes));
  written_bytes_ += written;
  return OkStatus();
}

Status FileTarget::SkipHole(uint64_t offset) {
  digest_.AddZeroChunk(offset / kCopyBufferBytes);
  return file_->SkipZeros(offset, std::min(kCopyBufferBytes, options_.size - offset));
}

Status FileTarget::Finish(uint64_t size, CopyResult& result) {
  // What is encoded cannot be cut off. An undo tablespace may be longer than it need be: its
  // truncation is in the redo log. The other files that become shorter are copied again.
  if (file_->is_encoded() && size < options_.size) {
    HBK_RETURN_IF_ERROR(SkipRest());
    size = options_.size;
  }
  result.size = size;
  result.written_bytes = written_bytes_;
  if (file_->is_encoded() || size != options_.size) HBK_RETURN_IF_ERROR(file_->Truncate(size));
  HBK_RETURN_IF_ERROR(file_->Close());
  if (size == options_.size) {
    result.digest = digest_.Finish();
    result.chunk_hashes = digest_.chunk_hashes();
    return OkStatus();
  }
  HBK_ASSIGN_OR_RETURN(result.digest, DigestOfFile(fs_, options_.path, size));
  return OkStatus();
}

Status FileTarget::SkipRest() {
  for (uint64_t index = 0; index < digest_.chunk_count(); ++index)
    if (!digest_.IsAdded(index)) HBK_RETURN_IF_ERROR(SkipHole(index * kCopyBufferBytes));
  return OkStatus();
}

Status FileTarget::Discard() {
  HBK_RETURN_IF_ERROR(file_->Close());
  return fs_.Remove(options_.path);
}

}  // namespace hbk::backup
