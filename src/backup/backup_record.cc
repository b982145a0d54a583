#include "backup_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hbk/base/version.h"
#include "hbk/keys/key_options.h"
#include "hbk/manifest/damaged_page_list.h"
#include "hbk/manifest/mariadb_backup_files.h"

#include "target_files.h"

namespace hbk::backup {

namespace {

// What prepare and restore may need, or a reader of the manifest wants to know. Nothing secret.
constexpr const char* kRecordedSettings[] = {
    "aria_block_size",           "aria_log_dir_path",
    "aria_log_file_size",        "datadir",
    "innodb_checksum_algorithm", "innodb_data_file_path",
    "innodb_data_home_dir",      "innodb_log_file_size",
    "innodb_log_group_home_dir", "innodb_undo_directory",
    "innodb_undo_tablespaces",   "log_bin",
    "lower_case_table_names",    "version_comment",
    "version_compile_machine",
};

std::string FormatTime(const char* format, const std::tm& time) {
  char text[64];
  const size_t size = std::strftime(text, sizeof(text), format, &time);
  return {text, size};
}

std::string UtcTime(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  return FormatTime("%Y-%m-%dT%H:%M:%SZ", parts);
}

std::string LocalTime(std::time_t time) {
  std::tm parts{};
  localtime_r(&time, &parts);
  return FormatTime("%Y-%m-%d %H:%M:%S", parts);
}

std::string RenderBinlogInfo(const manifest::BinlogPosition& binlog) {
  std::string text = fmt::format("{}\t{}", binlog.file, binlog.position);
  if (!binlog.gtid.empty()) text += "\t" + binlog.gtid;
  return text + "\n";
}

std::string DescribeBinlog(const manifest::BinlogPosition& binlog) {
  std::string text = fmt::format("filename '{}', position '{}'", binlog.file, binlog.position);
  if (!binlog.gtid.empty()) text += fmt::format(", GTID of the last change '{}'", binlog.gtid);
  return text;
}

// By name of the tablespace. The files of the system tablespace are one.
manifest::DamagedPageList ListDamagedPages(const std::map<std::string, DamagedFile>& damaged) {
  std::map<std::pair<std::string, innodb::SpaceId>, std::set<innodb::PageNo>> spaces;
  for (const auto& [name, file] : damaged) {
    std::string table = file.space_id == innodb::kSystemSpaceId ? "innodb_system" : name;
    if (table.ends_with(".ibd")) table.resize(table.size() - 4);
    std::set<innodb::PageNo>& pages = spaces[{table, file.space_id}];
    for (const DamagedPage& page : file.pages)
      pages.insert(page.page_no);
  }
  manifest::DamagedPageList list;
  for (const auto& [space, pages] : spaces)
    list.spaces.push_back({space.first, space.second, pages});
  return list;
}

manifest::BackupInfo MakeInfo(const BackupRecord& record) {
  manifest::BackupInfo info;
  info.uuid = record.uuid;
  info.tool_command = fmt::format("backup {}", fmt::join(record.options, " "));
  info.tool_version = kVersion;
  info.server_version = record.facts.version_text;
  info.start_time = LocalTime(record.start_time);
  info.end_time = LocalTime(record.end_time);
  info.lock_seconds = record.LockMilliseconds() / 1000;
  if (record.positions.binlog) info.binlog_pos = DescribeBinlog(*record.positions.binlog);
  info.name = record.history_name;
  info.is_incremental = record.base.has_value();
  if (record.base) info.from_lsn = record.base->last_lsn;
  info.to_lsn = record.redo.to_lsn;
  return info;
}

// As mariadb-backup has it: its prepare loads what manages keys and undoes compression.
std::string PluginsToLoad(const server::ServerFacts& facts) {
  std::vector<std::string> entries;
  for (const server::Plugin& plugin : facts.plugins) {
    const bool is_needed = plugin.type == "ENCRYPTION" || plugin.name.starts_with("provider_");
    if (!plugin.is_active || !is_needed || plugin.library.empty()) continue;
    entries.push_back(plugin.name + "=" + plugin.library.substr(0, plugin.library.rfind(".so")));
  }
  return fmt::format("{}", fmt::join(entries, ";"));
}

manifest::BackupConfig MakeConfig(const BackupRecord& record) {
  const server::ServerFacts& facts = record.facts;
  manifest::BackupConfig config;
  config.data_file_path = datadir::FlatDataFilePath(record.layout.system_files);
  config.log_file_size = facts.Number("innodb_log_file_size", 0);
  config.page_size = static_cast<uint32_t>(facts.Number("innodb_page_size", 16384));
  config.checksum_algorithm = facts.Variable("innodb_checksum_algorithm");
  config.undo_tablespaces = static_cast<uint32_t>(facts.Number("innodb_undo_tablespaces", 0));
  config.plugin_load = PluginsToLoad(facts);
  config.plugin_dir = facts.Variable("plugin_dir");
  config.key_settings =
      keys::RecordableKeySettings(facts.variables, facts.ActivePluginOfType("ENCRYPTION"));
  config.encrypt_log = facts.IsOn("innodb_encrypt_log");
  config.encrypt_tables = facts.Variable("innodb_encrypt_tables");
  return config;
}

manifest::ServerDescription DescribeServer(const BackupRecord& record) {
  const server::ServerFacts& facts = record.facts;
  manifest::ServerDescription server;
  server.version = facts.version_text;
  server.uid = facts.Variable("server_uid");
  server.hostname = facts.Variable("hostname");
  server.server_id = facts.Number("server_id", 0);
  server.page_size = static_cast<uint32_t>(facts.Number("innodb_page_size", 0));
  server.data_file_path = datadir::FlatDataFilePath(record.layout.system_files);
  server.undo_tablespaces = facts.Variable("innodb_undo_tablespaces");
  for (const char* name : kRecordedSettings)
    if (facts.HasVariable(name)) server.settings[name] = facts.Variable(name);
  server.settings.merge(
      keys::RecordableKeySettings(facts.variables, facts.ActivePluginOfType("ENCRYPTION")));
  return server;
}

}  // namespace

void BackupRecord::AddCopied(datadir::FileKind kind, CopyStage stage, const CopyResult& result) {
  manifest::ManifestFile& file = files[result.name];
  file.name = result.name;
  file.kind = datadir::FileKindName(kind);
  file.size = result.size;
  file.digest = result.digest;
  file.stage = CopyStageName(stage);
  file.content = result.content;
  file.delta_size = result.delta_size;
  file.replaces_base = result.replaces_base;
  file.space = result.space;
  file.source = result.source;
  chunk_hashes.Add(result.chunk_hashes);
  synced.erase(result.name);
  increment_pages.erase(result.name);
  if (result.content == manifest::FileContent::kDelta)
    increment_pages[result.name] = result.delta_page_count;
}

void BackupRecord::AddFile(const std::string& name, datadir::FileKind kind, CopyStage stage,
                           uint64_t size, const std::string& digest) {
  manifest::ManifestFile file;
  file.name = name;
  file.kind = datadir::FileKindName(kind);
  file.size = size;
  file.digest = digest;
  file.stage = CopyStageName(stage);
  files[name] = std::move(file);
  synced.erase(name);
}

void BackupRecord::Forget(const std::string& name) {
  files.erase(name);
  damaged.erase(name);
  increment_pages.erase(name);
  synced.erase(name);
}

void BackupRecord::RenameFiles(const std::vector<std::pair<std::string, std::string>>& renames) {
  RenameKeys(renames, files);
  RenameKeys(renames, damaged);
  RenameKeys(renames, increment_pages);
  RenameKeys(renames, synced);
  for (const auto& rename : renames)
    files.at(rename.second).name = rename.second;
}

uint64_t BackupRecord::LockMilliseconds() const {
  uint64_t sum = 0;
  bool is_locked = false;
  for (const server::StageTimes& times : stages) {
    if (is_locked) sum += times.wait_ms;
    is_locked |= times.stage == server::BackupStage::kBlockDdl;
    if (is_locked) sum += times.held_ms;
  }
  return sum;
}

std::vector<std::pair<std::string, std::string>> RenderMetadataFiles(const BackupRecord& record) {
  const manifest::MetadataNames names = manifest::MetadataNamesFor(record.facts.version_text);
  manifest::Checkpoints checkpoints;
  if (record.base) {
    checkpoints.backup_type = "incremental";
    checkpoints.from_lsn = record.base->last_lsn;
  }
  checkpoints.to_lsn = record.redo.to_lsn;
  checkpoints.last_lsn = record.redo.last_lsn;
  std::vector<std::pair<std::string, std::string>> files;
  files.emplace_back("backup-my.cnf", manifest::RenderBackupConfig(MakeConfig(record)));
  files.emplace_back(names.checkpoints, manifest::RenderCheckpoints(checkpoints));
  files.emplace_back(names.info, manifest::RenderBackupInfo(MakeInfo(record)));
  const Positions& positions = record.positions;
  if (positions.binlog) files.emplace_back(names.binlog_info, RenderBinlogInfo(*positions.binlog));
  if (positions.replica)
    files.emplace_back(names.slave_info, manifest::RenderSlaveInfo(*positions.replica));
  if (positions.galera) {
    // Twice, as mariadb-backup has it: the scripts of a state transfer look for the second.
    files.emplace_back(names.galera_info, manifest::RenderGaleraInfo(*positions.galera));
    files.emplace_back(manifest::kDonorGaleraInfoName,
                       manifest::RenderGaleraInfo(*positions.galera));
  }
  if (!record.damaged.empty()) {
    files.emplace_back(manifest::kDamagedPagesName,
                       manifest::RenderDamagedPageList(ListDamagedPages(record.damaged)));
  }
  return files;
}

server::HistoryRow MakeHistoryRow(const BackupRecord& record) {
  const manifest::BackupInfo info = MakeInfo(record);
  return {.uuid = info.uuid,
          .name = info.name,
          .tool_name = info.tool_name,
          .tool_command = info.tool_command,
          .tool_version = info.tool_version,
          .server_version = info.server_version,
          .start_time = record.start_time,
          .end_time = record.end_time,
          .lock_seconds = info.lock_seconds,
          .binlog_pos = info.binlog_pos,
          .from_lsn = info.from_lsn,
          .to_lsn = info.to_lsn,
          .is_incremental = info.is_incremental};
}

manifest::BackupManifest MakeManifest(const BackupRecord& record) {
  manifest::BackupManifest made;
  made.hbk_version = kVersion;
  made.backup_uuid = record.uuid;
  made.base = record.base;
  made.boot_id = record.boot_id;
  made.start_time = UtcTime(record.start_time);
  made.end_time = UtcTime(record.end_time);
  made.server = DescribeServer(record);
  made.start_checkpoint_lsn = record.redo.start_lsn;
  made.to_lsn = record.redo.to_lsn;
  made.last_lsn = record.redo.last_lsn;
  made.redo_creator = record.redo.source_creator;
  made.redo_bytes = record.redo.redo_bytes;
  made.redo_margin_bytes = record.redo.margin_bytes;
  made.redo_margin = record.redo.margin;
  made.binlog = record.positions.binlog;
  made.replica = record.positions.replica;
  made.galera = record.positions.galera;
  std::map<std::string, uint64_t> file_counts;
  for (const auto& entry : record.files) {
    ++file_counts[entry.second.stage];
    made.files.push_back(entry.second);
  }
  for (const server::StageTimes& times : record.stages) {
    const std::string stage(server::BackupStageName(times.stage));
    made.stages.push_back({stage, times.wait_ms, times.held_ms, file_counts[stage]});
  }
  made.options = record.options;
  made.warnings = record.warnings;
  made.databases = record.databases;
  made.table_checksums = record.table_checksums;
  made.encryption_keys.assign(record.keys.begin(), record.keys.end());
  return made;
}

}  // namespace hbk::backup
