#include "digesting_file_system.h"

#include <algorithm>
#include <utility>

namespace hbk::verify {
namespace {

constexpr uint64_t kChunkBytes = filter::TreeDigest::kChunkBytes;
// More than any manifest has.
constexpr size_t kContentBytesMax = 512ULL << 20;

class WrittenFile final : public io::File {
 public:
  WrittenFile(std::string path, std::shared_ptr<DigestedFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  Result<size_t> ReadAt(uint64_t /*offset*/, MutableByteView /*out*/) override {
    return UnsupportedError(path_ + ": nothing of it is kept");
  }
  Status WriteAt(uint64_t offset, ByteView data) override {
    file_->Write(offset, data);
    return OkStatus();
  }
  Status Truncate(uint64_t size) override {
    file_->Truncate(size);
    return OkStatus();
  }
  Status Sync() override { return OkStatus(); }
  Result<io::FileInfo> Stat() override {
    io::FileInfo info;
    info.type = io::FileType::kRegular;
    info.size = file_->size();
    return info;
  }
  Result<uint64_t> SeekData(uint64_t offset) override { return offset; }
  Status SetOwner(uint32_t /*uid*/, uint32_t /*gid*/) override { return OkStatus(); }
  Status SetMode(uint32_t /*mode*/) override { return OkStatus(); }
  Status Close() override {
    file_->Finish();
    return OkStatus();
  }
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] bool is_direct() const override { return false; }

 private:
  const std::string path_;
  const std::shared_ptr<DigestedFile> file_;
};

Status Missing(const std::string& path) {
  return NotFoundError(path + ": no such file");
}

}  // namespace

void DigestedFile::Append(ByteView data) {
  if (size_ == 0 && !data.empty()) keeps_content_ = data[0] == '{';
  if (keeps_content_ && content_.size() + data.size() <= kContentBytesMax) content_ += AsText(data);
  size_ += data.size();
  while (!data.empty()) {
    const auto size =
        static_cast<size_t>(std::min<uint64_t>(kChunkBytes - chunk_.size(), data.size()));
    chunk_.insert(chunk_.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(size));
    data = data.subspan(size);
    if (chunk_.size() < kChunkBytes) continue;
    growing_.AddChunk(chunk_);
    chunk_.clear();
  }
}

void DigestedFile::AppendZeros(uint64_t count) {
  const std::vector<uint8_t> zeros(static_cast<size_t>(std::min(count, kChunkBytes)));
  for (; count > 0; count -= std::min<uint64_t>(count, zeros.size()))
    Append(ByteView(zeros).first(static_cast<size_t>(std::min<uint64_t>(count, zeros.size()))));
}

void DigestedFile::Write(uint64_t offset, ByteView data) {
  is_in_order_ = is_in_order_ && offset >= size_;
  if (is_in_order_) {
    AppendZeros(offset - size_);
    Append(data);
  } else {
    size_ = std::max(size_, offset + data.size());
  }
}

void DigestedFile::Truncate(uint64_t size) {
  is_in_order_ = is_in_order_ && size >= size_;
  if (is_in_order_) {
    AppendZeros(size - size_);
  } else {
    size_ = size;
  }
}

void DigestedFile::Finish() {
  if (!is_in_order_) {
    content_.clear();
  } else {
    if (!chunk_.empty()) growing_.AddChunk(chunk_);
    digest_ = growing_.Finish();
  }
  chunk_ = {};
}

DigestingFileSystem::Files DigestingFileSystem::files() const {
  const MutexLock lock(mutex_);
  return files_;
}

bool DigestingFileSystem::IsDirectory(const std::string& path) const {
  return path == "/" || directories_.contains(path);
}

Result<std::unique_ptr<io::File>> DigestingFileSystem::Open(const std::string& path,
                                                            const io::OpenOptions& options) {
  const MutexLock lock(mutex_);
  if (!options.create) return Missing(path);
  const auto [entry, is_new] = files_.emplace(path, std::make_shared<DigestedFile>());
  if (!is_new) return Status(StatusCode::kAlreadyExists, path + ": it is there already");
  return std::unique_ptr<io::File>(new WrittenFile(path, entry->second));
}

Result<io::FileInfo> DigestingFileSystem::Stat(const std::string& path, bool /*follow*/) {
  const MutexLock lock(mutex_);
  io::FileInfo info;
  if (IsDirectory(path)) {
    info.type = io::FileType::kDirectory;
    return info;
  }
  const auto file = files_.find(path);
  if (file == files_.end()) return Missing(path);
  info.type = io::FileType::kRegular;
  info.size = file->second->size();
  return info;
}

Result<std::vector<io::DirectoryEntry>> DigestingFileSystem::List(const std::string& path) {
  const MutexLock lock(mutex_);
  if (!IsDirectory(path)) return Missing(path);
  std::vector<io::DirectoryEntry> entries;
  for (const auto& [name, file] : files_) {
    if (io::DirName(name) == path)
      entries.push_back({std::string(io::BaseName(name)), io::FileType::kRegular});
  }
  for (const auto& [name, unused] : directories_) {
    if (io::DirName(name) == path)
      entries.push_back({std::string(io::BaseName(name)), io::FileType::kDirectory});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Status DigestingFileSystem::MakeDirectory(const std::string& path, uint32_t /*mode*/) {
  const MutexLock lock(mutex_);
  if (IsDirectory(path) || files_.contains(path))
    return {StatusCode::kAlreadyExists, path + ": it is there already"};
  directories_.emplace(path, true);
  return OkStatus();
}

Status DigestingFileSystem::Rename(const std::string& from, const std::string& to) {
  const MutexLock lock(mutex_);
  const auto file = files_.find(from);
  if (file == files_.end()) return Missing(from);
  files_[to] = file->second;
  files_.erase(from);
  return OkStatus();
}

Status DigestingFileSystem::Remove(const std::string& path) {
  const MutexLock lock(mutex_);
  return files_.erase(path) == 1 ? OkStatus() : Missing(path);
}

Status DigestingFileSystem::RemoveDirectory(const std::string& path) {
  const MutexLock lock(mutex_);
  return directories_.erase(path) == 1 ? OkStatus() : Missing(path);
}

Status DigestingFileSystem::SyncDirectory(const std::string& /*path*/) {
  return OkStatus();
}

Status DigestingFileSystem::SetOwner(const std::string& /*path*/, uint32_t /*uid*/,
                                     uint32_t /*gid*/) {
  return OkStatus();
}

Result<uint64_t> DigestingFileSystem::FreeBytes(const std::string& /*path*/) {
  return UINT64_MAX;
}

Result<bool> DigestingFileSystem::KeepsFileTimes(const std::string& /*path*/) {
  return false;
}

Result<std::string> DigestingFileSystem::ReadLink(const std::string& path) {
  return Missing(path);
}

Result<int64_t> DigestingFileSystem::LockHolder(const std::string& /*path*/) {
  return int64_t{0};
}

}  // namespace hbk::verify
