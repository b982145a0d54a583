// The files of a backup that lie there sealed, as if they were not.
//
// A file system above another one, for the files below one directory. What is written into it is
// sealed with a key of its own for each file; what is read was sealed into just this file of this
// backup, or is an error. A file that is not sealed is not there: somebody else put it there.
//
// A new file is written once and from front to back: WriteAt where the last one ended.
// It is whole when Close has returned; Sync counts from there, too. A sealed file can be read,
// renamed and removed, not changed.
//
// Format   docs/format/sealed-files.md; ".sealed" behind the name.
// Units    Offsets and sizes are bytes, of what is sealed. What is allocated is said to be the
//          size.
// Errors   kCorruption: a sealed file is damaged, was changed or exchanged. kUnsupported: what a
//          sealed file cannot.
// Threads  As io::FileSystem. `below` must outlive it, and it the files.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/seal/data_key.h"
#include "hbk/store/stored_directory.h"

namespace hbk::store {

// What is put behind the name of a file.
constexpr std::string_view kSealedSuffix = ".sealed";

class SealedFileSystem final : public StoredDirectory {
 public:
  // Which file it must be, by name.
  using FileIds = std::map<std::string, seal::FileId, std::less<>>;

  // Of a new backup: nothing is in it yet.
  SealedFileSystem(io::FileSystem& below, std::string directory, seal::DataKey key, IsKept is_kept);
  // Of one that is there: other files than these are not.
  SealedFileSystem(io::FileSystem& below, std::string directory, seal::DataKey key, IsKept is_kept,
                   FileIds ids);

  // Of the files that are there now, for the manifest.
  [[nodiscard]] FileIds ids() const HBK_EXCLUDES(mutex_);

 private:
  Result<std::unique_ptr<io::File>> OpenStored(const std::string& path,
                                               const io::OpenOptions& options) override;
  void NoteRenamed(std::string_view from, std::string_view to) override;
  void NoteRemoved(std::string_view name) override;

  const seal::DataKey key_;
  mutable Mutex mutex_;
  FileIds ids_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::store
