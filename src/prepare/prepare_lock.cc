#include "prepare_lock.h"

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

constexpr std::string_view kChangingText =
    "files of this backup are being changed: run prepare again\n";
constexpr int kAttemptsMax = 10;

}  // namespace

PrepareLock::PrepareLock(io::FileSystem& fs, std::string dir)
    : fs_(fs), dir_(std::move(dir)), path_(io::JoinPath(dir_, kLockFileName)) {}

Result<std::unique_ptr<PrepareLock>> PrepareLock::Take(io::FileSystem& fs, const std::string& dir) {
  std::unique_ptr<PrepareLock> lock(new PrepareLock(fs, dir));
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    auto file = fs.Open(lock->path_, {.write = true});
    if (file.status().code() == StatusCode::kNotFound) {
      file = fs.Open(lock->path_, {.write = true, .create = true});
      if (file.status().code() == StatusCode::kAlreadyExists) continue;
    }
    HBK_RETURN_IF_ERROR(file.status());
    HBK_ASSIGN_OR_RETURN(const bool is_locked, (*file)->TryLock());
    if (!is_locked) {
      return Status(StatusCode::kTargetInUse, "another prepare works on " + dir);
    }
    // Whoever held the lock until now may have removed the file meanwhile.
    HBK_ASSIGN_OR_RETURN(const io::FileInfo ours, (*file)->Stat());
    const auto there = fs.Stat(lock->path_, false);
    if (!there.ok() || there->inode != ours.inode) continue;
    lock->was_interrupted_ = ours.size != 0;
    lock->is_changing_ = lock->was_interrupted_;
    lock->file_ = std::move(file).value();
    return lock;
  }
  return Status(StatusCode::kTargetInUse, "other prepares come and go on " + dir);
}

PrepareLock::~PrepareLock() {
  // An empty lock file left behind says nothing and stops nobody.
  if (file_ != nullptr && !is_changing_) (void)fs_.Remove(path_);
}

Status PrepareLock::BeginChanges() {
  if (is_changing_) return OkStatus();
  is_changing_ = true;
  HBK_RETURN_IF_ERROR(file_->WriteAt(0, AsBytes(kChangingText)));
  HBK_RETURN_IF_ERROR(file_->Sync());
  return fs_.SyncDirectory(dir_);
}

Status PrepareLock::Finish() {
  HBK_RETURN_IF_ERROR(fs_.Remove(path_));
  is_changing_ = false;
  HBK_RETURN_IF_ERROR(file_->Close());
  file_ = nullptr;
  return fs_.SyncDirectory(dir_);
}

Status CheckNoServer(io::FileSystem& fs, const BackupSet& set) {
  const auto holder = fs.LockHolder(set.Path(set.system_files.front()));
  // A missing file is told of later, by what needs it.
  if (holder.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(holder.status());
  if (*holder == 0) return OkStatus();
  return Status(StatusCode::kTargetInUse,
                fmt::format("a server (process {}) runs on {}", *holder, set.dir));
}

}  // namespace hbk::prepare
