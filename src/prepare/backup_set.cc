#include "backup_set.h"

#include <set>

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/layout.h"
#include "hbk/manifest/lost_manifest.h"

#include "laying_state.h"
#include "stored_digest.h"

namespace hbk::prepare {
namespace {

constexpr uint32_t kDefaultPageSize = 16384;

Result<std::vector<std::string>> SystemFileNames(const std::string& data_file_path) {
  HBK_ASSIGN_OR_RETURN(const auto files,
                       datadir::ParseDataFilePath(data_file_path.empty() ? "ibdata1:12M:autoextend"
                                                                         : data_file_path));
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const datadir::SystemFile& file : files)
    names.emplace_back(io::BaseName(file.path));
  return names;
}

Status NotABackup(const std::string& dir, std::string_view why) {
  return Status(StatusCode::kNotFound, fmt::format("{} is no backup: {}", dir, why));
}

Status RefuseIncrement(const std::string& dir) {
  return Status(StatusCode::kChainBroken,
                dir + " is an increment, which cannot be prepared by itself")
      .WithHint(fmt::format(
          "prepare its base with it: hbk prepare --target-dir=BASE --incremental-dir={}", dir));
}

Status ApplyCheckpoints(io::FileSystem& fs, const manifest::Checkpoints& checkpoints,
                        BackupSet& set) {
  const std::string& type = checkpoints.backup_type;
  if (type == "incremental") {
    return RefuseIncrement(set.dir);
  }
  if (type == manifest::kUnfinishedBackupType) {
    if (set.manifest.has_value()) return OkStatus();
    set.last_lsn = checkpoints.last_lsn != 0 ? checkpoints.last_lsn : checkpoints.to_lsn;
    return OkStatus();
  }
  if (type != "full-backuped" && type != "log-applied" && type != "full-prepared") {
    return CorruptionError(
        fmt::format("{}: backup_type is '{}'", set.Path(set.metadata->names.checkpoints), type));
  }
  const bool is_applied = type != "full-backuped";
  if (set.manifest.has_value()) {
    set.is_prepared_elsewhere = is_applied && !set.is_prepared;
    return set.is_prepared_elsewhere ? manifest::CheckPreparedElsewhere(fs, set.dir, *set.manifest)
                                     : OkStatus();
  }
  set.is_prepared = is_applied;
  // Old sets do not say where their redo ends.
  set.last_lsn = checkpoints.last_lsn != 0 ? checkpoints.last_lsn : checkpoints.to_lsn;
  return OkStatus();
}

Status ReadPartial(io::FileSystem& fs, BackupSet& set) {
  auto text = io::ReadFile(fs, set.Path(set.metadata->names.info), 1 << 20);
  if (text.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(text.status());
  HBK_ASSIGN_OR_RETURN(const auto info, manifest::ParseBackupInfo(*text));
  const auto partial = info.find("partial");
  set.is_partial = partial != info.end() && partial->second == "Y";
  return OkStatus();
}

// A prepare that lays increments onto a base of mariadb-backup stores hbk_chunks before the first
// manifest.
Status CheckManifestNotLost(io::FileSystem& fs, const BackupSet& set) {
  HBK_ASSIGN_OR_RETURN(const bool is_laying, io::Exists(fs, set.Path(kLayingStateName)));
  if (is_laying) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const bool is_lost, manifest::HasLostManifest(fs, set.dir, &*set.metadata));
  return is_lost ? manifest::LostManifest(set.dir) : OkStatus();
}

Status CheckMetadata(io::FileSystem& fs, const BackupSet& set, const manifest::ManifestFile& file) {
  if (file.digest.empty()) return OkStatus();
  const std::string path = set.Path(file.name);
  HBK_ASSIGN_OR_RETURN(const FileDigest found, DigestFile(fs, path, {}));
  if (found.digest == file.digest) return OkStatus();
  return CorruptionError(fmt::format(
      "{}: its digest is {}, the manifest says {}: the file is damaged, or somebody has changed it",
      path, found.digest, file.digest));
}

// A table that the redo does not know either would be taken for one that it has made.
Status CheckNoOtherTables(io::FileSystem& fs, const BackupSet& set) {
  std::set<std::string_view> known;
  for (const manifest::ManifestFile& file : set.manifest->files)
    known.insert(file.name);
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& directory : root) {
    if (directory.type != io::FileType::kDirectory) continue;
    HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(set.Path(directory.name)));
    for (const io::DirectoryEntry& entry : entries) {
      const std::string name = io::JoinPath(directory.name, entry.name);
      if (!name.ends_with(".ibd") || known.contains(name)) continue;
      return CorruptionError(
                 fmt::format("{} does not belong to the backup: the manifest does not list it",
                             set.Path(name)))
          .WithHint("if somebody has put it there since, move it elsewhere");
    }
  }
  return OkStatus();
}

}  // namespace

