// The only door to the file system: everything that opens, reads, writes, renames or syncs.
//
// FileSystem is an interface so that tests can run on memory and can fail the k-th operation. The
// real one is PosixFileSystem(). Paths are plain strings; relative ones are relative to the
// working directory.
//
// Units    Offsets and sizes are bytes.
// Errors   As ErrnoStatus() maps them, with the path in the message. kNotFound and kAlreadyExists
//          can be relied on. EINTR and short transfers are dealt with inside.
// Threads  A FileSystem: any. A File: ReadAt and WriteAt from any number of threads at once, the
//          other calls from one at a time. Close once; the destructor closes without a word, so
//          whoever wrote must call Close and look at its result.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::io {

enum class FileType { kRegular, kDirectory, kSymlink, kOther };

// What stat() says. The first block identifies a file; see docs/design for what can be concluded.
struct FileInfo {
  FileType type = FileType::kOther;
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  uint64_t allocated_bytes = 0;  // on disk; less than size where there are holes
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  // When the inode was made; 0 where the file system does not say. With it an inode number that is
  // used again is told from its former owner.
  int64_t birth_ns = 0;
  uint32_t mode = 0;  // permission bits only
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t link_count = 1;  // names that it has
};

struct OpenOptions {
  bool write = false;     // else read only
  bool create = false;    // with write: the file must not exist yet (O_EXCL)
  bool truncate = false;  // with write: an existing file is emptied (not with create)
  // O_DIRECT where the file system can, buffered where not: is_direct() tells, and may turn false
  // at the first transfer.
  bool direct = false;
  // With write, and not direct: for a big file that nobody reads soon. What is written goes to the
  // disk soon and leaves the page cache when it is there; a writer waits only for what was written
  // long before.
  bool write_behind = false;
  bool follow = false;   // follow a symlink in the last component; else it is an error
  uint32_t mode = 0600;  // of a created file, before umask
};

// Offset, size and memory of a direct transfer are multiples of this. Other transfers on a direct
// file work too, but go through the page cache: fit for an odd tail, not for a copy.
constexpr uint64_t kDirectAlignment = 4096;

// What LockHolder says of a lock whose process cannot be named: it is in another pid namespace, or
// on another machine, or the lock belongs to no process.
constexpr int64_t kUnknownLockHolder = -1;

class File {
 public:
  File() = default;
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Fills `out` as far as the file goes: fewer bytes than asked for mean end of file. On a direct
  // file, too, an aligned read over an unaligned end gives the bytes that there are.
  virtual Result<size_t> ReadAt(uint64_t offset, MutableByteView out) = 0;
  // Writes all of `data` or fails.
  virtual Status WriteAt(uint64_t offset, ByteView data) = 0;
  virtual Status Truncate(uint64_t size) = 0;  // also extends, with a hole
  // Writes a part of a new file, but for the stretches of `hole_bytes` at multiples of that which
  // are all zeros: they stay holes. How many bytes were written.
  virtual Result<uint64_t> WriteSparse(uint64_t offset, ByteView data, size_t hole_bytes);
  // A part of a new file is not written, since it is zeros: for files that want to be told.
  virtual Status SkipZeros(uint64_t /*offset*/, uint64_t /*size*/) { return OkStatus(); }
  // Makes a range zeros, as a hole where the file system has such, else by writing them. The size
  // stays: what of the range lies behind the end is left out.
  virtual Status PunchHole(uint64_t offset, uint64_t size);
  // Becomes a copy of all of `source` that shares its blocks with it until one of them is written
  // to. False where the file system cannot; then nothing has changed.
  virtual Result<bool> CloneFrom(File& source);
  // Hints for what goes through the page cache: this part will be read soon; this part, which was
  // written, can go to the disk already, so that Sync has less to wait for. Nothing else comes of
  // them.
  virtual void WillRead(uint64_t /*offset*/, uint64_t /*size*/) {}
  virtual void StartWriteBack(uint64_t /*offset*/, uint64_t /*size*/) {}
  virtual Status Sync() = 0;  // data, size, owner and mode
  virtual Result<FileInfo> Stat() = 0;
  // Offset of the first byte at or after `offset` that is not in a hole; the size if none is.
  // File systems without holes answer `offset`.
  virtual Result<uint64_t> SeekData(uint64_t offset) = 0;
  virtual Status SetOwner(uint32_t uid, uint32_t gid) = 0;
  virtual Status SetMode(uint32_t mode) = 0;
  // Takes an exclusive advisory lock that lasts until Close or the end of the process. False if
  // somebody else has it. A file system without locks says true.
  virtual Result<bool> TryLock() { return true; }
  virtual Status Close() = 0;

  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual bool is_direct() const = 0;
  // Bytes are encoded on their way into it: it can be written once, and not made shorter. How:
  // hbk/store/stored_file_system.h.
  [[nodiscard]] virtual bool is_encoded() const { return false; }
};

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::kOther;  // of the entry itself: a symlink is a symlink
};

