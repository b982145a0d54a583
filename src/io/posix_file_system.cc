#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <dirent.h>

#include "hbk/io/file_system.h"

#include "posix_file.h"
#include "posix_whole_sync.h"
#include "scoped_fd.h"

namespace hbk::io {
namespace {

// A thread costs as much as the attributes of some twenty files.
constexpr size_t kFilesPerThread = 500;
constexpr size_t kThreadsMax = 8;

// f_type of statfs(): ext2 to ext4, xfs, btrfs, tmpfs, zfs.
constexpr std::array<uint32_t, 5> kKeepsTimes = {0xEF53, 0x58465342, 0x9123683E, 0x01021994,
                                                 0x2FC12FC1};

struct CloseDirectory {
  void operator()(DIR* dir) const { (void)closedir(dir); }
};

// The type of an entry; kNotFound if it has vanished since it was listed.
Result<FileType> TypeOfEntry(DIR* dir, const dirent& entry, const std::string& path) {
  switch (entry.d_type) {
    case DT_REG: return FileType::kRegular;
    case DT_DIR: return FileType::kDirectory;
    case DT_LNK: return FileType::kSymlink;
    case DT_UNKNOWN: break;
    default: return FileType::kOther;
  }
  // Some file systems do not keep the type in the directory.
  const auto info = StatFile(dirfd(dir), entry.d_name, AT_SYMLINK_NOFOLLOW);
  if (!info) return ErrnoStatus(errno, "reading the attributes of " + JoinPath(path, entry.d_name));
  return info->type;
}

// Asks for the attributes of some files; those that have vanished lose their names.
Status AddInfoTo(int dir_fd, const std::string& path, std::span<FileEntry> files) {
  for (FileEntry& file : files) {
    const auto info = StatFile(dir_fd, file.entry.name.c_str(), AT_SYMLINK_NOFOLLOW);
    if (info) {
      file.info = *info;
      file.entry.type = info->type;
    } else if (errno == ENOENT) {
      file.entry.name.clear();
    } else {
      return ErrnoStatus(errno, "reading the attributes of " + JoinPath(path, file.entry.name));
    }
  }
  return OkStatus();
}

// Splits that many files into parts [begin, end), each for a thread if that is worth it.
Status DoByParts(size_t count, const std::function<Status(size_t begin, size_t end)>& do_part) {
  const size_t threads =
      std::min<size_t>({count / kFilesPerThread + 1, kThreadsMax,
                        std::max<size_t>(1, std::thread::hardware_concurrency())});
  const size_t share = (count + threads - 1) / threads;
  std::vector<std::future<Status>> others;
  for (size_t begin = share; begin < count; begin += share) {
    others.push_back(std::async(std::launch::async, [&do_part, begin, share, count] {
      return do_part(begin, std::min(begin + share, count));
    }));
  }
  Status status = do_part(0, std::min(share, count));
  for (std::future<Status>& other : others) {
    const Status end = other.get();
    if (status.ok()) status = end;
  }
  return status;
}

Status AddInfo(int dir_fd, const std::string& path, std::vector<FileEntry>& files) {
  return DoByParts(files.size(), [&](size_t begin, size_t end) {
    return AddInfoTo(dir_fd, path, std::span(files).subspan(begin, end - begin));
  });
}

class PosixFileSystemImpl final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, const OpenOptions& options) override {
    return OpenPosixFile(path, options, queue_);
  }

  Result<FileInfo> Stat(const std::string& path, bool follow) override {
    const auto info = StatFile(AT_FDCWD, path.c_str(), follow ? 0 : AT_SYMLINK_NOFOLLOW);
    if (!info) return ErrnoStatus(errno, "reading the attributes of " + path);
    return *info;
  }

  Result<std::vector<DirectoryEntry>> List(const std::string& path) override;
  Result<std::vector<FileEntry>> ListWithInfo(
      const std::string& path, const std::function<bool(std::string_view)>& is_wanted) override;

  Result<std::vector<std::optional<FileInfo>>> StatAll(
      const std::string& dir, const std::vector<const std::string*>& names) override;

  Status MakeDirectory(const std::string& path, uint32_t mode) override {
    if (mkdir(path.c_str(), mode) != 0) return ErrnoStatus(errno, "creating directory " + path);
    return OkStatus();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) {
      return ErrnoStatus(errno, "renaming " + from + " to " + to);
    }
    return OkStatus();
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return ErrnoStatus(errno, "removing " + path);
    return OkStatus();
  }

  Status RemoveDirectory(const std::string& path) override {
    if (rmdir(path.c_str()) != 0) return ErrnoStatus(errno, "removing directory " + path);
    return OkStatus();
  }

  Status SyncDirectory(const std::string& path) override;
  Result<std::unique_ptr<WholeSync>> BeginWholeSync(const std::string& path) override;

  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) override {
    if (lchown(path.c_str(), uid, gid) != 0) {
      return ErrnoStatus(errno, "setting the owner of " + path);
    }
    return OkStatus();
  }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs st {};
    if (statvfs(path.c_str(), &st) != 0) {
      return ErrnoStatus(errno, "reading the free space at " + path);
    }
    return uint64_t{st.f_bavail} * uint64_t{st.f_frsize};
  }

  Result<bool> KeepsFileTimes(const std::string& path) override {
    struct statfs st {};
    if (statfs(path.c_str(), &st) != 0) {
      return ErrnoStatus(errno, "reading the kind of the file system at " + path);
    }
    const auto type = static_cast<uint32_t>(st.f_type);
    return std::find(kKeepsTimes.begin(), kKeepsTimes.end(), type) != kKeepsTimes.end();
  }

  Result<std::string> ReadLink(const std::string& path) override;
  Result<int64_t> LockHolder(const std::string& path) override;

 private:
  WriteBehindQueue queue_;
};

