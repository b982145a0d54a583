// An io::FileSystem in memory, that knows what a power cut would leave of it.
//
// What was not synced is volatile: the bytes of a file until its Sync, a name until SyncDirectory
// of the directory it is in. Crash() throws the volatile part away, or a part of it. Real file
// systems keep more; a program that is right here is right there.
//
// Relative paths are relative to "/". Symlinks are followed inside paths; ".." is taken off the
// text.
//
// Threads  As FileSystem demands; one lock for everything.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/io/file_system.h"

namespace hbk::testing {

class MemFile;
struct MemNode;

class MemFileSystem final : public io::FileSystem {
 public:
  MemFileSystem();
  ~MemFileSystem() override;
  MemFileSystem(const MemFileSystem&) = delete;
  MemFileSystem& operator=(const MemFileSystem&) = delete;

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

  // A file with these bytes, and the directories above it; all of it synced. Replaces.
  void PutFile(const std::string& path, std::string_view bytes);
  // A directory and those above it, synced.
  void PutDirectory(const std::string& path);
  void PutSymlink(const std::string& path, const std::string& target);
  // What is in the file now. The test fails if there is none.
  [[nodiscard]] std::string Contents(const std::string& path);
  // Every file (not directory) below `dir` with its bytes: for comparing two runs.
  [[nodiscard]] std::map<std::string, std::string> Tree(const std::string& dir);

  void SetFreeBytes(uint64_t bytes);
  void SetKeepsFileTimes(bool keeps_file_times);
  // Whether files that are made from now on have a birth. At first not.
  void SetHasBirths(bool has_births);
  void SetLockHolder(const std::string& path, int64_t pid);
  // Whether Open gives direct files when asked to. At first it does.
  void SetHasDirect(bool has_direct);
  // Whether files can share blocks. At first not.
  void SetHasClones(bool has_clones);
  [[nodiscard]] uint64_t clone_count() const;
  // Whether all can be synced at once; that is "*" in synced(). At first not.
  void SetHasWholeSync(bool has_whole_sync);

  // Paths in the order they were opened, and synced (files and directories).
  [[nodiscard]] std::vector<std::string> opened() const;
  [[nodiscard]] std::vector<std::string> synced() const;
  // Transfers on direct files that a real file system would have to do through the page cache.
  [[nodiscard]] uint64_t unaligned_direct_transfer_count() const;

  // A power cut. Seed 0 loses everything that is not synced. Another seed keeps a random half of
  // the sectors (512 bytes) that were written since, and all or none of the changes of names.
  // Files that are open fail from now on.
  void Crash(uint32_t seed);

 private:
  friend class MemFile;
  friend class MemWholeSync;
  using NodePtr = std::shared_ptr<MemNode>;
  struct Place;  // a directory and a name in it

  Result<Place> Find(const std::string& path, bool follow) HBK_REQUIRES(mutex_);
  Result<NodePtr> FindNode(const std::string& path, bool follow) HBK_REQUIRES(mutex_);
  Result<NodePtr> OpenNode(const std::string& path, const io::OpenOptions& options)
      HBK_REQUIRES(mutex_);
  NodePtr NewNode(io::FileType type, uint32_t mode) HBK_REQUIRES(mutex_);
  // A name in the directory came, went or is of another file.
  void Touch(MemNode& directory) HBK_REQUIRES(mutex_);
  NodePtr MakeDirectoriesSynced(const std::string& path) HBK_REQUIRES(mutex_);
  int64_t Tick() HBK_REQUIRES(mutex_) { return ++clock_ns_; }

  mutable Mutex mutex_;
  NodePtr root_ HBK_GUARDED_BY(mutex_);
  uint64_t last_inode_ HBK_GUARDED_BY(mutex_) = 0;
  int64_t clock_ns_ HBK_GUARDED_BY(mutex_) = 1'000'000'000;
  uint64_t crash_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t free_bytes_ HBK_GUARDED_BY(mutex_) = uint64_t{1} << 40;
  bool keeps_file_times_ HBK_GUARDED_BY(mutex_) = true;
  bool has_births_ HBK_GUARDED_BY(mutex_) = false;
  bool has_direct_ HBK_GUARDED_BY(mutex_) = true;
  bool has_clones_ HBK_GUARDED_BY(mutex_) = false;
  bool has_whole_sync_ HBK_GUARDED_BY(mutex_) = false;
  uint64_t clone_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t unaligned_count_ HBK_GUARDED_BY(mutex_) = 0;
  std::map<std::string, int64_t> lock_holders_ HBK_GUARDED_BY(mutex_);
  std::vector<std::string> opened_ HBK_GUARDED_BY(mutex_);
  std::vector<std::string> synced_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::testing
