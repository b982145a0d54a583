#include "hbk/store/stored_file_system.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "decoding_file.h"
#include "encoding_file.h"

namespace hbk::store {
namespace {

std::string WithoutSlashBehind(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

bool IsMissing(const Status& status) {
  return status.code() == StatusCode::kNotFound;
}

}  // namespace

StoredFileSystem::StoredFileSystem(io::FileSystem& below, std::string directory,
                                   const StoreForm& form, IsKept is_kept)
    : below_(below),
      directory_(WithoutSlashBehind(std::move(directory))),
      form_(form),
      suffix_(form.suffix()),
      is_kept_(std::move(is_kept)),
      encoders_(form.compression) {}

std::optional<std::string_view> StoredFileSystem::NameOf(std::string_view path) const {
  if (!path.starts_with(directory_)) return std::nullopt;
  path.remove_prefix(directory_.size());
  if (path.empty()) return path;
  if (directory_ == "/") return path;
  if (path.front() != '/') return std::nullopt;
  while (path.starts_with('/'))
    path.remove_prefix(1);
  return path;
}

bool StoredFileSystem::IsStored(std::string_view path) const {
  const auto name = NameOf(path);
  return name && !name->empty() && !is_kept_(*name);
}

std::string StoredFileSystem::StoredPath(std::string_view path) const {
  return std::string(path) + suffix_;
}

Result<std::unique_ptr<io::File>> StoredFileSystem::Open(const std::string& path,
                                                         const io::OpenOptions& options) {
  if (!IsStored(path)) return below_.Open(path, options);
  auto file = OpenStored(path, options);
  // A directory, or one of a directory that was unpacked by half.
  if (!file.ok() && IsMissing(file.status()) && !options.create) return below_.Open(path, options);
  return file;
}

Result<std::unique_ptr<io::File>> StoredFileSystem::OpenStored(const std::string& path,
                                                               const io::OpenOptions& options) {
  HBK_ASSIGN_OR_RETURN(auto file, below_.Open(StoredPath(path), options));
  if (options.create || options.truncate) {
    return std::unique_ptr<io::File>(
        std::make_unique<EncodingFile>(std::move(file), path, encoders_));
  }
  return std::unique_ptr<io::File>(
      std::make_unique<DecodingFile>(std::move(file), path, form_.compression.method));
}

Result<io::FileInfo> StoredFileSystem::Stat(const std::string& path, bool follow) {
  if (!IsStored(path)) return below_.Stat(path, follow);
  auto info = below_.Stat(StoredPath(path), follow);
  if (!info.ok() && IsMissing(info.status())) return below_.Stat(path, follow);
  HBK_RETURN_IF_ERROR(info.status());
  if (info->type != io::FileType::kRegular) return info;
  HBK_ASSIGN_OR_RETURN(const auto file, OpenStored(path, {.follow = follow}));
  return file->Stat();
}

Result<std::vector<io::DirectoryEntry>> StoredFileSystem::List(const std::string& path) {
  HBK_ASSIGN_OR_RETURN(auto entries, below_.List(path));
  if (!NameOf(path)) return entries;
  for (io::DirectoryEntry& entry : entries) {
    if (entry.type == io::FileType::kDirectory || !entry.name.ends_with(suffix_)) continue;
    std::string name = entry.name.substr(0, entry.name.size() - suffix_.size());
    if (!name.empty() && IsStored(io::JoinPath(path, name))) entry.name = std::move(name);
  }
  std::ranges::sort(entries, {}, &io::DirectoryEntry::name);
  const auto twice = std::ranges::unique(entries, {}, &io::DirectoryEntry::name);
  entries.erase(twice.begin(), twice.end());
  return entries;
}

Result<std::vector<io::FileEntry>> StoredFileSystem::ListWithInfo(
    const std::string& path, const std::function<bool(std::string_view)>& is_wanted) {
  if (!NameOf(path)) return below_.ListWithInfo(path, is_wanted);
  return io::FileSystem::ListWithInfo(path, is_wanted);
}

Status StoredFileSystem::MakeDirectory(const std::string& path, uint32_t mode) {
  return below_.MakeDirectory(path, mode);
}

Status StoredFileSystem::Rename(const std::string& from, const std::string& to) {
  if (!IsStored(from)) return below_.Rename(from, to);
  // Out of the directory it would be a file with a name that says something else.
  if (!IsStored(to)) return UnsupportedError(from + " is stored encoded and cannot be moved");
  const Status status = below_.Rename(StoredPath(from), StoredPath(to));
  return IsMissing(status) ? below_.Rename(from, to) : status;
}

Status StoredFileSystem::Remove(const std::string& path) {
  if (!IsStored(path)) return below_.Remove(path);
  const Status status = below_.Remove(StoredPath(path));
  return IsMissing(status) ? below_.Remove(path) : status;
}

Status StoredFileSystem::RemoveDirectory(const std::string& path) {
  return below_.RemoveDirectory(path);
}

Status StoredFileSystem::SyncDirectory(const std::string& path) {
  return below_.SyncDirectory(path);
}

Status StoredFileSystem::SetOwner(const std::string& path, uint32_t uid, uint32_t gid) {
  if (!IsStored(path)) return below_.SetOwner(path, uid, gid);
  const Status status = below_.SetOwner(StoredPath(path), uid, gid);
  return IsMissing(status) ? below_.SetOwner(path, uid, gid) : status;
}

Result<uint64_t> StoredFileSystem::FreeBytes(const std::string& path) {
  return below_.FreeBytes(path);
}

Result<bool> StoredFileSystem::KeepsFileTimes(const std::string& path) {
  return below_.KeepsFileTimes(path);
}

Result<std::string> StoredFileSystem::ReadLink(const std::string& path) {
  return below_.ReadLink(path);
}

Result<int64_t> StoredFileSystem::LockHolder(const std::string& path) {
  return below_.LockHolder(path);
}

}  // namespace hbk::store
