#include "restore_source.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "hbk/datadir/scanner.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/damaged_page_list.h"
#include "hbk/manifest/lost_manifest.h"
#include "hbk/manifest/mariadb_backup_files.h"

namespace hbk::restore {
namespace {

using datadir::FileKind;
using manifest::BackupManifest;
using manifest::BackupState;
using manifest::MariadbBackupSet;

constexpr std::string_view kLogApplied = "log-applied";
constexpr std::string_view kFullPrepared = "full-prepared";
constexpr std::string_view kDefaultDataFilePath = "ibdata1:12M:autoextend";

// What mariadb-backup leaves behind as well: it describes the backup, not the server. The rest of
// the metadata (info, positions that InnoDB knows, Galera, replication) goes to the data directory.
bool IsForBackupOnly(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {
      "backup-my.cnf",          manifest::kDamagedPagesName,  "xtrabackup_checkpoints",
      "xtrabackup_binlog_info", "mariadb_backup_checkpoints", "mariadb_backup_binlog_info"};
  return name.starts_with("hbk_") || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

Result<std::optional<BackupManifest>> LoadManifestIfThere(io::FileSystem& fs,
                                                          const std::string& dir) {
  Result<BackupManifest> manifest = manifest::LoadManifest(fs, dir);
  if (manifest.ok()) return std::optional<BackupManifest>(std::move(manifest).value());
  if (manifest.status().code() == StatusCode::kNotFound) return std::optional<BackupManifest>();
  return manifest.status();
}

Result<std::optional<MariadbBackupSet>> LoadMetadataIfThere(io::FileSystem& fs,
                                                            const std::string& dir) {
  Result<MariadbBackupSet> set = manifest::LoadMariadbBackupSet(fs, dir);
  if (set.ok()) return std::optional<MariadbBackupSet>(std::move(set).value());
  if (set.status().code() == StatusCode::kNotFound) return std::optional<MariadbBackupSet>();
  return set.status();
}

bool IsLogApplied(const std::optional<MariadbBackupSet>& metadata) {
  return metadata && (metadata->checkpoints.backup_type == kLogApplied ||
                      metadata->checkpoints.backup_type == kFullPrepared);
}

Status NotPrepared(const std::string& dir) {
  return FailedError(fmt::format("the backup in {} is not prepared", dir))
      .WithHint(fmt::format("hbk prepare --target-dir={}", dir));
}

Status RefuseIncrement(const std::string& dir) {
  return UnsupportedError(fmt::format("the backup in {} is an increment", dir))
      .WithHint(fmt::format("apply it to its base, and restore that: hbk prepare --target-dir=BASE "
                            "--incremental-dir={}",
                            dir));
}

Result<std::vector<datadir::SystemFile>> ParseSystemFiles(const std::string& spec) {
  Result<std::vector<datadir::SystemFile>> files =
      datadir::ParseDataFilePath(spec.empty() ? kDefaultDataFilePath : std::string_view(spec));
  // The text comes from a file of the backup, not from the user.
  if (!files.ok() && files.status().code() == StatusCode::kUsage) {
    return CorruptionError(files.status().message());
  }
  return files;
}

// A directory of the backup: missing (an empty database, no MyRocks) or a directory.
Status CheckDirectory(io::FileSystem& fs, const std::string& path) {
  const Result<io::FileInfo> info = fs.Stat(path, /*follow=*/false);
  if (!info.ok() && info.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(info.status());
  if (info.value().type != io::FileType::kDirectory) {
    return CorruptionError(fmt::format("{}: not a directory", path));
  }
  return OkStatus();
}

Result<SourceFile> OpenManifestFile(io::FileSystem& fs, const std::string& dir,
                                    const manifest::ManifestFile& file) {
  SourceFile source{.name = file.name,
                    .path = io::JoinPath(dir, file.name),
                    .kind = datadir::FileKindByName(file.kind).value_or(FileKind::kDefinition),
                    .info = {},
                    .digest = file.digest};
  const Result<io::FileInfo> info = fs.Stat(source.path, /*follow=*/false);
  if (!info.ok() && info.status().code() == StatusCode::kNotFound) {
    return CorruptionError(fmt::format("{}: missing; the manifest lists it", source.path));
  }
  HBK_RETURN_IF_ERROR(info.status());
  source.info = info.value();
  if (source.info.type != io::FileType::kRegular) {
    return CorruptionError(fmt::format("{}: not a plain file", source.path));
  }
  if (source.info.size != file.size) {
    return CorruptionError(fmt::format("{}: {} bytes; the manifest says {}", source.path,
                                       source.info.size, file.size));
  }
  return source;
}

Status AddManifestFiles(io::FileSystem& fs, const BackupManifest& manifest, RestoreSource& source) {
  source.has_digests = true;
  HBK_ASSIGN_OR_RETURN(source.system_files, ParseSystemFiles(manifest.server.data_file_path));
  std::set<std::string> databases(manifest.databases.begin(), manifest.databases.end());
  for (const manifest::ManifestFile& file : manifest.files) {
    if (datadir::IsRocksdbFileName(file.name)) continue;
    if (file.name.find('/') != std::string::npos) databases.insert(io::DirName(file.name));
  }
  source.databases.assign(databases.begin(), databases.end());
  HBK_RETURN_IF_ERROR(
      CheckDirectory(fs, io::JoinPath(source.dir, std::string(datadir::kRocksdbDirectory))));
  // Nothing of a backup is reached through a symlink.
  for (const std::string& database : source.databases)
    HBK_RETURN_IF_ERROR(CheckDirectory(fs, io::JoinPath(source.dir, database)));
  for (const manifest::ManifestFile& file : manifest.files) {
    HBK_ASSIGN_OR_RETURN(SourceFile found, OpenManifestFile(fs, source.dir, file));
    source.files.push_back(std::move(found));
  }
  return OkStatus();
}

Status AddFilesFound(io::FileSystem& fs, const MariadbBackupSet& metadata, RestoreSource& source) {
  HBK_ASSIGN_OR_RETURN(source.system_files, ParseSystemFiles(metadata.config.data_file_path));
  Result<datadir::Scan> scan = datadir::ScanBackupDirectory(fs, source.dir, source.system_files);
  if (!scan.ok() && scan.status().code() == StatusCode::kNotFound) {
    return CorruptionError(scan.status().message());
  }
  HBK_RETURN_IF_ERROR(scan.status());
  source.databases = scan->databases;
  source.warnings = scan->warnings;
  for (datadir::DataFile& file : scan->files) {
    source.files.push_back({.name = std::move(file.name),
                            .path = std::move(file.source_path),
                            .kind = file.kind,
                            .info = file.info,
                            .digest = ""});
  }
  return OkStatus();
}

// What is left behind is for those who look up positions in it.
Status CheckDigestOfMetadata(io::FileSystem& fs, const SourceFile& file) {
  if (file.digest.empty()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const std::string bytes, io::ReadFile(fs, file.path, file.info.size));
  const std::string found = filter::DigestOf(AsBytes(bytes));
  if (found == file.digest) return OkStatus();
  return CorruptionError(
      fmt::format("{}: its digest is {}, the manifest says {}: the file is damaged, or somebody "
                  "has changed it",
                  file.path, found, file.digest));
}

// Each system file is there, and no other file claims to be one.
Status CheckSystemFiles(const RestoreSource& source) {
  size_t count = 0;
  for (const SourceFile& file : source.files)
    count += file.kind == FileKind::kSystemTablespace ? 1U : 0U;
  for (const datadir::SystemFile& system_file : source.system_files) {
    const bool is_there =
        std::any_of(source.files.begin(), source.files.end(), [&](const SourceFile& file) {
          return file.kind == FileKind::kSystemTablespace &&
                 file.name == io::BaseName(system_file.path);
        });
    if (!is_there) {
      return CorruptionError(fmt::format("the backup in {} has no system tablespace file {}",
                                         source.dir, io::BaseName(system_file.path)));
    }
  }
  if (count == source.system_files.size()) return OkStatus();
  return CorruptionError(fmt::format("the backup in {} has {} system tablespace files, not {}",
                                     source.dir, count, source.system_files.size()));
}

}  // namespace

bool RestoreSource::HasRocksdb() const {
  return std::any_of(files.begin(), files.end(),
                     [](const SourceFile& file) { return file.kind == FileKind::kRocksdb; });
}

Result<RestoreSource> OpenRestoreSource(io::FileSystem& fs, const std::string& backup_dir) {
  RestoreSource source;
  source.dir = backup_dir;
  HBK_ASSIGN_OR_RETURN(const std::optional<BackupManifest> manifest,
                       LoadManifestIfThere(fs, backup_dir));
  if (!manifest) {
    HBK_ASSIGN_OR_RETURN(const bool is_incomplete,
                         io::Exists(fs, io::JoinPath(backup_dir, manifest::kIncompleteMarkerName)));
    if (is_incomplete) {
      return FailedError(
          fmt::format("the backup in {} was never completed, or its files were "
                      "moved back",
                      backup_dir));
    }
  }
  if (manifest && manifest->base) return RefuseIncrement(backup_dir);
  HBK_ASSIGN_OR_RETURN(const std::optional<MariadbBackupSet> metadata,
                       LoadMetadataIfThere(fs, backup_dir));
  if (!manifest && !metadata) {
    return NotFoundError(
        fmt::format("{} is no backup: it has neither {} nor the files of "
                    "mariadb-backup",
                    backup_dir, manifest::kManifestFileName));
  }
  if (!manifest) {
    HBK_ASSIGN_OR_RETURN(const bool is_lost, manifest::HasLostManifest(fs, backup_dir, &*metadata));
    if (is_lost) return manifest::LostManifest(backup_dir);
  }
  if (manifest && manifest->state == BackupState::kPrepared) {
    HBK_RETURN_IF_ERROR(AddManifestFiles(fs, *manifest, source));
  } else if (IsLogApplied(metadata)) {
    if (manifest) HBK_RETURN_IF_ERROR(manifest::CheckPreparedElsewhere(fs, backup_dir, *manifest));
    HBK_RETURN_IF_ERROR(AddFilesFound(fs, *metadata, source));
  } else if (metadata && metadata->checkpoints.backup_type == "incremental") {
    return RefuseIncrement(backup_dir);
  } else {
    return NotPrepared(backup_dir);
  }
  HBK_RETURN_IF_ERROR(CheckSystemFiles(source));

  for (const SourceFile& file : source.files)
    if (file.kind == FileKind::kMetadata && IsForBackupOnly(file.name))
      HBK_RETURN_IF_ERROR(CheckDigestOfMetadata(fs, file));
  source.files.erase(std::remove_if(source.files.begin(), source.files.end(),
                                    [](const SourceFile& file) {
                                      return file.kind == FileKind::kMetadata &&
                                             IsForBackupOnly(file.name);
                                    }),
                     source.files.end());
  if (manifest) source.claim_files.emplace_back(manifest::kManifestFileName);
  if (metadata) source.claim_files.push_back(metadata->names.checkpoints);
  return source;
}

}  // namespace hbk::restore
