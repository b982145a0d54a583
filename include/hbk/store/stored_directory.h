// A file system above another one that shows the files of one directory under other names than they
// have: what lies there as "t.ibd.zst" is "t.ibd". What it does to their content is for those who
// derive from it.
//
// Everything elsewhere, and what is kept as it is, goes straight through.
//
// Threads  As io::FileSystem. `below` must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::store {

// True for files that lie there as they are; `name` is relative to the directory.
using IsKept = std::function<bool(std::string_view name)>;

class StoredDirectory : public io::FileSystem {
 public:
  Result<std::unique_ptr<io::File>> Open(const std::string& path,
                                         const io::OpenOptions& options) final;
  Result<io::FileInfo> Stat(const std::string& path, bool follow) final;
  Result<std::vector<io::DirectoryEntry>> List(const std::string& path) final;
  Result<std::vector<io::FileEntry>> ListWithInfo(
      const std::string& path, const std::function<bool(std::string_view)>& is_wanted) final;
  Status MakeDirectory(const std::string& path, uint32_t mode) final;
  Status Rename(const std::string& from, const std::string& to) final;
  Status Remove(const std::string& path) final;
  Status RemoveDirectory(const std::string& path) final;
  Status SyncDirectory(const std::string& path) final;
  Result<std::unique_ptr<io::WholeSync>> BeginWholeSync(const std::string& path) final;
  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) final;
  Result<uint64_t> FreeBytes(const std::string& path) final;
  Result<bool> KeepsFileTimes(const std::string& path) final;
  Result<std::string> ReadLink(const std::string& path) final;
  Result<int64_t> LockHolder(const std::string& path) final;

 protected:
  struct Naming {
    std::string directory;  // need not be there yet. Paths lead into it if they begin with it
    std::string suffix;     // behind the names of stored files; empty: they have their own
    IsKept is_kept;
    // A file without the suffix is one, too: of a directory that was unpacked by half.
    bool takes_plain_files = false;
  };
  StoredDirectory(io::FileSystem& below, Naming naming);

  [[nodiscard]] io::FileSystem& below() const { return below_; }
  // Nothing: it does not lie in the directory. Else the name relative to it, empty for itself.
  [[nodiscard]] std::optional<std::string_view> NameOf(std::string_view path) const;
  [[nodiscard]] std::string StoredPath(std::string_view path) const;
  // How the stored file is opened: what is encoded comes in odd sizes, unfit for direct writes.
  static io::OpenOptions OptionsBelow(io::OpenOptions options);

 private:
  // `path` is one of a file that is not kept as it is.
  virtual Result<std::unique_ptr<io::File>> OpenStored(const std::string& path,
                                                       const io::OpenOptions& options) = 0;
  virtual void NoteRenamed(std::string_view /*from*/, std::string_view /*to*/) {}
  virtual void NoteRemoved(std::string_view /*name*/) {}

  [[nodiscard]] bool IsStored(std::string_view path) const;
  // What is at a path where no stored file is: a directory, or a plain file if those are taken.
  Result<io::FileInfo> StatPlain(const std::string& path, bool follow);

  io::FileSystem& below_;
  const Naming naming_;
};

}  // namespace hbk::store
