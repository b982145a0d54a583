#include "hbk/store/sealed_file_system.h"

#include <utility>

#include "sealing_file.h"
#include "unsealing_file.h"

namespace hbk::store {

SealedFileSystem::SealedFileSystem(io::FileSystem& below, std::string directory, seal::DataKey key,
                                   IsKept is_kept)
    : SealedFileSystem(below, std::move(directory), std::move(key), std::move(is_kept), {}) {}

SealedFileSystem::SealedFileSystem(io::FileSystem& below, std::string directory, seal::DataKey key,
                                   IsKept is_kept, FileIds ids)
    : StoredDirectory(below, {.directory = std::move(directory),
                              .suffix = std::string(kSealedSuffix),
                              .is_kept = std::move(is_kept)}),
      key_(std::move(key)),
      ids_(std::move(ids)) {}

SealedFileSystem::FileIds SealedFileSystem::ids() const {
  const MutexLock lock(mutex_);
  return ids_;
}

Result<std::unique_ptr<io::File>> SealedFileSystem::OpenStored(const std::string& path,
                                                               const io::OpenOptions& options) {
  const std::string name(*NameOf(path));
  if (options.create || options.truncate) {
    HBK_ASSIGN_OR_RETURN(const seal::FileId id, seal::NewFileId());
    HBK_ASSIGN_OR_RETURN(auto file, below().Open(StoredPath(path), OptionsBelow(options)));
    HBK_ASSIGN_OR_RETURN(auto sealing, SealingFile::Create(std::move(file), path, key_, id));
    const MutexLock lock(mutex_);
    ids_.insert_or_assign(name, id);
    return std::unique_ptr<io::File>(std::move(sealing));
  }
  if (options.write) return UnsupportedError(path + " is sealed and cannot be changed");
  std::optional<seal::FileId> id;
  {
    const MutexLock lock(mutex_);
    const auto known = ids_.find(name);
    if (known != ids_.end()) id = known->second;
  }
  HBK_ASSIGN_OR_RETURN(auto file, below().Open(StoredPath(path), options));
  if (!id) return CorruptionError(StoredPath(path) + ": it does not belong to the backup");
  return std::unique_ptr<io::File>(
      std::make_unique<UnsealingFile>(std::move(file), path, key_, *id));
}

void SealedFileSystem::NoteRenamed(std::string_view from, std::string_view to) {
  const MutexLock lock(mutex_);
  auto node = ids_.extract(std::string(from));
  ids_.erase(std::string(to));
  if (node.empty()) return;
  node.key() = std::string(to);
  ids_.insert(std::move(node));
}

void SealedFileSystem::NoteRemoved(std::string_view name) {
  const MutexLock lock(mutex_);
  ids_.erase(std::string(name));
}

}  // namespace hbk::store
