#include "tests/support/faulty_file_system.h"

#include <cerrno>
#include <utility>

namespace hbk::testing {

class FaultyFile final : public io::File {
 public:
  FaultyFile(FaultyFileSystem& fs, std::unique_ptr<io::File> inner)
      : fs_(fs), inner_(std::move(inner)) {}

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override {
    HBK_RETURN_IF_ERROR(fs_.Count(false, "reading " + path()));
    const bool is_cut = fs_.IsCutRead();
    HBK_ASSIGN_OR_RETURN(const size_t got, inner_->ReadAt(offset, out));
    return is_cut ? got / 2 : got;
  }

  Status WriteAt(uint64_t offset, ByteView data) override {
    auto fate = FaultyFileSystem::Fate::kPass;
    const Status fault = fs_.Count(true, "writing " + path(), &fate);
    if (fate == FaultyFileSystem::Fate::kHalf) {
      HBK_RETURN_IF_ERROR(inner_->WriteAt(offset, data.first(data.size() / 2)));
    }
    HBK_RETURN_IF_ERROR(fault);
    return inner_->WriteAt(offset, data);
  }

  Status Truncate(uint64_t size) override {
    HBK_RETURN_IF_ERROR(fs_.Count(true, "setting the size of " + path()));
    return inner_->Truncate(size);
  }
  Status PunchHole(uint64_t offset, uint64_t size) override {
    HBK_RETURN_IF_ERROR(fs_.Count(true, "making a hole in " + path()));
    return inner_->PunchHole(offset, size);
  }
  Status Sync() override {
    HBK_RETURN_IF_ERROR(fs_.Count(true, "syncing " + path()));
    switch (fs_.FateOfSync(path())) {
      case FaultyFileSystem::Fate::kPass: return inner_->Sync();
      case FaultyFileSystem::Fate::kHalf: return OkStatus();
      case FaultyFileSystem::Fate::kFail: break;
    }
    return ErrnoStatus(EIO, "syncing " + path());
  }
  Result<io::FileInfo> Stat() override {
    HBK_RETURN_IF_ERROR(fs_.Count(false, "reading the attributes of " + path()));
    return inner_->Stat();
  }
  Result<uint64_t> SeekData(uint64_t offset) override {
    HBK_RETURN_IF_ERROR(fs_.Count(false, "looking for data in " + path()));
    return inner_->SeekData(offset);
  }
  Status SetOwner(uint32_t uid, uint32_t gid) override {
    HBK_RETURN_IF_ERROR(fs_.Count(true, "setting the owner of " + path()));
    return inner_->SetOwner(uid, gid);
  }
  Status SetMode(uint32_t mode) override {
    HBK_RETURN_IF_ERROR(fs_.Count(true, "setting the mode of " + path()));
    return inner_->SetMode(mode);
  }
  Result<bool> TryLock() override {
    HBK_RETURN_IF_ERROR(fs_.Count(false, "locking " + path()));
    return inner_->TryLock();
  }
  // Closes in any case, as close() does.
  Status Close() override {
    const Status fault = fs_.Count(false, "closing " + path());
    const Status closed = inner_->Close();
    return fault.ok() ? closed : fault;
  }

  [[nodiscard]] const std::string& path() const override { return inner_->path(); }
  [[nodiscard]] bool is_direct() const override { return inner_->is_direct(); }

