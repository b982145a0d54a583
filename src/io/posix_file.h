// A File over a POSIX file descriptor, buffered or direct.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "hbk/base/mutex.h"
#include "hbk/io/file_system.h"

#include "write_behind.h"

namespace hbk::io {

// What statx() says of `path` (empty: of `dir_fd` itself), in our words. `flags` as for fstatat().
// errno tells what went wrong.
std::optional<FileInfo> StatFile(int dir_fd, const char* path, int flags);

// The queue is for files that are written behind; borrowed.
Result<std::unique_ptr<File>> OpenPosixFile(const std::string& path, const OpenOptions& options,
                                            WriteBehindQueue& queue);

// A direct file keeps a second, buffered descriptor for the transfers that O_DIRECT cannot do:
// those that are not aligned. It is opened when the first of them comes.
class PosixFile final : public File {
 public:
  // Takes the descriptor over, and borrows the queue.
  PosixFile(int fd, std::string path, const OpenOptions& options, WriteBehindQueue& queue)
      : fd_(fd), path_(std::move(path)), is_direct_(options.direct), queue_(queue) {
    if (options.write_behind) behind_.emplace(fd, path_, queue);
  }
  ~PosixFile() override;
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override;
  Status WriteAt(uint64_t offset, ByteView data) override;
  Status Truncate(uint64_t size) override;
  Status PunchHole(uint64_t offset, uint64_t size) override;
  Result<bool> CloneFrom(File& source) override;
  void WillRead(uint64_t offset, uint64_t size) override;
  void StartWriteBack(uint64_t offset, uint64_t size) override;
  Status Sync() override;
  Result<FileInfo> Stat() override;
  Result<uint64_t> SeekData(uint64_t offset) override;
  Status SetOwner(uint32_t uid, uint32_t gid) override;
  Status SetMode(uint32_t mode) override;
  Result<bool> TryLock() override;
  Status Close() override;

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] bool is_direct() const override { return is_direct_; }

 private:
  // The descriptor that can do this transfer.
  Result<int> DescriptorFor(uint64_t offset, const uint8_t* memory, size_t size);
  Result<int> BufferedDescriptor() HBK_EXCLUDES(mutex_);
  // True if the transfer should be tried again, buffered: the file system took O_DIRECT at open
  // and refuses it now.
  bool FallBackToBuffered(int error_number, int used_fd);
  Status SwitchToBuffered();
  Status ErrorAt(std::string_view verb, uint64_t offset, size_t size, int error_number) const;

  int fd_;
  const std::string path_;
  std::atomic<bool> is_direct_;
  WriteBehindQueue& queue_;
  std::optional<WriteBehind> behind_;
  Mutex mutex_;
  int buffered_fd_ HBK_GUARDED_BY(mutex_) = -1;
};

}  // namespace hbk::io
