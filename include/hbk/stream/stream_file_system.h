// A directory that is an archive: what is written below it goes into a stream, everything else to
// another file system.
//
// What it takes: new files, written at any offsets by any threads, cut to their size, closed,
// renamed, removed and made again; directories; opening a file for reading to sync it, which does
// nothing. Names, sizes and types are answered from memory.
//
// What it does not: reading back (kUnsupported), opening a file again to write more, renaming open
// files and directories, symlinks.
//
// A file NAME.tmp stays in memory until it gets its final name, as io::WriteFileAtomically does it;
// so do the names in `unsent`, for good. These can be read.
//
// Units    Offsets and sizes are bytes.
// Memory   The names of all files; those that are held, kHeldBytesMax at most; see StreamWriter.
// Errors   kUnsupported, with the path; those of the sink; else as FileSystem says.
// Threads  As FileSystem demands. Finish: one, when all files are closed.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/stream/stream_writer.h"

namespace hbk::stream {

constexpr uint64_t kHeldBytesMax = 256 << 20;

class StreamFileSystem final : public io::FileSystem {
 public:
  struct Options {
    std::string root;  // the directory; exists, and is empty at first
    // Names in it that the archive does not need, as a marker of incomplete backups.
    std::set<std::string> unsent;
  };
  // Borrows `below`.
  StreamFileSystem(io::FileSystem& below, Options options, std::unique_ptr<StreamWriter> writer);
  // Without Finish the archive is not complete.
  ~StreamFileSystem() override;

  // The end of the archive. Called once, when everything is right.
  Status Finish() HBK_EXCLUDES(mutex_);

  Result<std::unique_ptr<io::File>> Open(const std::string& path,
                                         const io::OpenOptions& options) override;
  Result<io::FileInfo> Stat(const std::string& path, bool follow) override;
  Result<std::vector<io::DirectoryEntry>> List(const std::string& path) override;
  Result<std::vector<io::FileEntry>> ListWithInfo(
      const std::string& path, const std::function<bool(std::string_view)>& is_wanted) override;
  Status MakeDirectory(const std::string& path, uint32_t mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Result<bool> KeepsFileTimes(const std::string& path) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Result<int64_t> LockHolder(const std::string& path) override;

 private:
  struct Node;
  class SentFile;
  class HeldFile;
  using NodePtr = std::shared_ptr<Node>;

  // The name in the archive; nullopt: the path is not below the root. Empty: the root itself.
  [[nodiscard]] std::optional<std::string> NameOf(const std::string& path) const;
  [[nodiscard]] bool IsHeld(const std::string& name) const;
  NodePtr Find(const std::string& name) HBK_REQUIRES(mutex_);
  Status CheckParent(const std::string& name) HBK_REQUIRES(mutex_);
  Result<std::unique_ptr<io::File>> OpenForWriting(const std::string& name, const std::string& path,
                                                   const io::OpenOptions& options)
      HBK_REQUIRES(mutex_);
  Status RemoveNode(const std::string& name, const NodePtr& node) HBK_REQUIRES(mutex_);
  Status SendHeld(const std::string& name, Node& node) HBK_REQUIRES(mutex_);

  io::FileSystem& below_;
  const Options options_;
  const std::unique_ptr<StreamWriter> writer_;
  Mutex mutex_;
  std::map<std::string, NodePtr> nodes_ HBK_GUARDED_BY(mutex_);
  uint32_t last_file_ HBK_GUARDED_BY(mutex_) = 0;
};

// The one of `hbk backup --stream`: stdout, with everything below `root` in it. kUsage if stdout is
// a terminal. `stop` ends writes that wait for the reader.
Result<std::unique_ptr<StreamFileSystem>> OpenStreamToStdout(io::FileSystem& below,
                                                             StreamFormat format,
                                                             StreamFileSystem::Options options,
                                                             std::stop_token stop);

}  // namespace hbk::stream
