#include "file_restore.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::restore {
namespace {

using filter::TreeDigest;

constexpr uint32_t kFileMode = 0660;            // as the server makes them
constexpr uint64_t kDirectBytesMin = 16 << 20;  // less is not worth its synchronous writes
constexpr uint64_t kHoleBytes = 4096;           // the file has holes: keep the smallest ones
constexpr uint64_t kZeroPageBytes = 16384;      // it has none: spare pages never used

static_assert(TreeDigest::kChunkBytes % kZeroPageBytes == 0);
static_assert(kHoleBytes == io::kDirectAlignment);

}  // namespace

FileRestore::FileRestore(const RestoreContext& context, const PlannedFile& file, Mode mode)
    : context_(context),
      file_(file),
      mode_(mode),
      size_(file.source.info.size),
      has_holes_(file.source.info.allocated_bytes < file.source.info.size),
      digest_(file.source.info.size) {}

Status FileRestore::Open() {
  // What has holes is written in small pieces, which the page cache joins.
  const bool direct = size_ >= kDirectBytesMin && !has_holes_;
  HBK_ASSIGN_OR_RETURN(source_, context_.fs.Open(file_.source.path, {.direct = direct}));
  if (mode_ == Mode::kCheckOnly) return OkStatus();
  HBK_ASSIGN_OR_RETURN(
      target_,
      context_.fs.Open(file_.target,
                       {.write = true, .create = true, .direct = direct, .mode = kFileMode}));
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
  return WriteChunk(offset, chunk, buffer);
}

Status FileRestore::WriteChunk(uint64_t offset, MutableByteView bytes, AlignedBuffer& buffer) {
  const uint64_t granule = has_holes_ ? kHoleBytes : kZeroPageBytes;
  size_t end = bytes.size();
  if (target_->is_direct() && end % io::kDirectAlignment != 0) {
    // The last block of the file is written whole; Finish() cuts it.
    end = (end + io::kDirectAlignment - 1) / io::kDirectAlignment * io::kDirectAlignment;
    std::fill(buffer.data() + bytes.size(), buffer.data() + end, uint8_t{0});
  }
  const MutableByteView whole = buffer.view().first(end);
  size_t run_begin = 0;
  for (size_t at = 0; at < end;) {
    const size_t next = std::min<size_t>(at + granule, end);
    if (!IsAllZero(whole.subspan(at, next - at))) {
      at = next;
      continue;
    }
    if (at > run_begin) {
      HBK_RETURN_IF_ERROR(
          target_->WriteAt(offset + run_begin, whole.subspan(run_begin, at - run_begin)));
    }
    at = next;
    run_begin = next;
  }
  if (run_begin == end) return OkStatus();
  return target_->WriteAt(offset + run_begin, whole.subspan(run_begin, end - run_begin));
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
