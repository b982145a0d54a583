// The rows of MyRocks tables: a checkpoint, which the server makes while nothing commits, and its
// files, copied when the server is free again.
//
// A checkpoint is a directory of the server's with hard links to files that do not change any more
// and copies of those that do. They are copied into the backup, never linked: a backup that shares
// files with a running server could be changed through it.
//
// Checkpoints have one name for all backup tools, and a lock of the server (GET_LOCK) that says
// whose it is; so one that is there while we have the lock is a leftover, and is removed. What
// Reserve has begun ends on every way out, by a connection of its own if ours is lost. Only a
// SIGKILL leaves the checkpoint behind, for the next backup to remove.
//
// Units    Waits are seconds.
// Errors   kLockWaitTimeout: another tool has the lock. kFailed: a leftover that the server cannot
//          remove; files that no checkpoint has.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "hbk/backup/file_copier.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/server/server_session.h"

#include "backup_record.h"

namespace hbk::backup {

class RocksdbCheckpoint {
 public:
  using Connector = std::function<Result<std::unique_ptr<server::ServerSession>>()>;

  // Refuses a leftover that the server could not remove: it removes files, no directories. For the
  // beginning of a backup; Reserve comes much later.
  static Status CheckLeftover(io::FileSystem& fs, const std::string& rocksdb_dir);
  // Takes the lock, clears away a leftover, and flushes what a checkpoint would have to flush.
  // `rocksdb_dir` is absolute. `fs` outlives this.
  static Result<std::unique_ptr<RocksdbCheckpoint>> Reserve(io::FileSystem& fs, Connector connect,
                                                            const std::string& rocksdb_dir,
                                                            uint32_t lock_wait_s,
                                                            std::stop_token stop);
  ~RocksdbCheckpoint();
  RocksdbCheckpoint(const RocksdbCheckpoint&) = delete;
  RocksdbCheckpoint& operator=(const RocksdbCheckpoint&) = delete;

  // Under BLOCK_COMMIT: transactions of several statements commit until then.
  Status Create();
  // Files are noted in the record.
  Status Copy(FileCopier& copier, BackupRecord& record, std::stop_token stop);
  // Removes the checkpoint and gives the lock back. Called once; without it the destructor does so.
  Status Remove();

  [[nodiscard]] const std::string& dir() const { return dir_; }

 private:
  RocksdbCheckpoint(io::FileSystem& fs, Connector connect, const std::string& rocksdb_dir);
  Status RemoveLeftover();
  Status RemoveBy(server::ServerSession& session);

  io::FileSystem& fs_;
  Connector connect_;
  std::string dir_;
  std::unique_ptr<server::ServerSession> session_;  // has the lock; null: given back
  bool may_exist_ = false;
};

}  // namespace hbk::backup
