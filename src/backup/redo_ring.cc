#include "redo_ring.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hbk::backup {
namespace {

// The server rewrites a checkpoint block in place and the other one stays whole, so a head that
// cannot be read is rare and heals with the next read.
constexpr int kHeadReadsMax = 50;

uint64_t AlignDown(uint64_t offset) {
  return offset / io::kDirectAlignment * io::kDirectAlignment;
}

uint64_t AlignUp(uint64_t offset) {
  return AlignDown(offset + io::kDirectAlignment - 1);
}

}  // namespace

Result<std::unique_ptr<RedoRing>> RedoRing::Open(io::FileSystem& fs, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {.follow = true}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  if (info.size < redo::kLogFileBytesMin) {
    return CorruptionError(fmt::format("{} has {} bytes, a redo log has at least {}", path,
                                       info.size, redo::kLogFileBytesMin));
  }
  Result<redo::LogHead> head = FailedError("not read");
  for (int i = 0; i < kHeadReadsMax; ++i) {
    head = ReadHead(*file);
    if (head.ok() || head.status().code() != StatusCode::kCorruption) break;
  }
  if (!head.ok()) return head.status().WithContext("reading the head of " + path);
  const auto geometry = redo::LogGeometry::Of(*head, info.size);
  if (!geometry.ok()) return geometry.status().WithContext(path);
  return std::unique_ptr<RedoRing>(
      new RedoRing(std::move(file), info, std::move(*head), *geometry));
}

RedoRing::RedoRing(std::unique_ptr<io::File> file, const io::FileInfo& info, redo::LogHead head,
                   const redo::LogGeometry& geometry)
    : file_(std::move(file)),
      info_(info),
      head_(std::move(head)),
      geometry_(geometry),
      head_buffer_(redo::kLogHeadBytes) {}

Result<redo::LogHead> RedoRing::ReadHead(io::File& file) {
  AlignedBuffer buffer(redo::kLogHeadBytes);
  HBK_ASSIGN_OR_RETURN(const size_t size, file.ReadAt(0, buffer.view()));
  if (size < buffer.size()) return CorruptionError("the file ends in its head");
  return redo::ParseLogHead(buffer.view());
}

Result<redo::Checkpoint> RedoRing::ReadCheckpoint() {
  HBK_RETURN_IF_ERROR(ReadPart(0, head_buffer_.size(), head_buffer_.view()));
  return redo::NewestCheckpoint(head_buffer_.view(), head_.header.first_lsn);
}

Result<RingBytes> RedoRing::Read(Lsn lsn, size_t size, AlignedBuffer& buffer) {
  HBK_CHECK(size <= geometry_.capacity() && buffer.size() >= size + kSlackBytes);
  const uint64_t offset = geometry_.OffsetOf(lsn);
  const uint64_t begin = AlignDown(offset);
  const uint64_t file_end = geometry_.start() + geometry_.capacity();
  const uint64_t end = std::min(AlignUp(offset + size), file_end);
  const auto first_part = static_cast<size_t>(end - begin);
  const auto index = static_cast<size_t>(offset - begin);
  HBK_RETURN_IF_ERROR(ReadPart(begin, first_part, buffer.view().first(first_part)));
  const size_t have = first_part - index;
  if (have < size) {
    // The rest stands at the start of the ring.
    const size_t rest = std::min(AlignUp(size - have), geometry_.capacity());
    HBK_RETURN_IF_ERROR(ReadPart(geometry_.start(), rest, buffer.view().subspan(first_part, rest)));
  }
  return RingBytes{ByteView(buffer.view()).subspan(index, size), index};
}

Status RedoRing::ReadPart(uint64_t offset, size_t size, MutableByteView out) {
  HBK_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(offset, out.first(size)));
  if (got < size) {
    return FailedError(fmt::format("{} ends at byte {}: it was {} bytes long when it was opened",
                                   file_->path(), offset + got, info_.size));
  }
  return OkStatus();
}

}  // namespace hbk::backup
