#include "foreign_description.h"

#include <map>
#include <utility>

#include "hbk/manifest/mariadb_backup_files.h"

#include "time_span.h"

namespace hbk::info {
namespace {

using manifest::MariadbBackupSet;

constexpr uint64_t kMetadataBytesMax = 1 << 20;

// Empty if it is not there; what is wrong with it goes into the status.
std::string ReadIfThere(io::FileSystem& fs, const std::string& name,
                        BackupDescription& description) {
  auto text = io::ReadFile(fs, io::JoinPath(description.directory, name), kMetadataBytesMax);
  if (text.ok()) return std::move(*text);
  if (text.status().code() != StatusCode::kNotFound && description.status.ok())
    description.status = text.status();
  return {};
}

void TakeInfo(io::FileSystem& fs, const MariadbBackupSet& set, BackupDescription& description) {
  const std::string text = ReadIfThere(fs, set.names.info, description);
  auto info = manifest::ParseBackupInfo(text);
  if (!info.ok()) {
    if (description.status.ok()) {
      description.status =
          info.status().WithContext(io::JoinPath(description.directory, set.names.info));
    }
    return;
  }
  description.tool_version = (*info)["tool_version"];
  description.backup_uuid = (*info)["uuid"];
  description.start_time = (*info)["start_time"];
  description.end_time = (*info)["end_time"];
  description.duration_s = SecondsBetween(description.start_time, description.end_time);
  description.binlog_text = (*info)["binlog_pos"];
}

DirectoryState StateOf(const std::string& backup_type) {
  if (backup_type == "log-applied" || backup_type == "full-prepared")
    return DirectoryState::kPrepared;
  if (backup_type == manifest::kUnfinishedBackupType) return DirectoryState::kPrepareInterrupted;
  return DirectoryState::kUnprepared;
}

}  // namespace

bool DescribeForeign(io::FileSystem& fs, const StoredFiles& files, BackupDescription& description) {
  const auto set = manifest::LoadMariadbBackupSet(fs, description.directory);
  if (!set.ok() && set.status().code() == StatusCode::kNotFound) return false;
  description.tool = BackupTool::kMariadbBackup;
  if (!set.ok()) {
    description.state = DirectoryState::kUnreadable;
    description.status = set.status();
    return true;
  }
  const manifest::Checkpoints& checkpoints = set->checkpoints;
  description.state = StateOf(checkpoints.backup_type);
  description.to_lsn = checkpoints.to_lsn;
  description.last_lsn = checkpoints.last_lsn;
  if (checkpoints.backup_type == "incremental") {
    description.base = manifest::BaseBackup{
        .backup_uuid = "", .origin = "mariadb-backup", .last_lsn = checkpoints.from_lsn};
  }
  description.server.version = set->server_version;
  description.server.page_size = set->config.page_size;
  description.server.data_file_path = set->config.data_file_path;
  description.file_count = files.names.size();
  TakeInfo(fs, *set, description);
  description.replica_text = ReadIfThere(fs, set->names.slave_info, description);
  description.galera_text = ReadIfThere(fs, set->names.galera_info, description);
  return true;
}

}  // namespace hbk::info
