#include "write_watch.h"

#include <algorithm>

#include "hbk/filter/tree_digest.h"

namespace hbk::prepare {
namespace {

constexpr uint64_t kChunkBytes = filter::TreeDigest::kChunkBytes;

}  // namespace

// What is to be written is noted before it is: a write that fails may have written some of it.
class WatchedFile final : public io::File {
 public:
  WatchedFile(std::unique_ptr<io::File> inner, std::shared_ptr<WriteWatch::Record> record)
      : inner_(std::move(inner)), record_(std::move(record)) {}

  [[nodiscard]] io::File& inner() { return *inner_; }

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override {
    return inner_->ReadAt(offset, out);
  }
  Status WriteAt(uint64_t offset, ByteView data) override {
    record_->Note(offset, data.size());
    return inner_->WriteAt(offset, data);
  }
  // What lies behind is gone, also if the file grows again later. What it grows by has no known
  // hash: the last chunk was shorter.
  Status Truncate(uint64_t size) override {
    record_->NoteAllFrom(size);
    return inner_->Truncate(size);
  }
  Status PunchHole(uint64_t offset, uint64_t size) override {
    record_->Note(offset, size);
    return inner_->PunchHole(offset, size);
  }
  Result<bool> CloneFrom(io::File& source) override {
    record_->NoteAllFrom(0);
    auto* const watched = dynamic_cast<WatchedFile*>(&source);
    return inner_->CloneFrom(watched != nullptr ? watched->inner() : source);
  }
  void WillRead(uint64_t offset, uint64_t size) override { inner_->WillRead(offset, size); }
  void StartWriteBack(uint64_t offset, uint64_t size) override {
    inner_->StartWriteBack(offset, size);
  }
  Status Sync() override { return inner_->Sync(); }
  Result<io::FileInfo> Stat() override { return inner_->Stat(); }
  Result<uint64_t> SeekData(uint64_t offset) override { return inner_->SeekData(offset); }
  Status SetOwner(uint32_t uid, uint32_t gid) override { return inner_->SetOwner(uid, gid); }
  Status SetMode(uint32_t mode) override { return inner_->SetMode(mode); }
  Result<bool> TryLock() override { return inner_->TryLock(); }
  Status Close() override { return inner_->Close(); }
  [[nodiscard]] const std::string& path() const override { return inner_->path(); }
  [[nodiscard]] bool is_direct() const override { return inner_->is_direct(); }
  [[nodiscard]] bool is_encoded() const override { return inner_->is_encoded(); }

 private:
  const std::unique_ptr<io::File> inner_;
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
  HBK_ASSIGN_OR_RETURN(auto file, inner_.Open(path, options));
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

Result<io::FileInfo> WriteWatch::Stat(const std::string& path, bool follow) {
  return inner_.Stat(path, follow);
}
Result<std::vector<io::DirectoryEntry>> WriteWatch::List(const std::string& path) {
  return inner_.List(path);
}
Result<std::vector<io::FileEntry>> WriteWatch::ListWithInfo(
    const std::string& path, const std::function<bool(std::string_view)>& is_wanted) {
  return inner_.ListWithInfo(path, is_wanted);
}
Status WriteWatch::MakeDirectory(const std::string& path, uint32_t mode) {
  return inner_.MakeDirectory(path, mode);
}
Status WriteWatch::Rename(const std::string& from, const std::string& to) {
  return inner_.Rename(from, to);
}
Status WriteWatch::Remove(const std::string& path) {
  return inner_.Remove(path);
}
Status WriteWatch::RemoveDirectory(const std::string& path) {
  return inner_.RemoveDirectory(path);
}
Status WriteWatch::SyncDirectory(const std::string& path) {
  return inner_.SyncDirectory(path);
}
Status WriteWatch::SetOwner(const std::string& path, uint32_t uid, uint32_t gid) {
  return inner_.SetOwner(path, uid, gid);
}
Result<uint64_t> WriteWatch::FreeBytes(const std::string& path) {
  return inner_.FreeBytes(path);
}
Result<bool> WriteWatch::KeepsFileTimes(const std::string& path) {
  return inner_.KeepsFileTimes(path);
}
Result<std::string> WriteWatch::ReadLink(const std::string& path) {
  return inner_.ReadLink(path);
}
Result<int64_t> WriteWatch::LockHolder(const std::string& path) {
  return inner_.LockHolder(path);
}

}  // namespace hbk::prepare