// An entry together with what stat() says of it; of a symlink, of itself.
struct FileEntry {
  DirectoryEntry entry;
  FileInfo info;
};

// Makes durable all at once what was written to a file system since this was begun: for thousands
// of files, each of which would wait for the journal of the file system by itself.
class WholeSync {
 public:
  WholeSync() = default;
  virtual ~WholeSync() = default;
  WholeSync(const WholeSync&) = delete;
  WholeSync& operator=(const WholeSync&) = delete;

  // All data, sizes, owners, modes and names; what others have written there, too. Fails if any of
  // it could not be written since this was begun.
  virtual Status Sync() = 0;
};

class FileSystem {
 public:
  FileSystem() = default;
  virtual ~FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path,
                                             const OpenOptions& options) = 0;
  // Of what the path leads to (follow) or of the symlink itself.
  virtual Result<FileInfo> Stat(const std::string& path, bool follow) = 0;
  // Sorted by name, without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> List(const std::string& path) = 0;
  // Those entries whose names are wanted, with their attributes, in no order: for directories of
  // thousands of files, whose attributes several threads ask for. An entry that vanishes meanwhile
  // is left out.
  virtual Result<std::vector<FileEntry>> ListWithInfo(
      const std::string& path, const std::function<bool(std::string_view)>& is_wanted);
  // Attributes of many files, in the order of `names`, which are relative to `dir`; symlinks are
  // followed. Nothing for one that is not there.
  virtual Result<std::vector<std::optional<FileInfo>>> StatAll(
      const std::string& dir, const std::vector<const std::string*>& names);
  virtual Status MakeDirectory(const std::string& path, uint32_t mode) = 0;   // one level
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status Remove(const std::string& path) = 0;                         // a file or symlink
  virtual Status RemoveDirectory(const std::string& path) = 0;                // an empty one
  virtual Status SyncDirectory(const std::string& path) = 0;
  // Of the file system on which the directory lies. Null where that cannot be done, or would not
  // tell of errors: then each file is to be synced.
  virtual Result<std::unique_ptr<WholeSync>> BeginWholeSync(const std::string& path);
  virtual Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) = 0;
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;  // for us, at this place
  // True if every write to a file there shows in its times, until the next boot: a file system of
  // this machine and of a kind that is known (ext, xfs, btrfs, zfs, and tmpfs, which lives in the
  // kernel's memory as these times do). False for those of the network, FUSE, and layers of others.
  virtual Result<bool> KeepsFileTimes(const std::string& path) = 0;
  // The target of a symlink, as written.
  virtual Result<std::string> ReadLink(const std::string& path) = 0;
  // Pid of the process that holds a POSIX write lock on the file; 0 if none does,
  // kUnknownLockHolder if one does that cannot be named. The server holds one on ibdata1 and on
  // aria_log_control. Takes no lock itself; but a lock that this very process has on the file is
  // not seen, and is lost, as with every close of the file.
  virtual Result<int64_t> LockHolder(const std::string& path) = 0;
};

// The real file system. One object for the process.
FileSystem& PosixFileSystem();

// dir + "/" + name, without doubling a slash; name alone if it is absolute or dir is empty.
std::string JoinPath(std::string_view dir, std::string_view name);
std::string_view BaseName(std::string_view path);
// "." for a plain name.
std::string DirName(std::string_view path);

// The whole file, symlinks followed; kCorruption if it is larger than `bytes_max`.
Result<std::string> ReadFile(FileSystem& fs, const std::string& path, uint64_t bytes_max);
// A new file with these bytes, synced (its directory is not). kAlreadyExists if it is there. After
// another failure there is no file.
Status WriteNewFile(FileSystem& fs, const std::string& path, std::string_view bytes, uint32_t mode);
// Temporary file beside it (path + ".tmp"), sync, rename, sync of the directory: old content or
// new, never less. One writer at a time.
Status WriteFileAtomically(FileSystem& fs, const std::string& path, std::string_view bytes,
                           uint32_t mode);
// Makes the directory and its missing parents; syncs nothing.
Status MakeDirectories(FileSystem& fs, const std::string& path, uint32_t mode);
// Whether there is something under this name, be it a symlink that leads nowhere.
Result<bool> Exists(FileSystem& fs, const std::string& path);

}  // namespace hbk::io