Result<std::vector<DirectoryEntry>> PosixFileSystemImpl::List(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> dir(opendir(path.c_str()));
  if (dir == nullptr) return ErrnoStatus(errno, "listing " + path);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    // The stream is ours alone, which is all that readdir needs.
    const dirent* entry = readdir(dir.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) {
      if (errno != 0) return ErrnoStatus(errno, "listing " + path);
      break;
    }
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const Result<FileType> type = TypeOfEntry(dir.get(), *entry, path);
    if (!type.ok()) {
      if (type.status().code() == StatusCode::kNotFound) continue;
      return type.status();
    }
    entries.push_back({name, *type});
  }
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

// Attributes are asked for by name in the open directory: no path is walked for each.
Result<std::vector<FileEntry>> PosixFileSystemImpl::ListWithInfo(
    const std::string& path, const std::function<bool(std::string_view)>& is_wanted) {
  const std::unique_ptr<DIR, CloseDirectory> dir(opendir(path.c_str()));
  if (dir == nullptr) return ErrnoStatus(errno, "listing " + path);
  std::vector<FileEntry> files;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(dir.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) {
      if (errno != 0) return ErrnoStatus(errno, "listing " + path);
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && is_wanted(name))
      files.push_back({{std::string(name), FileType::kOther}, {}});
  }
  HBK_RETURN_IF_ERROR(AddInfo(dirfd(dir.get()), path, files));
  std::erase_if(files, [](const FileEntry& file) { return file.entry.name.empty(); });
  return files;
}

Result<std::vector<std::optional<FileInfo>>> PosixFileSystemImpl::StatAll(
    const std::string& dir, const std::vector<const std::string*>& names) {
  const ScopedFd fd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "opening directory " + dir);
  std::vector<std::optional<FileInfo>> infos(names.size());
  HBK_RETURN_IF_ERROR(DoByParts(names.size(), [&](size_t begin, size_t end) -> Status {
    for (size_t i = begin; i < end; ++i) {
      infos[i] = StatFile(fd.get(), names[i]->c_str(), /*flags=*/0);
      if (!infos[i] && errno != ENOENT)
        return ErrnoStatus(errno, "reading the attributes of " + JoinPath(dir, *names[i]));
    }
    return OkStatus();
  }));
  return infos;
}

Status PosixFileSystemImpl::SyncDirectory(const std::string& path) {
  const ScopedFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "opening directory " + path);
  // EINVAL: this file system keeps no directories that could be synced.
  if (fsync(fd.get()) != 0 && errno != EINVAL) {
    return ErrnoStatus(errno, "syncing directory " + path);
  }
  return OkStatus();
}

Result<std::unique_ptr<WholeSync>> PosixFileSystemImpl::BeginWholeSync(const std::string& path) {
  return BeginPosixWholeSync(path, queue_);
}

Result<std::string> PosixFileSystemImpl::ReadLink(const std::string& path) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t n = readlink(path.c_str(), target.data(), target.size());
    if (n < 0) return ErrnoStatus(errno, "reading the symbolic link " + path);
    if (static_cast<size_t>(n) < target.size()) {
      target.resize(static_cast<size_t>(n));
      return target;
    }
    // It may have been cut.
    target.resize(target.size() * 2);
  }
}

Result<int64_t> PosixFileSystemImpl::LockHolder(const std::string& path) {
  const ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) return ErrnoStatus(errno, "opening " + path);
  struct flock lock {};
  // Only a write lock stands in the way of a read lock.
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0;
  lock.l_len = 0;
  if (fcntl(fd.get(), F_GETLK, &lock) != 0) {
    return ErrnoStatus(errno, "asking for the lock holder of " + path);
  }
  if (lock.l_type == F_UNLCK) return int64_t{0};
  // 0: a process of another pid namespace. Negative: a lock without a process, or one held on
  // another machine.
  return lock.l_pid > 0 ? int64_t{lock.l_pid} : kUnknownLockHolder;
}

}  // namespace

FileSystem& PosixFileSystem() {
  static PosixFileSystemImpl file_system;
  return file_system;
}

}  // namespace hbk::io
