#include "mbstream_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "hbk/stream/stream_path.h"

#include "mbstream_format.h"

namespace hbk::stream {
namespace {

// Each costs a descriptor. mariadb-backup has one a thread, and those of the logs.
constexpr size_t kOpenFilesMax = 4096;

}  // namespace

MbstreamReader::MbstreamReader(std::unique_ptr<BufferedSource> source)
    : source_(std::move(source)) {}

Status MbstreamReader::Error(std::string_view what) const {
  const std::string of = chunk_.path.empty() ? "" : " of " + QuotedPath(chunk_.path);
  return CorruptionError(
      fmt::format("the chunk at offset {} of the stream{} {}", chunk_.offset, of, what));
}

Status MbstreamReader::Next(StreamEvent& event) {
  while (true) {
    if (chunk_.left > 0) {
      HBK_ASSIGN_OR_RETURN(const bool has_event, TakePayload(event));
      if (has_event) return OkStatus();
      continue;
    }
    if (!is_chunk_pending_) {
      HBK_ASSIGN_OR_RETURN(const bool is_at_end, source_->IsAtEnd());
      if (is_at_end) {
        event.kind = StreamEvent::Kind::kEnd;
        if (open_.empty()) return OkStatus();
        return CorruptionError(fmt::format("the stream is cut off: the file {} is not complete",
                                           QuotedPath(open_.begin()->first)));
      }
      HBK_RETURN_IF_ERROR(ReadChunkHead());
      is_chunk_pending_ = true;
    }
    HBK_ASSIGN_OR_RETURN(const bool has_event, TakeChunk(event));
    if (has_event) return OkStatus();
  }
}

Result<std::string> MbstreamReader::ReadPath(uint64_t size) {
  if (size > kMbstreamPathBytesMax) return Error("has too long a file name");
  std::string path(size, '\0');
  HBK_RETURN_IF_ERROR(source_->Read({reinterpret_cast<uint8_t*>(path.data()), path.size()}));
  HBK_RETURN_IF_ERROR(CheckStreamPath(path, kMbstreamPathBytesMax));
  return path;
}

Status MbstreamReader::ReadChunkHead() {
  chunk_ = {};
  chunk_.offset = source_->offset();
  std::array<uint8_t, kChunkHeadBytes> head{};
  HBK_RETURN_IF_ERROR(source_->Read(head));
  if (AsText(ByteView(head).first(kMbstreamMagic.size())) != kMbstreamMagic)
    return Error("has a wrong magic number");
  chunk_.flags = head[8];
  chunk_.type = head[9];
  if ((chunk_.flags & ~(kFlagIgnorable | kFlagRewrite)) != 0) return Error("has unknown flags");
  const std::string_view known = "PESRD";
  const bool is_known = known.find(static_cast<char>(chunk_.type)) != std::string_view::npos;
  if (!is_known && (chunk_.flags & kFlagIgnorable) == 0) return Error("is of an unknown type");
  HBK_ASSIGN_OR_RETURN(chunk_.path, ReadPath(LoadLe32(head, 10)));
  if (!is_known) chunk_.is_skipped = true;
  return OkStatus();
}

// nullptr: it is open now, which is the event.
MbstreamReader::OpenFile* MbstreamReader::FindOrOpen(StreamEvent& event) {
  const auto found = open_.find(chunk_.path);
  if (found != open_.end()) return &found->second;
  open_[chunk_.path].file = ++last_file_;
  event.kind = StreamEvent::Kind::kOpen;
  event.file = last_file_;
  event.path = chunk_.path;
  event.replaces = (chunk_.flags & kFlagRewrite) != 0;
  return nullptr;
}

Result<bool> MbstreamReader::TakeChunk(StreamEvent& event) {
  if (!chunk_.is_skipped && chunk_.type != kChunkRename && chunk_.type != kChunkRemove) {
    if (open_.size() >= kOpenFilesMax) return Error("opens too many files at a time");
    if (FindOrOpen(event) == nullptr) return true;
  }
  is_chunk_pending_ = false;
  switch (chunk_.type) {
    case kChunkEof: HBK_RETURN_IF_ERROR(TakeEof(event)); return true;
    case kChunkSeek: HBK_RETURN_IF_ERROR(TakeSeek()); return false;
    case kChunkRename: HBK_RETURN_IF_ERROR(TakeRename(event)); return true;
    case kChunkRemove:
      if (open_.contains(chunk_.path)) return Error("removes a file that is not complete");
      event.kind = StreamEvent::Kind::kRemove;
      event.path = chunk_.path;
      return true;
    default: break;
  }
  HBK_RETURN_IF_ERROR(ReadPayloadHead());
  return false;
}

Status MbstreamReader::ReadPayloadHead() {
  std::array<uint8_t, kPayloadHeadBytes> head{};
  HBK_RETURN_IF_ERROR(source_->Read(head));
  const uint64_t size = LoadLe64(head, 0);
  const uint64_t offset = LoadLe64(head, 8);
  chunk_.crc = LoadLe32(head, 16);
  if (size > kFileBytesMax || offset > kFileBytesMax - size) return Error("has an absurd size");
  if (!chunk_.is_skipped && open_.at(chunk_.path).position != offset) {
    return Error(fmt::format("is out of order: its data is for offset {}, expected was {}", offset,
                             open_.at(chunk_.path).position));
  }
  chunk_.left = size;
  if (size == 0 && chunk_.crc != 0) return Error("has a wrong checksum");
  return OkStatus();
}

Result<bool> MbstreamReader::TakePayload(StreamEvent& event) {
  const size_t size = std::min<uint64_t>(chunk_.left, kEventBytesMax);
  event.data.resize(size);
  HBK_RETURN_IF_ERROR(source_->Read(event.data));
  chunk_.left -= size;
  chunk_.crc_so_far =
      static_cast<uint32_t>(crc32_z(chunk_.crc_so_far, event.data.data(), event.data.size()));
  if (chunk_.left == 0 && chunk_.crc_so_far != chunk_.crc) return Error("has a wrong checksum");
  if (chunk_.is_skipped) return false;
  OpenFile& file = open_.at(chunk_.path);
  event.kind = StreamEvent::Kind::kData;
  event.file = file.file;
  event.offset = file.position;
  file.position += size;
  return true;
}

Status MbstreamReader::TakeEof(StreamEvent& event) {
  const auto node = open_.extract(chunk_.path);
  event.kind = StreamEvent::Kind::kClose;
  event.file = node.mapped().file;
  event.size = StreamEvent::kUnknown;
  return OkStatus();
}

Status MbstreamReader::TakeSeek() {
  std::array<uint8_t, 8> field{};
  HBK_RETURN_IF_ERROR(source_->Read(field));
  const uint64_t offset = LoadLe64(field, 0);
  if (offset > kFileBytesMax) return Error("has an absurd offset");
  open_.at(chunk_.path).position = offset;
  return OkStatus();
}

Status MbstreamReader::TakeRename(StreamEvent& event) {
  std::array<uint8_t, 4> field{};
  HBK_RETURN_IF_ERROR(source_->Read(field));
  HBK_ASSIGN_OR_RETURN(event.to, ReadPath(LoadLe32(field, 0)));
  if (open_.contains(chunk_.path) || open_.contains(event.to))
    return Error("renames a file that is not complete");
  event.kind = StreamEvent::Kind::kRename;
  event.path = chunk_.path;
  return OkStatus();
}

}  // namespace hbk::stream
