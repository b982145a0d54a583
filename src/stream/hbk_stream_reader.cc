#include "hbk_stream_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "hbk/stream/stream_path.h"

namespace hbk::stream {
namespace {

constexpr size_t kOpenFilesMax = 4096;

}  // namespace

Result<std::unique_ptr<StreamReader>> HbkStreamReader::Open(
    std::unique_ptr<BufferedSource> source) {
  std::array<uint8_t, kStreamHeadBytes> head{};
  HBK_RETURN_IF_ERROR(source->Read(head));
  uint64_t chain = 0;
  const auto version = ParseStreamHead(head, chain);
  if (!version) return CorruptionError("the head of the stream is damaged");
  if (*version != kHbkStreamVersion) {
    return UnsupportedError(fmt::format("the stream is of version {}", *version))
        .WithHint("a later hbk can read it");
  }
  return std::unique_ptr<StreamReader>(new HbkStreamReader(std::move(source), chain));
}

Status HbkStreamReader::Error(std::string_view what) const {
  const auto file = open_.find(head_.file);
  const std::string of = file == open_.end() ? "" : " of " + QuotedPath(file->second.path);
  return CorruptionError(
      fmt::format("the record at offset {} of the stream{} {}", record_offset_, of, what));
}

Status HbkStreamReader::Next(StreamEvent& event) {
  record_offset_ = source_->offset();
  std::array<uint8_t, kRecordHeadBytes> bytes{};
  HBK_RETURN_IF_ERROR(source_->Read(bytes));
  const auto head = ParseRecordHead(bytes, chain_);
  if (!head) {
    head_ = {};
    return Error("is damaged, or not the one that was written behind the one before");
  }
  head_ = *head;
  ++record_count_;
  event.data.resize(head_.payload_size);
  HBK_RETURN_IF_ERROR(source_->Read(event.data));
  if (PayloadHash(event.data) != head_.payload_hash) return Error("has a wrong checksum");
  return Take(event);
}

Status HbkStreamReader::Take(StreamEvent& event) {
  using Kind = StreamEvent::Kind;
  switch (head_.type) {
    case RecordType::kOpen: return TakeOpen(event);
    case RecordType::kData: return TakeData(event);
    case RecordType::kClose: return TakeClose(event);
    case RecordType::kRename: return TakeRename(event);
    case RecordType::kRemove: event.kind = Kind::kRemove; return TakePath(event);
    case RecordType::kMakeDirectory: event.kind = Kind::kMakeDirectory; return TakePath(event);
    case RecordType::kRemoveDirectory: event.kind = Kind::kRemoveDirectory; return TakePath(event);
    case RecordType::kEnd: return TakeEnd(event);
  }
  return Error("is of an unknown type");
}

Status HbkStreamReader::TakePath(StreamEvent& event) {
  event.path = AsText(event.data);
  return CheckStreamPath(event.path, kPathBytesMax);
}

Status HbkStreamReader::TakeOpen(StreamEvent& event) {
  HBK_RETURN_IF_ERROR(TakePath(event));
  if (head_.file <= last_file_) return Error("opens a file under a number that was used before");
  if (open_.size() >= kOpenFilesMax) return Error("opens too many files at a time");
  last_file_ = head_.file;
  open_[head_.file].path = event.path;
  event.kind = StreamEvent::Kind::kOpen;
  event.file = head_.file;
  event.replaces = false;
  return OkStatus();
}

Status HbkStreamReader::TakeData(StreamEvent& event) {
  const auto file = open_.find(head_.file);
  if (file == open_.end()) return Error("has data of a file that is not open");
  if (head_.payload_size == 0) return Error("has no data");
  if (head_.number > kFileBytesMax - head_.payload_size) return Error("has an absurd offset");
  file->second.digest.Add(head_.number, head_.payload_size, head_.payload_hash);
  data_bytes_ += head_.payload_size;
  event.kind = StreamEvent::Kind::kData;
  event.file = head_.file;
  event.offset = head_.number;
  return OkStatus();
}

Status HbkStreamReader::TakeClose(StreamEvent& event) {
  const auto file = open_.find(head_.file);
  if (file == open_.end()) return Error("closes a file that is not open");
  if (head_.number > kFileBytesMax) return Error("has an absurd size");
  if (!std::ranges::equal(file->second.digest.Render(), event.data))
    return Error("closes the file, but not all of its data was there");
  open_.erase(file);
  event.kind = StreamEvent::Kind::kClose;
  event.file = head_.file;
  event.size = head_.number;
  return OkStatus();
}

Status HbkStreamReader::TakeRename(StreamEvent& event) {
  const std::string_view both = AsText(event.data);
  if (head_.number > both.size()) return Error("has an absurd size");
  event.path = both.substr(0, head_.number);
  event.to = both.substr(head_.number);
  event.kind = StreamEvent::Kind::kRename;
  HBK_RETURN_IF_ERROR(CheckStreamPath(event.path, kPathBytesMax));
  return CheckStreamPath(event.to, kPathBytesMax);
}

Status HbkStreamReader::TakeEnd(StreamEvent& event) {
  if (!open_.empty()) return Error("ends the stream, but files are open");
  if (event.data.size() != EndCounts::kBytes || head_.number != record_count_)
    return Error("does not fit what was before it");
  const EndCounts counts = EndCounts::Parse(event.data);
  if (counts.data_bytes != data_bytes_) return Error("does not fit what was before it");
  HBK_ASSIGN_OR_RETURN(const bool is_at_end, source_->IsAtEnd());
  if (!is_at_end) {
    return CorruptionError(
        fmt::format("the stream goes on behind its end, at offset {}", source_->offset()));
  }
  event.kind = StreamEvent::Kind::kEnd;
  event.file_count = counts.files;
  event.directory_count = counts.directories;
  return OkStatus();
}

}  // namespace hbk::stream
