#include "hbk/store/stored_directory.h"

#include <algorithm>
#include <utility>

#include "name_below.h"

namespace hbk::store {
namespace {

bool IsMissing(const Status& status) {
  return status.code() == StatusCode::kNotFound;
}

}  // namespace

StoredDirectory::StoredDirectory(io::FileSystem& below, Naming naming)
    : below_(below),
      naming_{.directory = WithoutSlashBehind(std::move(naming.directory)),
              .suffix = std::move(naming.suffix),
              .is_kept = std::move(naming.is_kept),
              .takes_plain_files = naming.takes_plain_files} {}

std::optional<std::string_view> StoredDirectory::NameOf(std::string_view path) const {
  return NameBelow(naming_.directory, path);
}

bool StoredDirectory::IsStored(std::string_view path) const {
  const auto name = NameOf(path);
  return name && !name->empty() && !naming_.is_kept(*name);
}

io::OpenOptions StoredDirectory::OptionsBelow(io::OpenOptions options) {
  if (options.write && options.direct) {
    options.direct = false;
    options.write_behind = true;
  }
  return options;
}

std::string StoredDirectory::StoredPath(std::string_view path) const {
  return std::string(path) + naming_.suffix;
}

Result<io::FileInfo> StoredDirectory::StatPlain(const std::string& path, bool follow) {
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, below_.Stat(path, follow));
  if (info.type != io::FileType::kRegular || naming_.takes_plain_files) return info;
  return NotFoundError(StoredPath(path) + ": no such file");
}

Result<std::unique_ptr<io::File>> StoredDirectory::Open(const std::string& path,
                                                        const io::OpenOptions& options) {
  if (!IsStored(path)) return below_.Open(path, options);
  auto file = OpenStored(path, options);
  const bool is_missing = !file.ok() && IsMissing(file.status()) && !options.create;
  return is_missing && naming_.takes_plain_files ? below_.Open(path, options) : std::move(file);
}

Result<io::FileInfo> StoredDirectory::Stat(const std::string& path, bool follow) {
  if (!IsStored(path)) return below_.Stat(path, follow);
  const auto info = below_.Stat(StoredPath(path), follow);
  if (!info.ok() && IsMissing(info.status())) return StatPlain(path, follow);
  HBK_RETURN_IF_ERROR(info.status());
  if (info->type != io::FileType::kRegular) return info;
  HBK_ASSIGN_OR_RETURN(const auto file, OpenStored(path, {.follow = follow}));
  auto plain = file->Stat();
  // In an archive that is being written.
  return plain.status().code() == StatusCode::kUnsupported ? info : std::move(plain);
}

Result<std::vector<io::DirectoryEntry>> StoredDirectory::List(const std::string& path) {
  HBK_ASSIGN_OR_RETURN(auto entries, below_.List(path));
  if (!NameOf(path)) return entries;
  std::vector<io::DirectoryEntry> shown;
  for (io::DirectoryEntry& entry : entries) {
    bool is_shown = entry.type != io::FileType::kRegular || naming_.takes_plain_files ||
                    !IsStored(io::JoinPath(path, entry.name));
    if (entry.type != io::FileType::kDirectory && entry.name.ends_with(naming_.suffix)) {
      std::string name = entry.name.substr(0, entry.name.size() - naming_.suffix.size());
      if (!name.empty() && IsStored(io::JoinPath(path, name))) {
        entry.name = std::move(name);
        is_shown = true;
      }
    }
    if (is_shown) shown.push_back(std::move(entry));
  }
  std::ranges::sort(shown, {}, &io::DirectoryEntry::name);
  const auto twice = std::unique(shown.begin(), shown.end(),
                                 [](const auto& a, const auto& b) { return a.name == b.name; });
  shown.erase(twice, shown.end());
  return shown;
}

Result<std::vector<io::FileEntry>> StoredDirectory::ListWithInfo(
    const std::string& path, const std::function<bool(std::string_view)>& is_wanted) {
  if (!NameOf(path)) return below_.ListWithInfo(path, is_wanted);
  return io::FileSystem::ListWithInfo(path, is_wanted);
}

Status StoredDirectory::MakeDirectory(const std::string& path, uint32_t mode) {
  return below_.MakeDirectory(path, mode);
}

Status StoredDirectory::Rename(const std::string& from, const std::string& to) {
  if (!IsStored(from) && !IsStored(to)) return below_.Rename(from, to);
  // Elsewhere it would be a file with a name that says something else.
  if (!IsStored(from) || !IsStored(to))
    return UnsupportedError(from + " is stored encoded or " + to + " is: it cannot be moved");
  const Status status = below_.Rename(StoredPath(from), StoredPath(to));
  if (IsMissing(status) && naming_.takes_plain_files) return below_.Rename(from, to);
  HBK_RETURN_IF_ERROR(status);
  NoteRenamed(*NameOf(from), *NameOf(to));
  return OkStatus();
}

Status StoredDirectory::Remove(const std::string& path) {
  if (!IsStored(path)) return below_.Remove(path);
  const Status status = below_.Remove(StoredPath(path));
  if (IsMissing(status) && naming_.takes_plain_files) return below_.Remove(path);
  HBK_RETURN_IF_ERROR(status);
  NoteRemoved(*NameOf(path));
  return OkStatus();
}

Status StoredDirectory::RemoveDirectory(const std::string& path) {
  return below_.RemoveDirectory(path);
}

Status StoredDirectory::SyncDirectory(const std::string& path) {
  return below_.SyncDirectory(path);
}

Result<std::unique_ptr<io::WholeSync>> StoredDirectory::BeginWholeSync(const std::string& path) {
  return below_.BeginWholeSync(path);
}

Status StoredDirectory::SetOwner(const std::string& path, uint32_t uid, uint32_t gid) {
  if (!IsStored(path)) return below_.SetOwner(path, uid, gid);
  const Status status = below_.SetOwner(StoredPath(path), uid, gid);
  return IsMissing(status) ? below_.SetOwner(path, uid, gid) : status;
}

Result<uint64_t> StoredDirectory::FreeBytes(const std::string& path) {
  return below_.FreeBytes(path);
}

Result<bool> StoredDirectory::KeepsFileTimes(const std::string& path) {
  return below_.KeepsFileTimes(path);
}

Result<std::string> StoredDirectory::ReadLink(const std::string& path) {
  return below_.ReadLink(path);
}

Result<int64_t> StoredDirectory::LockHolder(const std::string& path) {
  return IsStored(path) ? below_.LockHolder(StoredPath(path)) : below_.LockHolder(path);
}

}  // namespace hbk::store
