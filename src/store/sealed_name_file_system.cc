#include "hbk/store/sealed_name_file_system.h"

#include <utility>

#include "name_below.h"

namespace hbk::store {
namespace {

Status NoSuchFile(const std::string& path) {
  return NotFoundError(path + ": no such file in the backup");
}

}  // namespace

SealedNameFileSystem::SealedNameFileSystem(io::FileSystem& below, std::string directory,
                                           HideName hide, IsKept is_kept)
    : below_(below),
      directory_(WithoutSlashBehind(std::move(directory))),
      hide_(std::move(hide)),
      is_kept_(std::move(is_kept)) {}

Status SealedNameFileSystem::AddFile(std::string_view name) {
  HBK_ASSIGN_OR_RETURN(std::string path, NewPath(name));
  const MutexLock lock(mutex_);
  files_.insert_or_assign(std::string(name), std::move(path));
  return OkStatus();
}

void SealedNameFileSystem::AddDirectory(std::string_view name) {
  const MutexLock lock(mutex_);
  directories_.emplace(name);
}

std::optional<std::string_view> SealedNameFileSystem::HiddenNameOf(std::string_view path) const {
  const auto name = NameBelow(directory_, path);
  return name && !name->empty() && !is_kept_(*name) ? name : std::nullopt;
}

Result<std::string> SealedNameFileSystem::NewPath(std::string_view name) {
  HBK_ASSIGN_OR_RETURN(const std::string hidden, hide_(name));
  return io::JoinPath(directory_, hidden);
}

Result<std::string> SealedNameFileSystem::Find(const std::string& path, std::string_view name) {
  const MutexLock lock(mutex_);
  const auto found = files_.find(name);
  return found == files_.end() ? Result<std::string>(NoSuchFile(path)) : found->second;
}

Result<std::string> SealedNameFileSystem::PathBelow(const std::string& path) {
  const auto name = HiddenNameOf(path);
  return name ? Find(path, *name) : path;
}

const std::string& SealedNameFileSystem::Shown(const std::string& path) const {
  return HiddenNameOf(path) ? directory_ : path;
}

bool SealedNameFileSystem::HasDirectory(std::string_view name) const {
  if (directories_.contains(name)) return true;
  const std::string prefix = std::string(name) + "/";
  const auto first = files_.lower_bound(prefix);
  return first != files_.end() && first->first.starts_with(prefix);
}

Result<std::unique_ptr<io::File>> SealedNameFileSystem::Open(const std::string& path,
                                                             const io::OpenOptions& options) {
  const auto name = HiddenNameOf(path);
  if (!name) return below_.Open(path, options);
  if (!options.create) {
    HBK_ASSIGN_OR_RETURN(const std::string hidden, Find(path, *name));
    auto file = below_.Open(hidden, options);
    HBK_RETURN_IF_ERROR(file.status().WithContext(path));
    return file;
  }
  HBK_ASSIGN_OR_RETURN(const std::string hidden, NewPath(*name));
  HBK_ASSIGN_OR_RETURN(auto file, below_.Open(hidden, options));
  const MutexLock lock(mutex_);
  files_.insert_or_assign(std::string(*name), hidden);
  return file;
}

Result<io::FileInfo> SealedNameFileSystem::Stat(const std::string& path, bool follow) {
  const auto name = HiddenNameOf(path);
  if (!name) return below_.Stat(path, follow);
  {
    const MutexLock lock(mutex_);
    if (HasDirectory(*name)) return below_.Stat(directory_, follow);
  }
  HBK_ASSIGN_OR_RETURN(const std::string hidden, Find(path, *name));
  auto info = below_.Stat(hidden, follow);
  HBK_RETURN_IF_ERROR(info.status().WithContext(path));
  return info;
}

Result<std::vector<io::DirectoryEntry>> SealedNameFileSystem::List(const std::string& path) {
  const auto name = NameBelow(directory_, path);
  if (!name) return below_.List(path);
  std::map<std::string, io::FileType> shown;
  std::set<std::string> hidden;
  {
    const MutexLock lock(mutex_);
    if (!name->empty() && !HasDirectory(*name)) return NoSuchFile(path);
    const std::string prefix = name->empty() ? "" : std::string(*name) + "/";
    const auto show = [&](std::string_view inside, io::FileType type) {
      if (!inside.starts_with(prefix)) return;
      inside.remove_prefix(prefix.size());
      const size_t slash = inside.find('/');
      const bool is_deeper = slash != std::string_view::npos;
      shown.emplace(inside.substr(0, slash), is_deeper ? io::FileType::kDirectory : type);
    };
    for (const auto& [file, lies_at] : files_) {
      show(file, io::FileType::kRegular);
      hidden.emplace(io::BaseName(lies_at));
    }
    for (const std::string& directory : directories_)
      show(directory, io::FileType::kDirectory);
  }
  if (name->empty()) {
    HBK_ASSIGN_OR_RETURN(const auto entries, below_.List(path));
    for (const io::DirectoryEntry& entry : entries)
      if (!hidden.contains(entry.name)) shown.emplace(entry.name, entry.type);
  }
  std::vector<io::DirectoryEntry> entries;
  for (const auto& [entry, type] : shown)
    entries.push_back({entry, type});
  return entries;
}

Result<std::vector<io::FileEntry>> SealedNameFileSystem::ListWithInfo(
    const std::string& path, const std::function<bool(std::string_view)>& is_wanted) {
  if (!NameBelow(directory_, path)) return below_.ListWithInfo(path, is_wanted);
  return io::FileSystem::ListWithInfo(path, is_wanted);
}

Status SealedNameFileSystem::MakeDirectory(const std::string& path, uint32_t mode) {
  const auto name = HiddenNameOf(path);
  if (!name) return below_.MakeDirectory(path, mode);
  const MutexLock lock(mutex_);
  if (!HasDirectory(*name) && directories_.emplace(*name).second) return OkStatus();
  return {StatusCode::kAlreadyExists, "creating directory " + path + ": it exists"};
}

Status SealedNameFileSystem::Rename(const std::string& from, const std::string& to) {
  const auto old_name = HiddenNameOf(from);
  const auto new_name = HiddenNameOf(to);
  HBK_ASSIGN_OR_RETURN(const std::string old_path, PathBelow(from));
  std::string new_path = to;
  if (new_name) {
    HBK_ASSIGN_OR_RETURN(new_path, NewPath(*new_name));
  }
  HBK_RETURN_IF_ERROR(below_.Rename(old_path, new_path));
  const MutexLock lock(mutex_);
  if (old_name) files_.erase(std::string(*old_name));
  if (new_name) files_.insert_or_assign(std::string(*new_name), new_path);
  return OkStatus();
}

Status SealedNameFileSystem::Remove(const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const std::string lies_at, PathBelow(path));
  HBK_RETURN_IF_ERROR(below_.Remove(lies_at));
  const auto name = HiddenNameOf(path);
  if (!name) return OkStatus();
  const MutexLock lock(mutex_);
  files_.erase(std::string(*name));
  return OkStatus();
}

