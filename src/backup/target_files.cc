#include "target_files.h"

#include <fmt/format.h>

#include "hbk/delta/delta_file.h"

#include "backup_record.h"
#include "increment_base.h"

namespace hbk::backup {

namespace {

using manifest::FileContent;

std::string NameOf(const std::string& name, FileContent content, uint64_t delta_size) {
  if (content == FileContent::kWhole) return name;
  const bool has_delta = content == FileContent::kDelta && delta_size != 0;
  return has_delta ? name + std::string(delta::kDeltaSuffix) : "";
}

// Names in the target, from and to.
using Renames = std::vector<std::pair<std::string, std::string>>;

Status RenameInTarget(io::FileSystem& fs, const std::string& target_dir, const Renames& renames) {
  // In two phases. A name in between is none that a server would use.
  std::vector<std::string> between;
  for (const auto& [from, to] : renames) {
    const std::string path = io::JoinPath(target_dir, from);
    between.push_back(
        io::JoinPath(io::DirName(path), fmt::format("hbk_renaming_{}", between.size())));
    HBK_RETURN_IF_ERROR(fs.Rename(path, between.back()));
  }
  for (size_t i = 0; i < renames.size(); ++i) {
    const std::string path = io::JoinPath(target_dir, renames[i].second);
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs, io::DirName(path), 0700));
    HBK_RETURN_IF_ERROR(fs.Rename(between[i], path));
  }
  return OkStatus();
}

}  // namespace

std::string StoredName(const manifest::ManifestFile& file) {
  return NameOf(file.name, file.content, file.delta_size);
}

Status RemoveCopy(io::FileSystem& fs, const std::string& target_dir, const std::string& name,
                  BackupRecord& record) {
  const auto file = record.files.find(name);
  HBK_CHECK(file != record.files.end());
  const std::string stored = StoredName(file->second);
  if (!stored.empty()) HBK_RETURN_IF_ERROR(fs.Remove(io::JoinPath(target_dir, stored)));
  record.Forget(name);
  return OkStatus();
}

Status LeaveToBase(io::FileSystem& fs, const std::string& target_dir, const IncrementBase* base,
                   const std::string& name, BackupRecord& record) {
  const manifest::ManifestFile* known = base != nullptr ? base->FindFile(name) : nullptr;
  manifest::ManifestFile& made = record.files.at(name);
  if (known == nullptr || known->size != made.size || known->digest != made.digest)
    return OkStatus();
  HBK_RETURN_IF_ERROR(fs.Remove(io::JoinPath(target_dir, name)));
  made.content = FileContent::kBase;
  return OkStatus();
}

Status RenameCopies(io::FileSystem& fs, const std::string& target_dir, const Renames& renames,
                    BackupRecord& record) {
  Renames stored;
  for (const auto& [from, to] : renames) {
    manifest::ManifestFile file = record.files.at(from);
    const std::string old_name = StoredName(file);
    file.name = to;
    if (!old_name.empty()) stored.emplace_back(old_name, StoredName(file));
  }
  HBK_RETURN_IF_ERROR(RenameInTarget(fs, target_dir, stored));
  record.RenameFiles(renames);
  return OkStatus();
}

}  // namespace hbk::backup