 private:
  FaultyFileSystem& fs_;
  const std::unique_ptr<io::File> inner_;
};

void FaultyFileSystem::Arm(FaultKind kind, uint64_t k) {
  const MutexLock lock(mutex_);
  kind_ = kind;
  k_ = k;
  operation_count_ = 0;
  change_count_ = 0;
  read_count_ = 0;
  sync_count_ = 0;
  lost_.clear();
  has_fired_ = false;
}

bool FaultyFileSystem::has_fired() const {
  const MutexLock lock(mutex_);
  return has_fired_;
}

uint64_t FaultyFileSystem::operation_count() const {
  const MutexLock lock(mutex_);
  return operation_count_;
}

uint64_t FaultyFileSystem::change_count() const {
  const MutexLock lock(mutex_);
  return change_count_;
}

uint64_t FaultyFileSystem::read_count() const {
  const MutexLock lock(mutex_);
  return read_count_;
}

uint64_t FaultyFileSystem::sync_count() const {
  const MutexLock lock(mutex_);
  return sync_count_;
}

bool FaultyFileSystem::IsCutRead() {
  const MutexLock lock(mutex_);
  if (++read_count_ != k_ || kind_ != FaultKind::kShortRead) return false;
  has_fired_ = true;
  return true;
}

FaultyFileSystem::Fate FaultyFileSystem::FateOfSync(const std::string& path) {
  const MutexLock lock(mutex_);
  const bool is_k = ++sync_count_ == k_;
  if (kind_ != FaultKind::kSyncFails) return Fate::kPass;
  if (is_k) {
    has_fired_ = true;
    lost_.insert(path);
    return Fate::kFail;
  }
  return lost_.contains(path) ? Fate::kHalf : Fate::kPass;
}

Status FaultyFileSystem::Count(bool is_change, const std::string& what, Fate* fate) {
  const MutexLock lock(mutex_);
  ++operation_count_;
  if (is_change) ++change_count_;
  const bool is_change_k = is_change && change_count_ == k_;
  switch (kind_) {
    case FaultKind::kNone:
    case FaultKind::kShortRead:
    case FaultKind::kSyncFails: return OkStatus();  // IsCutRead and FateOfSync see to these.
    case FaultKind::kIoError:
      if (operation_count_ != k_) return OkStatus();
      has_fired_ = true;
      return ErrnoStatus(EIO, what);
    case FaultKind::kNoSpace:
    case FaultKind::kShortWrite:
      if (!is_change_k) return OkStatus();
      has_fired_ = true;
      if (fate != nullptr && kind_ == FaultKind::kShortWrite) *fate = Fate::kHalf;
      return ErrnoStatus(ENOSPC, what);
    case FaultKind::kCrash:
      if (!is_change_k && !has_fired_) return OkStatus();
      has_fired_ = true;
      return ErrnoStatus(EIO, what);
  }
  return OkStatus();
}

Result<std::unique_ptr<io::File>> FaultyFileSystem::Open(const std::string& path,
                                                         const io::OpenOptions& options) {
  HBK_RETURN_IF_ERROR(Count(options.create || options.truncate, "opening " + path));
  HBK_ASSIGN_OR_RETURN(auto file, inner_.Open(path, options));
  return std::unique_ptr<io::File>(std::make_unique<FaultyFile>(*this, std::move(file)));
}

Result<io::FileInfo> FaultyFileSystem::Stat(const std::string& path, bool follow) {
  HBK_RETURN_IF_ERROR(Count(false, "reading the attributes of " + path));
  return inner_.Stat(path, follow);
}

Result<std::vector<io::DirectoryEntry>> FaultyFileSystem::List(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(false, "listing " + path));
  return inner_.List(path);
}

Status FaultyFileSystem::MakeDirectory(const std::string& path, uint32_t mode) {
  HBK_RETURN_IF_ERROR(Count(true, "creating directory " + path));
  return inner_.MakeDirectory(path, mode);
}

Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  HBK_RETURN_IF_ERROR(Count(true, "renaming " + from + " to " + to));
  return inner_.Rename(from, to);
}

Status FaultyFileSystem::Remove(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(true, "removing " + path));
  return inner_.Remove(path);
}

Status FaultyFileSystem::RemoveDirectory(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(true, "removing directory " + path));
  return inner_.RemoveDirectory(path);
}

Status FaultyFileSystem::SyncDirectory(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(true, "syncing directory " + path));
  switch (FateOfSync(path)) {
    case Fate::kPass: return inner_.SyncDirectory(path);
    case Fate::kHalf: return OkStatus();
    case Fate::kFail: break;
  }
  return ErrnoStatus(EIO, "syncing directory " + path);
}

class FaultyWholeSync final : public io::WholeSync {
 public:
  FaultyWholeSync(FaultyFileSystem& fs, std::unique_ptr<io::WholeSync> inner)
      : fs_(fs), inner_(std::move(inner)) {}
  Status Sync() override {
    HBK_RETURN_IF_ERROR(fs_.Count(true, "syncing all"));
    switch (fs_.FateOfSync("*")) {
      case FaultyFileSystem::Fate::kPass: return inner_->Sync();
      case FaultyFileSystem::Fate::kHalf: return OkStatus();
      case FaultyFileSystem::Fate::kFail: break;
    }
    return ErrnoStatus(EIO, "syncing all");
  }

 private:
  FaultyFileSystem& fs_;
  const std::unique_ptr<io::WholeSync> inner_;
};

Result<std::unique_ptr<io::WholeSync>> FaultyFileSystem::BeginWholeSync(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(false, "opening directory " + path));
  HBK_ASSIGN_OR_RETURN(auto sync, inner_.BeginWholeSync(path));
  if (sync != nullptr) sync = std::make_unique<FaultyWholeSync>(*this, std::move(sync));
  return sync;
}

Status FaultyFileSystem::SetOwner(const std::string& path, uint32_t uid, uint32_t gid) {
  HBK_RETURN_IF_ERROR(Count(true, "setting the owner of " + path));
  return inner_.SetOwner(path, uid, gid);
}

Result<uint64_t> FaultyFileSystem::FreeBytes(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(false, "reading the free space at " + path));
  return inner_.FreeBytes(path);
}

Result<bool> FaultyFileSystem::KeepsFileTimes(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(false, "reading the kind of the file system at " + path));
  return inner_.KeepsFileTimes(path);
}

Result<std::string> FaultyFileSystem::ReadLink(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(false, "reading the symbolic link " + path));
  return inner_.ReadLink(path);
}

Result<int64_t> FaultyFileSystem::LockHolder(const std::string& path) {
  HBK_RETURN_IF_ERROR(Count(false, "asking for the lock holder of " + path));
  return inner_.LockHolder(path);
}

}  // namespace hbk::testing
