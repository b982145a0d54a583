#include "moved_backup.h"

#include <fmt/format.h>

#include "hbk/manifest/backup_manifest.h"

namespace hbk::restore {
namespace {

constexpr uint32_t kMetadataMode = 0600;  // as the other files of a backup
constexpr std::string_view kAsidePrefix = "hbk_moved_";

std::string AsidePath(const RestoreSource& source, const std::string& name) {
  return io::JoinPath(source.dir, fmt::format("{}{}", kAsidePrefix, name));
}

}  // namespace

Status MovedBackup::Begin(io::FileSystem& fs, const RestoreSource& source,
                          const std::string& datadir) {
  // Whatever comes of the next step: it may have left something to undo.
  has_begun_ = true;
  HBK_RETURN_IF_ERROR(io::WriteFileAtomically(
      fs, io::JoinPath(source.dir, manifest::kIncompleteMarkerName),
      fmt::format("The files of this backup were moved to {}.\n", datadir), kMetadataMode));
  for (const std::string& name : source.claim_files)
    HBK_RETURN_IF_ERROR(fs.Rename(io::JoinPath(source.dir, name), AsidePath(source, name)));
  return fs.SyncDirectory(source.dir);
}

Status MovedBackup::Undo(io::FileSystem& fs, const RestoreSource& source) {
  if (!has_begun_) return OkStatus();
  for (const std::string& name : source.claim_files) {
    const std::string aside = AsidePath(source, name);
    HBK_ASSIGN_OR_RETURN(const bool is_aside, io::Exists(fs, aside));
    if (is_aside) HBK_RETURN_IF_ERROR(fs.Rename(aside, io::JoinPath(source.dir, name)));
  }
  const Status status = fs.Remove(io::JoinPath(source.dir, manifest::kIncompleteMarkerName));
  if (status.code() != StatusCode::kNotFound) HBK_RETURN_IF_ERROR(status);
  return fs.SyncDirectory(source.dir);
}

Status MovedBackup::RemoveLeftovers(io::FileSystem& fs, const RestoreSource& source,
                                    const std::vector<std::string>& copied) {
  for (const std::string& path : copied)
    HBK_RETURN_IF_ERROR(fs.Remove(path));
  for (const std::string& name : source.claim_files)
    HBK_RETURN_IF_ERROR(fs.Remove(AsidePath(source, name)));
  std::vector<std::string> directories = source.databases;
  if (source.HasRocksdb()) directories.emplace_back(datadir::kRocksdbDirectory);
  for (const std::string& directory : directories) {
    // One that holds files we do not know stays.
    const std::string path = io::JoinPath(source.dir, directory);
    const Result<std::vector<io::DirectoryEntry>> entries = fs.List(path);
    if (!entries.ok() || !entries.value().empty()) continue;
    HBK_RETURN_IF_ERROR(fs.RemoveDirectory(path));
  }
  return fs.SyncDirectory(source.dir);
}

}  // namespace hbk::restore