Status SealedNameFileSystem::RemoveDirectory(const std::string& path) {
  const auto name = HiddenNameOf(path);
  if (!name) return below_.RemoveDirectory(path);
  const MutexLock lock(mutex_);
  return directories_.erase(std::string(*name)) != 0 ? OkStatus() : NoSuchFile(path);
}

Status SealedNameFileSystem::SyncDirectory(const std::string& path) {
  return below_.SyncDirectory(Shown(path));
}

Result<std::unique_ptr<io::WholeSync>> SealedNameFileSystem::BeginWholeSync(
    const std::string& path) {
  return below_.BeginWholeSync(Shown(path));
}

Status SealedNameFileSystem::SetOwner(const std::string& path, uint32_t uid, uint32_t gid) {
  HBK_ASSIGN_OR_RETURN(const std::string lies_at, PathBelow(path));
  return below_.SetOwner(lies_at, uid, gid);
}

Result<uint64_t> SealedNameFileSystem::FreeBytes(const std::string& path) {
  return below_.FreeBytes(Shown(path));
}

Result<bool> SealedNameFileSystem::KeepsFileTimes(const std::string& path) {
  return below_.KeepsFileTimes(Shown(path));
}

Result<std::string> SealedNameFileSystem::ReadLink(const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const std::string lies_at, PathBelow(path));
  return below_.ReadLink(lies_at);
}

Result<int64_t> SealedNameFileSystem::LockHolder(const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const std::string lies_at, PathBelow(path));
  return below_.LockHolder(lies_at);
}

}  // namespace hbk::store
