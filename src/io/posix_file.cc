#include "posix_file.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>

namespace hbk::io {
namespace {

// Linux moves at most this much in one call; asking for more only hides a short transfer.
constexpr size_t kTransferBytesMax = size_t{1} << 30;
constexpr uint64_t kOffsetMax = static_cast<uint64_t>(std::numeric_limits<off_t>::max());

bool IsAligned(uint64_t offset, const uint8_t* memory, size_t size) {
  static_assert((kDirectAlignment & (kDirectAlignment - 1)) == 0);
  return ((offset | reinterpret_cast<uintptr_t>(memory) | size) & (kDirectAlignment - 1)) == 0;
}

int64_t Nanoseconds(const statx_timestamp& t) {
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

FileType TypeOf(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kRegular;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  return FileType::kOther;
}

int OpenFlags(const OpenOptions& options) {
  // O_NONBLOCK: a FIFO under the name of a file must not stop us for ever; regular files ignore it.
  int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  flags |= options.write ? O_RDWR : O_RDONLY;
  if (options.create) flags |= O_CREAT | O_EXCL;
  if (options.truncate) flags |= O_TRUNC;
  if (!options.follow) flags |= O_NOFOLLOW;
  return flags;
}

int OpenRetrying(const char* path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = open(path, flags, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

std::optional<FileInfo> StatFile(int dir_fd, const char* path, int flags) {
  struct statx st {};
  if (statx(dir_fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &st) != 0) return std::nullopt;
  FileInfo info;
  info.type = TypeOf(st.stx_mode);
  info.device = makedev(st.stx_dev_major, st.stx_dev_minor);
  info.inode = st.stx_ino;
  info.size = st.stx_size;
  info.allocated_bytes = st.stx_blocks * 512;
  info.mtime_ns = Nanoseconds(st.stx_mtime);
  info.ctime_ns = Nanoseconds(st.stx_ctime);
  if ((st.stx_mask & STATX_BTIME) != 0) info.birth_ns = Nanoseconds(st.stx_btime);
  info.mode = st.stx_mode & 07777;
  info.uid = st.stx_uid;
  info.link_count = st.stx_nlink;
  info.gid = st.stx_gid;
  return info;
}

Result<std::unique_ptr<File>> OpenPosixFile(const std::string& path, const OpenOptions& options,
                                            WriteBehindQueue& queue) {
  HBK_CHECK(options.write || (!options.create && !options.truncate));
  HBK_CHECK(!(options.create && options.truncate));
  HBK_CHECK(!options.write_behind || (options.write && !options.direct));
  const char* verb = options.create ? "creating " : "opening ";
  const int flags = OpenFlags(options);
  bool is_direct = options.direct;
  int fd = OpenRetrying(path.c_str(), is_direct ? flags | O_DIRECT : flags, options.mode);
  if (fd < 0 && errno == EINVAL && is_direct) {
    // The file system has no O_DIRECT. With O_CREAT it may have made the file before saying so.
    is_direct = false;
    if (options.create) (void)unlink(path.c_str());
    fd = OpenRetrying(path.c_str(), flags, options.mode);
  }
  if (fd < 0) {
    if (errno == ELOOP && !options.follow) {
      return FailedError(verb + path + ": it is a symbolic link, or leads through too many");
    }
    return ErrnoStatus(errno, verb + path);
  }
  OpenOptions actual = options;
  actual.direct = is_direct;
  auto file = std::make_unique<PosixFile>(fd, path, actual, queue);
  HBK_ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  if (info.type != FileType::kRegular) return FailedError(verb + path + ": not a regular file");
  return std::unique_ptr<File>(std::move(file));
}

PosixFile::~PosixFile() {
  if (fd_ >= 0) (void)close(fd_);
  const MutexLock lock(mutex_);
  if (buffered_fd_ >= 0) (void)close(buffered_fd_);
}

Result<size_t> PosixFile::ReadAt(uint64_t offset, MutableByteView out) {
  if (offset > kOffsetMax - out.size()) return ErrorAt("reading", offset, out.size(), EOVERFLOW);
  size_t done = 0;
  while (done < out.size()) {
    const uint64_t at = offset + done;
    const size_t size = std::min(out.size() - done, kTransferBytesMax);
    HBK_ASSIGN_OR_RETURN(const int fd, DescriptorFor(at, out.data() + done, size));
    const ssize_t n = pread(fd, out.data() + done, size, static_cast<off_t>(at));
    if (n == 0) break;
    if (n > 0) {
      done += static_cast<size_t>(n);
      // A direct read that stopped at an odd byte met the end of file: asking again from there
      // would be unaligned and cost a second descriptor only to hear the same.
      if (done < out.size() && is_direct_ && (offset + done) % kDirectAlignment != 0) {
        HBK_ASSIGN_OR_RETURN(const FileInfo info, Stat());
        if (offset + done >= info.size) break;
      }
      continue;
    }
    const int error_number = errno;
    if (error_number == EINTR || FallBackToBuffered(error_number, fd)) continue;
    return ErrorAt("reading", at, size, error_number);
  }
  return done;
}

Status PosixFile::WriteAt(uint64_t offset, ByteView data) {
  if (offset > kOffsetMax - data.size()) return ErrorAt("writing", offset, data.size(), EFBIG);
  size_t done = 0;
  while (done < data.size()) {
    const uint64_t at = offset + done;
    const size_t size = std::min(data.size() - done, kTransferBytesMax);
    HBK_ASSIGN_OR_RETURN(const int fd, DescriptorFor(at, data.data() + done, size));
    const ssize_t n = pwrite(fd, data.data() + done, size, static_cast<off_t>(at));
    if (n > 0) {
      done += static_cast<size_t>(n);
      continue;
    }
    // POSIX allows 0 for a write only in ways that regular files do not have; looping on it would
    // never end.
    const int error_number = n == 0 ? EIO : errno;
    if (error_number == EINTR || FallBackToBuffered(error_number, fd)) continue;
    return ErrorAt("writing", at, size, error_number);
  }
  if (behind_) behind_->Wrote(offset, data.size());
  return OkStatus();
}

Status PosixFile::Truncate(uint64_t size) {
  if (size > kOffsetMax) return ErrnoStatus(EFBIG, "setting the size of " + path_);
  int rc = 0;
  do {
    rc = ftruncate(fd_, static_cast<off_t>(size));
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return ErrnoStatus(errno, fmt::format("setting the size of {} to {}", path_, size));
  return OkStatus();
}

Status PosixFile::PunchHole(uint64_t offset, uint64_t size) {
  HBK_ASSIGN_OR_RETURN(const FileInfo info, Stat());
  if (offset >= info.size) return OkStatus();
  // The kernel keeps the size by itself; the limit is for the types.
  size = std::min(size, info.size - offset);
  if (size == 0) return OkStatus();
  int rc = 0;
  do {
    rc = fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                   static_cast<off_t>(size));
  } while (rc != 0 && errno == EINTR);
  if (rc == 0) return OkStatus();
  if (errno == EOPNOTSUPP || errno == ENOSYS) return File::PunchHole(offset, size);
  return ErrorAt("making a hole in", offset, size, errno);
}

void PosixFile::WillRead(uint64_t offset, uint64_t size) {
  if (is_direct_) return;
  (void)posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(size),
                      POSIX_FADV_WILLNEED);
}

// An error of the write back is kept by the kernel for the next fsync.
void PosixFile::StartWriteBack(uint64_t offset, uint64_t size) {
  if (is_direct_) return;
  (void)sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(size),
                        SYNC_FILE_RANGE_WRITE);
}

Result<bool> PosixFile::CloneFrom(File& source) {
  const auto* const other = dynamic_cast<PosixFile*>(&source);
  if (other == nullptr) return false;
  int rc = 0;
  do {
    rc = ioctl(fd_, FICLONE, other->fd_);
  } while (rc != 0 && errno == EINTR);
  if (rc == 0) return true;
  // Which of them says that it cannot depends on the file system.
  if (errno == EOPNOTSUPP || errno == ENOTTY || errno == EXDEV || errno == EINVAL ||
      errno == ENOSYS || errno == EPERM) {
    return false;
  }
  return ErrnoStatus(errno, "cloning " + source.path() + " to " + path_);
}

// fsync, not fdatasync: a restored file whose owner or mode is lost in a crash does not start a
// server. One call a file makes the difference immaterial.
Status PosixFile::Sync() {
  if (behind_) behind_->Finish();
  int rc = 0;
  do {
    rc = fsync(fd_);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return ErrnoStatus(errno, "syncing " + path_);
  return queue_.status();
}

Result<FileInfo> PosixFile::Stat() {
  const auto info = StatFile(fd_, "", AT_EMPTY_PATH);
  if (!info) return ErrnoStatus(errno, "reading the attributes of " + path_);
  return *info;
}

Result<uint64_t> PosixFile::SeekData(uint64_t offset) {
  HBK_ASSIGN_OR_RETURN(const FileInfo info, Stat());
  if (offset >= info.size) return info.size;
  const off_t data = lseek(fd_, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) return static_cast<uint64_t>(data);
  if (errno == ENXIO) return info.size;
  // SEEK_DATA itself is unknown here: then all is data.
  if (errno == EINVAL || errno == EOPNOTSUPP) return offset;
  return ErrnoStatus(errno, fmt::format("looking for data after offset {} of {}", offset, path_));
}

Status PosixFile::SetOwner(uint32_t uid, uint32_t gid) {
  if (fchown(fd_, uid, gid) != 0) return ErrnoStatus(errno, "setting the owner of " + path_);
  return OkStatus();
}

Status PosixFile::SetMode(uint32_t mode) {
  if (fchmod(fd_, mode) != 0) return ErrnoStatus(errno, "setting the mode of " + path_);
  return OkStatus();
}

// flock, not a POSIX lock: that would be lost as soon as the process closes the file elsewhere.
Result<bool> PosixFile::TryLock() {
  if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return ErrnoStatus(errno, "locking " + path_);
}

Status PosixFile::Close() {
  HBK_CHECK(fd_ >= 0);
  if (behind_) behind_->Finish();
  const MutexLock lock(mutex_);
  int error_number = 0;
  for (int* fd : {&buffered_fd_, &fd_}) {
    if (*fd < 0) continue;
    // After EINTR Linux has closed the descriptor all the same; what had to be durable was synced.
    if (close(*fd) != 0 && errno != EINTR) error_number = errno;
    *fd = -1;
  }
  behind_.reset();
  if (error_number != 0) return ErrnoStatus(error_number, "closing " + path_);
  return OkStatus();
}

Result<int> PosixFile::DescriptorFor(uint64_t offset, const uint8_t* memory, size_t size) {
  HBK_CHECK(fd_ >= 0);
  if (!is_direct_ || IsAligned(offset, memory, size)) return fd_;
  return BufferedDescriptor();
}

Result<int> PosixFile::BufferedDescriptor() {
  const MutexLock lock(mutex_);
  if (buffered_fd_ >= 0) return buffered_fd_;
  // Through /proc, because the name may by now lead to another file.
  const int flags = fcntl(fd_, F_GETFL);
  if (flags < 0) return ErrnoStatus(errno, "reading the open flags of " + path_);
  const std::string link = fmt::format("/proc/self/fd/{}", fd_);
  buffered_fd_ = OpenRetrying(link.c_str(), (flags & O_ACCMODE) | O_CLOEXEC, 0);
  if (buffered_fd_ >= 0) return buffered_fd_;
  // No /proc here: then the whole file becomes a buffered one.
  HBK_RETURN_IF_ERROR(SwitchToBuffered());
  return fd_;
}

bool PosixFile::FallBackToBuffered(int error_number, int used_fd) {
  if (error_number != EINVAL || used_fd != fd_ || !is_direct_) return false;
  return SwitchToBuffered().ok();
}

Status PosixFile::SwitchToBuffered() {
  const int flags = fcntl(fd_, F_GETFL);
  if (flags < 0 || fcntl(fd_, F_SETFL, flags & ~O_DIRECT) != 0) {
    return ErrnoStatus(errno, "leaving direct I/O on " + path_);
  }
  is_direct_ = false;
  return OkStatus();
}

Status PosixFile::ErrorAt(std::string_view verb, uint64_t offset, size_t size,
                          int error_number) const {
  return ErrnoStatus(error_number,
                     fmt::format("{} {} bytes at offset {} of {}", verb, size, offset, path_));
}

}  // namespace hbk::io
