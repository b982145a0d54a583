// Another FileSystem with one fault in it: the k-th operation fails, or everything from it on.
//
// The way to use it, for k = 1, 2, ... until has_fired() is false after the run:
//
//   MemFileSystem mem;  FaultyFileSystem fs(mem);
//   fs.Arm(FaultKind::kCrash, k);
//   RunIt(fs);                    // must fail, or succeed completely
//   mem.Crash(seed);              // for a power cut; without it, a SIGKILL
//   RunIt(mem);                   // must now succeed
//
// Threads  As FileSystem demands. With several of them, which operation is the k-th is chance.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/io/file_system.h"

namespace hbk::testing {

enum class FaultKind {
  kNone,
  kIoError,     // the k-th operation of any kind says EIO
  kNoSpace,     // the k-th change says ENOSPC
  kShortWrite,  // the k-th change, if it is a WriteAt, writes half and says ENOSPC; else as
                // kNoSpace
  kShortRead,   // the k-th ReadAt gives half of what there is, as if the file ended there
  kSyncFails,   // the k-th Sync or SyncDirectory says EIO; what was to be synced is lost for good:
                // later ones of the same path say that all is well, and make nothing durable
  kCrash,       // the k-th change and every operation after it is not done, and says EIO
};

class FaultyFileSystem final : public io::FileSystem {
 public:
  // Borrows `inner`.
  explicit FaultyFileSystem(io::FileSystem& inner) : inner_(inner) {}

  // Counts from here: k = 1 is the next one.
  void Arm(FaultKind kind, uint64_t k);
  [[nodiscard]] bool has_fired() const;
  // Since Arm, or since the beginning. A change is what leaves other bytes or names behind, or
  // makes them durable: WriteAt, Truncate, PunchHole, Sync (also of all at once), SetOwner,
  // SetMode, Open that creates or truncates, MakeDirectory, Rename, Remove, RemoveDirectory,
  // SyncDirectory.
  [[nodiscard]] uint64_t operation_count() const;
  [[nodiscard]] uint64_t change_count() const;
  [[nodiscard]] uint64_t read_count() const;  // ReadAt
  [[nodiscard]] uint64_t sync_count() const;  // Sync, also of all at once, and SyncDirectory

  Result<std::unique_ptr<io::File>> Open(const std::string& path,
                                         const io::OpenOptions& options) override;
  Result<io::FileInfo> Stat(const std::string& path, bool follow) override;
  Result<std::vector<io::DirectoryEntry>> List(const std::string& path) override;
  Status MakeDirectory(const std::string& path, uint32_t mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::unique_ptr<io::WholeSync>> BeginWholeSync(const std::string& path) override;
  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Result<bool> KeepsFileTimes(const std::string& path) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Result<int64_t> LockHolder(const std::string& path) override;

 private:
  friend class FaultyFile;
  friend class FaultyWholeSync;
  enum class Fate { kPass, kFail, kHalf };

  // Counts the operation, and says what becomes of it; the Status is why it fails.
  Status Count(bool is_change, const std::string& what, Fate* fate = nullptr) HBK_EXCLUDES(mutex_);
  // Whether this read is the one that is cut.
  bool IsCutRead() HBK_EXCLUDES(mutex_);
  // What becomes of a sync of this path: kHalf says that all is well without doing anything.
  Fate FateOfSync(const std::string& path) HBK_EXCLUDES(mutex_);

  io::FileSystem& inner_;
  mutable Mutex mutex_;
  FaultKind kind_ HBK_GUARDED_BY(mutex_) = FaultKind::kNone;
  uint64_t k_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t operation_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t change_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t read_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t sync_count_ HBK_GUARDED_BY(mutex_) = 0;
  std::set<std::string> lost_ HBK_GUARDED_BY(mutex_);  // paths whose sync has failed
  bool has_fired_ HBK_GUARDED_BY(mutex_) = false;
};

}  // namespace hbk::testing
