#include "rocksdb_checkpoint.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace hbk::backup {

namespace {

constexpr std::string_view kName = "mariabackup-checkpoint";
// A checkpoint has it whatever else it has: it names the manifest of RocksDB.
constexpr std::string_view kCurrentName = "CURRENT";
// How long a new connection waits for the server to see that the old one is gone.
constexpr uint32_t kTakeOverWaitSeconds = 30;

Status CannotRemove(const std::string& dir) {
  return FailedError(
             fmt::format("{} is left of an earlier backup, and the server cannot remove it", dir))
      .WithHint(fmt::format("remove it: rm -r '{}'", dir));
}

}  // namespace

Status RocksdbCheckpoint::CheckLeftover(io::FileSystem& fs, const std::string& rocksdb_dir) {
  const std::string dir = io::JoinPath(rocksdb_dir, kName);
  const auto entries = fs.List(dir);
  if (!entries.ok()) {
    // Another tool may have removed its own.
    if (entries.status().code() == StatusCode::kNotFound) return OkStatus();
    return entries.status();
  }
  for (const io::DirectoryEntry& entry : *entries) {
    if (entry.type == io::FileType::kDirectory) return CannotRemove(dir);
  }
  return OkStatus();
}

RocksdbCheckpoint::RocksdbCheckpoint(io::FileSystem& fs, Connector connect,
                                     const std::string& rocksdb_dir)
    : fs_(fs), connect_(std::move(connect)), dir_(io::JoinPath(rocksdb_dir, kName)) {}

Result<std::unique_ptr<RocksdbCheckpoint>> RocksdbCheckpoint::Reserve(
    io::FileSystem& fs, Connector connect, const std::string& rocksdb_dir, uint32_t lock_wait_s,
    std::stop_token stop) {
  std::unique_ptr<RocksdbCheckpoint> checkpoint(
      new RocksdbCheckpoint(fs, std::move(connect), rocksdb_dir));
  HBK_ASSIGN_OR_RETURN(auto session, checkpoint->connect_());
  session->SetStop(std::move(stop));
  HBK_ASSIGN_OR_RETURN(const bool is_ours, session->LockRocksdbCheckpoint(lock_wait_s));
  if (!is_ours) {
    return Status(StatusCode::kLockWaitTimeout,
                  fmt::format("another backup tool has used the checkpoint of MyRocks for more "
                              "than {} s",
                              lock_wait_s))
        .WithHint("let that backup end first, or raise --lock-wait-timeout");
  }
  checkpoint->session_ = std::move(session);
  HBK_RETURN_IF_ERROR(checkpoint->RemoveLeftover());
  // Else the checkpoint would do it, while nothing can commit.
  HBK_RETURN_IF_ERROR(checkpoint->session_->FlushRocksdb());
  return checkpoint;
}

RocksdbCheckpoint::~RocksdbCheckpoint() {
  // Nobody is left to be told; the next backup removes what could not be removed.
  if (session_ != nullptr) (void)Remove().ok();
}

Status RocksdbCheckpoint::RemoveLeftover() {
  HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs_, dir_));
  if (!is_there) return OkStatus();
  HBK_RETURN_IF_ERROR(session_->RemoveRocksdbCheckpoint());
  // The server says nothing if it could not.
  HBK_ASSIGN_OR_RETURN(const bool is_still_there, io::Exists(fs_, dir_));
  return is_still_there ? CannotRemove(dir_) : OkStatus();
}

Status RocksdbCheckpoint::Create() {
  may_exist_ = true;
  HBK_RETURN_IF_ERROR(session_->CreateRocksdbCheckpoint(dir_));
  HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs_, io::JoinPath(dir_, kCurrentName)));
  if (is_there) return OkStatus();
  return FailedError(
      fmt::format("{}: the server has made a checkpoint of MyRocks, but it is not there", dir_));
}

Status RocksdbCheckpoint::Copy(FileCopier& copier, BackupRecord& record, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(const auto entries, fs_.List(dir_));
  std::vector<CopyJob> jobs;
  for (const io::DirectoryEntry& entry : entries) {
    CopyJob job;
    job.name = fmt::format("{}/{}", datadir::kRocksdbDirectory, entry.name);
    job.source_path = io::JoinPath(dir_, entry.name);
    // To leave something out would be to lose rows.
    if (entry.type != io::FileType::kRegular || !datadir::IsRocksdbFileName(job.name)) {
      return FailedError(fmt::format("{}: no file of a MyRocks checkpoint", job.source_path));
    }
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs_.Stat(job.source_path, /*follow=*/false));
    job.size_hint = info.size;
    jobs.push_back(std::move(job));
  }
  HBK_ASSIGN_OR_RETURN(const auto results, copier.Copy(std::move(jobs), std::move(stop)));
  for (const CopyResult& result : results)
    record.AddCopied(datadir::FileKind::kRocksdb, CopyStage::kEnd, result);
  return OkStatus();
}

Status RocksdbCheckpoint::Remove() {
  HBK_CHECK(session_ != nullptr);
  // Whatever becomes of it, the lock ends with the session.
  const auto session = std::exchange(session_, nullptr);
  session->SetStop({});
  Status status = RemoveBy(*session);
  if (status.code() != StatusCode::kConnectionLost || !may_exist_) return status;
  auto again = connect_();
  if (!again.ok()) return again.status().WithContext(fmt::format("{} is left behind", dir_));
  const auto is_ours = (*again)->LockRocksdbCheckpoint(kTakeOverWaitSeconds);
  HBK_RETURN_IF_ERROR(is_ours.status().WithContext(fmt::format("{} is left behind", dir_)));
  // Another tool has it already, and has cleared ours away.
  if (!*is_ours) return OkStatus();
  return RemoveBy(**again);
}

Status RocksdbCheckpoint::RemoveBy(server::ServerSession& session) {
  if (may_exist_) {
    const Status status = session.RemoveRocksdbCheckpoint();
    if (!status.ok()) return status.WithContext(fmt::format("{} is left behind", dir_));
    may_exist_ = false;
  }
  return session.UnlockRocksdbCheckpoint();
}

}  // namespace hbk::backup
