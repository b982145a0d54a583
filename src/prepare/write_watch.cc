#include "write_watch.h"

#include <algorithm>

#include "hbk/filter/tree_digest.h"

namespace hbk::prepare {
namespace {

constexpr uint64_t kChunkBytes = filter::TreeDigest::kChunkBytes;

}  // namespace

// What is to be written is noted before it is: a write that fails may have written some of it.
class WatchedFile final : public io::ForwardingFile {
 public:
  WatchedFile(std::unique_ptr<io::File> below, std::shared_ptr<WriteWatch::Record> record)
      : ForwardingFile(std::move(below)), record_(std::move(record)) {}

  Status WriteAt(uint64_t offset, ByteView data) override {
    record_->Note(offset, data.size());
    return ForwardingFile::WriteAt(offset, data);
  }
  // What lies behind is gone, also if the file grows again later. What it grows by has no known
  // hash: the last chunk was shorter.
  Status Truncate(uint64_t size) override {
    record_->NoteAllFrom(size);
    return ForwardingFile::Truncate(size);
  }
  Result<uint64_t> WriteSparse(uint64_t offset, ByteView data, size_t hole_bytes) override {
    record_->Note(offset, data.size());
    return ForwardingFile::WriteSparse(offset, data, hole_bytes);
  }
  Status PunchHole(uint64_t offset, uint64_t size) override {
    record_->Note(offset, size);
    return ForwardingFile::PunchHole(offset, size);
  }
  Result<bool> CloneFrom(io::File& source) override {
    record_->NoteAllFrom(0);
    return ForwardingFile::CloneFrom(source);
  }

 private:
  const std::shared_ptr<WriteWatch::Record> record_;
};

void WriteWatch::Record::Note(uint64_t offset, uint64_t size) {
  if (size == 0) return;
  const uint64_t end = (offset + size - 1) / kChunkBytes + 1;
  const MutexLock lock(mutex_);
  auto& chunks = written_.chunks;
  if (chunks.size() < end) chunks.resize(end);
  std::fill(chunks.begin() + static_cast<std::ptrdiff_t>(offset / kChunkBytes),
            chunks.begin() + static_cast<std::ptrdiff_t>(end), true);
}

void WriteWatch::Record::NoteAllFrom(uint64_t offset) {
  const MutexLock lock(mutex_);
  written_.all_from = std::min(written_.all_from, offset / kChunkBytes);
}

void WriteWatch::Record::Clear() {
  const MutexLock lock(mutex_);
  written_ = {};
}

WrittenChunks WriteWatch::Record::written() const {
  const MutexLock lock(mutex_);
  return written_;
}

void WriteWatch::StartAgain() {
  const MutexLock lock(mutex_);
  // Not the list itself: who has a file open holds its record.
  for (const auto& [file, record] : records_)
    record->Clear();
}

WrittenChunks WriteWatch::WrittenOf(const io::FileInfo& file) const {
  const MutexLock lock(mutex_);
  const auto record = records_.find({file.device, file.inode});
  return record == records_.end() ? WrittenChunks() : record->second->written();
}

Result<std::unique_ptr<io::File>> WriteWatch::Open(const std::string& path,
                                                   const io::OpenOptions& options) {
  HBK_ASSIGN_OR_RETURN(auto file, ForwardingFileSystem::Open(path, options));
  if (!options.write) return file;
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  std::shared_ptr<Record> record;
  {
    const MutexLock lock(mutex_);
    auto& known = records_[{info.device, info.inode}];
    if (known == nullptr) known = std::make_shared<Record>();
    record = known;
  }
  // The inode of a new file may be that of one that was removed.
  if (options.create || options.truncate) record->NoteAllFrom(0);
  return std::unique_ptr<io::File>(new WatchedFile(std::move(file), std::move(record)));
}

}  // namespace hbk::prepare