Result<BackupSet> OpenBackupSet(io::FileSystem& fs, const std::string& dir) {
  const auto info = fs.Stat(dir, true);
  if (info.status().code() == StatusCode::kNotFound) return NotABackup(dir, "it does not exist");
  HBK_RETURN_IF_ERROR(info.status());
  if (info->type != io::FileType::kDirectory) return NotABackup(dir, "it is not a directory");

  BackupSet set;
  set.dir = dir;
  auto manifest = manifest::LoadManifest(fs, dir);
  if (manifest.ok()) {
    if (manifest->base.has_value()) return RefuseIncrement(dir);
    set.manifest = std::move(manifest).value();
    set.is_prepared = set.manifest->state == manifest::BackupState::kPrepared;
    set.last_lsn = set.manifest->last_lsn;
    set.page_size = set.manifest->server.page_size;
    set.settings = set.manifest->server.settings;
  } else if (manifest.status().code() != StatusCode::kNotFound) {
    return manifest.status();
  } else {
    HBK_ASSIGN_OR_RETURN(const bool is_incomplete,
                         io::Exists(fs, set.Path(manifest::kIncompleteMarkerName)));
    if (is_incomplete) {
      return NotABackup(dir, "it was never finished")
          .WithHint("remove it, and run the backup, or the prepare with --output-dir, again");
    }
  }

  auto metadata = manifest::LoadMariadbBackupSet(fs, dir);
  if (metadata.ok()) {
    set.metadata = std::move(metadata).value();
    HBK_RETURN_IF_ERROR(ApplyCheckpoints(fs, set.metadata->checkpoints, set));
    if (!set.manifest.has_value()) {
      HBK_RETURN_IF_ERROR(ReadPartial(fs, set));
      set.settings = set.metadata->config.key_settings;
    }
    if (set.page_size == 0) set.page_size = set.metadata->config.page_size;
  } else if (!set.manifest.has_value() || metadata.status().code() == StatusCode::kFailed) {
    // What cannot be read is an error with a manifest, too: the checkpoints file would be left as
    // it is, and say of a prepared backup that it is not. One that is damaged or missing may be
    // what a decrypt that was cut off has left; after the rest of it, it is looked at again.
    if (metadata.status().code() != StatusCode::kNotFound) return metadata.status();
    return NotABackup(dir, "it has neither hbk_manifest.json nor a checkpoints file");
  }
  if (!set.manifest.has_value()) HBK_RETURN_IF_ERROR(CheckManifestNotLost(fs, set));
  if (set.page_size == 0) set.page_size = kDefaultPageSize;
  HBK_ASSIGN_OR_RETURN(
      set.system_files,
      SystemFileNames(set.manifest.has_value() ? set.manifest->server.data_file_path
                                               : set.metadata->config.data_file_path));
  return set;
}

Status CheckManifestFiles(io::FileSystem& fs, const BackupSet& set) {
  if (!set.manifest.has_value()) return OkStatus();
  for (const manifest::ManifestFile& file : set.manifest->files) {
    const auto info = fs.Stat(set.Path(file.name), false);
    if (info.status().code() == StatusCode::kNotFound) {
      return CorruptionError(fmt::format("{}: {} is missing", set.dir, file.name));
    }
    HBK_RETURN_IF_ERROR(info.status());
    if (info->size != file.size) {
      return CorruptionError(fmt::format("{} has {} bytes, the manifest says {}",
                                         set.Path(file.name), info->size, file.size));
    }
    // These get new digests without being looked at otherwise.
    if (file.kind == FileKindName(datadir::FileKind::kMetadata))
      HBK_RETURN_IF_ERROR(CheckMetadata(fs, set, file));
  }
  return CheckNoOtherTables(fs, set);
}

}  // namespace hbk::prepare
