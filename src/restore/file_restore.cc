#include "file_restore.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::restore {
namespace {

using filter::TreeDigest;

constexpr uint32_t kFileMode = 0660;           // as the server makes them
constexpr uint64_t kLargeBytesMin = 16 << 20;  // less may as well stay in the page cache
constexpr size_t kHoleBytes = 4096;            // the file has holes: keep the smallest ones
constexpr size_t kZeroPageBytes = 16384;       // it has none: spare pages never used

static_assert(TreeDigest::kChunkBytes % kZeroPageBytes == 0);

}  // namespace

FileRestore::FileRestore(const RestoreContext& context, const PlannedFile& file, Mode mode)
    : context_(context),
      file_(file),
      mode_(mode),
      size_(file.source.info.size),
      has_holes_(file.source.info.allocated_bytes < file.source.info.size),
      digest_(file.source.info.size) {}

Status FileRestore::Open() {
  const bool is_large = size_ >= kLargeBytesMin;
  HBK_ASSIGN_OR_RETURN(source_, context_.fs.Open(file_.source.path, {.direct = is_large}));
  if (mode_ == Mode::kCheckOnly) return OkStatus();
  HBK_ASSIGN_OR_RETURN(
      target_, context_.fs.Open(
                   file_.target,
                   {.write = true, .create = true, .write_behind = is_large, .mode = kFileMode}));
  context_.created.AddFile(file_.target);
  return OkStatus();
}

uint64_t FileRestore::ChunkBytes(uint64_t index) const {
  return std::min<uint64_t>(TreeDigest::kChunkBytes, size_ - index * TreeDigest::kChunkBytes);
}

Status FileRestore::ProcessChunk(uint64_t index, AlignedBuffer& buffer) {
  const uint64_t offset = index * TreeDigest::kChunkBytes;
  const auto bytes = static_cast<size_t>(ChunkBytes(index));
  if (has_holes_) {
    HBK_ASSIGN_OR_RETURN(const uint64_t data_offset, source_->SeekData(offset));
    if (data_offset >= offset + bytes) {
      digest_.AddZeroChunk(index);
      return OkStatus();
    }
  }
  // The whole buffer: a direct read takes no odd sizes. It ends with the file.
  HBK_ASSIGN_OR_RETURN(const size_t read_bytes, source_->ReadAt(offset, buffer.view()));
  if (read_bytes < bytes) {
    return CorruptionError(fmt::format("{}: became shorter than {} bytes while it was read",
                                       file_.source.path, size_));
  }
  const MutableByteView chunk = buffer.view().first(bytes);
  digest_.AddChunk(index, chunk);
  if (mode_ == Mode::kCheckOnly || file_.content) return OkStatus();
  const size_t hole_bytes = has_holes_ ? kHoleBytes : kZeroPageBytes;
  return target_->WriteSparse(offset, chunk, hole_bytes).status();
}

Status FileRestore::Finish() {
  const std::string& expected = file_.source.digest;
  if (!expected.empty()) {
    const std::string found = digest_.Finish();
    if (found != expected) {
      return CorruptionError(
          fmt::format("{}: its digest is {}, the manifest says {}: the file is "
                      "damaged",
                      file_.source.path, found, expected));
    }
  }
  HBK_RETURN_IF_ERROR(source_->Close());
  source_.reset();
  if (mode_ == Mode::kCheckOnly) return OkStatus();
  if (file_.content) HBK_RETURN_IF_ERROR(target_->WriteAt(0, AsBytes(*file_.content)));
  HBK_RETURN_IF_ERROR(target_->Truncate(file_.content ? file_.content->size() : size_));
  HBK_RETURN_IF_ERROR(target_->SetMode(kFileMode));
  HBK_RETURN_IF_ERROR(GiveTo(*target_, context_.owner));
  HBK_RETURN_IF_ERROR(target_->Sync());
  HBK_RETURN_IF_ERROR(target_->Close());
  target_.reset();
  return OkStatus();
}

}  // namespace hbk::restore
