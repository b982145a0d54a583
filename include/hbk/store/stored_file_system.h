// The files of a backup as they were, whatever they lie there as: compressed, or as they are.
//
// A file system above another one. Of the files below one directory it shows the plain ones, under
// their plain names, and keeps the stored ones: what is written into it is encoded on its way, what
// is read from it decoded. Everything elsewhere, and what is kept as it is, goes straight through.
// So the copiers, the readers of deltas and logs, copy-back and the rest need not know.
//
// A new file is written once: by WriteAt from front to back, when its size is not known; or, when
// Truncate has said it first, by parts of one chunk each (kFileChunkBytes), in any order and by
// several threads, with SkipZeros for those that are zeros, and at the end Truncate once more. It
// is whole when Close has returned; Sync counts from there, too. What is not written whole (Close
// without the last Truncate) cannot be read.
//
// A stored file can be read, renamed, removed and written anew, not changed.
//
// Format   docs/format/compressed-files.md, docs/design/0008-stored-files.md.
// Units    Offsets and sizes are bytes, of plain files. What is allocated is said to be the size.
// Memory   See filter/compressed_file.h; and 1 MiB for each file that is being written.
// Errors   kCorruption: a stored file is damaged. kUnsupported: what a stored file cannot.
// Threads  As io::FileSystem. `below` must outlive it, and it the files.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/codec/frame_codec.h"
#include "hbk/filter/compressed_file.h"
#include "hbk/io/file_system.h"

namespace hbk::store {

// How files are stored.
struct StoreForm {
  codec::FrameChoice compression;
  [[nodiscard]] bool is_plain() const { return compression.method == codec::FrameMethod::kNone; }
  // What is put behind the name of a file: ".zst".
  [[nodiscard]] std::string suffix() const {
    return std::string(codec::FrameSuffix(compression.method));
  }
};

class StoredFileSystem final : public io::FileSystem {
 public:
  // True for files that lie there as they are; `name` is relative to the directory.
  using IsKept = std::function<bool(std::string_view name)>;
  // `directory` need not be there yet. Paths lead into it if they begin with just this text.
  StoredFileSystem(io::FileSystem& below, std::string directory, const StoreForm& form,
                   IsKept is_kept);

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
  // Nothing: it does not lie in the directory. Else the name relative to it, empty for itself.
  [[nodiscard]] std::optional<std::string_view> NameOf(std::string_view path) const;
  [[nodiscard]] bool IsStored(std::string_view path) const;
  [[nodiscard]] std::string StoredPath(std::string_view path) const;
  Result<std::unique_ptr<io::File>> OpenStored(const std::string& path,
                                               const io::OpenOptions& options);

  io::FileSystem& below_;
  const std::string directory_;
  const StoreForm form_;
  const std::string suffix_;
  const IsKept is_kept_;
  filter::FrameEncoderPool encoders_;
};

}  // namespace hbk::store
