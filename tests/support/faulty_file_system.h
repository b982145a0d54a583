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

  io::FileSystem& inner_;
  mutable Mutex mutex_;
  FaultKind kind_ HBK_GUARDED_BY(mutex_) = FaultKind::kNone;
  uint64_t k_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t operation_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t change_count_ HBK_GUARDED_BY(mutex_) = 0;
  bool has_fired_ HBK_GUARDED_BY(mutex_) = false;
};

}  // namespace hbk::testing
