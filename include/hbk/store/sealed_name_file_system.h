// The files of a backup that lie there under names that say nothing, as if they had their own.
//
// A file system above another one, for the files below one directory: what is "db/t.ibd.sealed"
// lies in the directory itself under 32 hex digits. What is in it is for the layer above
// (sealed_file_system.h). There are no directories below that one; they are shown.
//
// Which names there are says the manifest; those of new files are noted.
//
// Format   docs/format/sealed-files.md, "Sealed names".
// Errors   kNotFound: the file is not one of those that are known. Those of HideName.
// Threads  As io::FileSystem. `below` must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/store/stored_directory.h"

namespace hbk::store {

class SealedNameFileSystem final : public io::FileSystem {
 public:
  // The name under which a file lies there: the same for the same file, and of no two the same.
  using HideName = std::function<Result<std::string>(std::string_view name)>;

  // Of a new backup: nothing is in it yet.
  SealedNameFileSystem(io::FileSystem& below, std::string directory, HideName hide, IsKept is_kept);

  // Of one that is there: a file, relative to the directory, or a directory that may be empty.
  Status AddFile(std::string_view name) HBK_EXCLUDES(mutex_);
  void AddDirectory(std::string_view name) HBK_EXCLUDES(mutex_);

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
  Result<std::unique_ptr<io::WholeSync>> BeginWholeSync(const std::string& path) override;
  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Result<bool> KeepsFileTimes(const std::string& path) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Result<int64_t> LockHolder(const std::string& path) override;

 private:
  // The name, if it is hidden: it lies in the directory, and is not kept.
  [[nodiscard]] std::optional<std::string_view> HiddenNameOf(std::string_view path) const;
  // Where the file lies, which must be known.
  Result<std::string> Find(const std::string& path, std::string_view name) HBK_EXCLUDES(mutex_);
  // The same for what need not be hidden.
  Result<std::string> PathBelow(const std::string& path) HBK_EXCLUDES(mutex_);
  // Where a file with the name would lie.
  Result<std::string> NewPath(std::string_view name);
  // The directory itself, for those that are only shown.
  [[nodiscard]] const std::string& Shown(const std::string& path) const;
  [[nodiscard]] bool HasDirectory(std::string_view name) const HBK_REQUIRES(mutex_);

  io::FileSystem& below_;
  const std::string directory_;
  const HideName hide_;
  const IsKept is_kept_;
  Mutex mutex_;
  std::map<std::string, std::string, std::less<>> files_ HBK_GUARDED_BY(mutex_);  // name to path
  std::set<std::string, std::less<>> directories_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::store
