#include "hbk_stream_writer.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "hbk/base/check.h"
#include "hbk/stream/stream_path.h"

namespace hbk::stream {
namespace {

// Two streams of the same backup differ, so that no part of one passes for a part of the other.
std::array<uint8_t, kStreamIdBytes> NewStreamId() {
  std::random_device device;
  std::array<uint8_t, kStreamIdBytes> id{};
  for (size_t i = 0; i < id.size(); i += 4)
    StoreLe32(id, i, device());
  return id;
}

}  // namespace

HbkStreamWriter::HbkStreamWriter(std::unique_ptr<io::ByteSink> sink) : queue_(std::move(sink)) {}

Status HbkStreamWriter::Begin() {
  if (record_count_ != 0) return OkStatus();
  const auto id = NewStreamId();
  return queue_.Append({RenderStreamHead(id, chain_)});
}

Status HbkStreamWriter::Add(RecordHead head, ByteView payload) {
  HBK_RETURN_IF_ERROR(Begin());
  head.payload_size = static_cast<uint32_t>(payload.size());
  ++record_count_;
  return queue_.Append({RenderRecordHead(head, chain_), payload});
}

Status HbkStreamWriter::AddPath(RecordType type, uint32_t file, const std::string& path) {
  const Status status = CheckStreamPath(path, kPathBytesMax);
  if (!status.ok()) return UnsupportedError(status.message());
  RecordHead head;
  head.type = type;
  head.file = file;
  head.payload_hash = PayloadHash(AsBytes(path));
  return Add(head, AsBytes(path));
}

Status HbkStreamWriter::OpenFile(uint32_t file, const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_CHECK(open_.emplace(file, DataDigest()).second);
  paths_[path] = true;
  return AddPath(RecordType::kOpen, file, path);
}

Status HbkStreamWriter::Write(uint32_t file, uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ByteView part = bytes.first(std::min<size_t>(bytes.size(), kRecordPayloadBytesMax));
    RecordHead head;
    head.type = RecordType::kData;
    head.file = file;
    head.number = offset;
    head.payload_hash = PayloadHash(part);
    const MutexLock lock(mutex_);
    const auto found = open_.find(file);
    HBK_CHECK(found != open_.end());
    found->second.Add(offset, part.size(), head.payload_hash);
    counts_.data_bytes += part.size();
    HBK_RETURN_IF_ERROR(Add(head, part));
    offset += part.size();
    bytes = bytes.subspan(part.size());
  }
  return OkStatus();
}

// What no record has is zeros anyway.
Status HbkStreamWriter::SkipHole(uint32_t /*file*/, uint64_t /*offset*/, uint64_t /*size*/) {
  return OkStatus();
}

Status HbkStreamWriter::CloseFile(uint32_t file, uint64_t size) {
  const MutexLock lock(mutex_);
  const auto node = open_.extract(file);
  HBK_CHECK(!node.empty());
  const auto payload = node.mapped().Render();
  RecordHead head;
  head.type = RecordType::kClose;
  head.file = file;
  head.number = size;
  head.payload_hash = PayloadHash(payload);
  return Add(head, payload);
}

Status HbkStreamWriter::Rename(const std::string& from, const std::string& to) {
  const Status status = CheckStreamPath(to, kPathBytesMax);
  if (!status.ok()) return UnsupportedError(status.message());
  const std::string both = from + to;
  RecordHead head;
  head.type = RecordType::kRename;
  head.number = from.size();
  head.payload_hash = PayloadHash(AsBytes(both));
  const MutexLock lock(mutex_);
  paths_.erase(from);
  paths_[to] = true;
  return Add(head, AsBytes(both));
}

Status HbkStreamWriter::Remove(const std::string& path) {
  const MutexLock lock(mutex_);
  paths_.erase(path);
  return AddPath(RecordType::kRemove, 0, path);
}

Status HbkStreamWriter::MakeDirectory(const std::string& path) {
  const MutexLock lock(mutex_);
  paths_[path] = false;
  return AddPath(RecordType::kMakeDirectory, 0, path);
}

Status HbkStreamWriter::RemoveDirectory(const std::string& path) {
  const MutexLock lock(mutex_);
  paths_.erase(path);
  return AddPath(RecordType::kRemoveDirectory, 0, path);
}

Status HbkStreamWriter::Finish() {
  {
    const MutexLock lock(mutex_);
    HBK_CHECK(open_.empty());
    for (const auto& entry : paths_)
      ++(entry.second ? counts_.files : counts_.directories);
    const auto payload = counts_.Render();
    RecordHead head;
    head.type = RecordType::kEnd;
    head.number = record_count_ + 1;
    head.payload_hash = PayloadHash(payload);
    HBK_RETURN_IF_ERROR(Add(head, payload));
  }
  return queue_.Finish();
}

}  // namespace hbk::stream
