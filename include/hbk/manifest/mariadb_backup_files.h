// The metadata files of mariadb-backup: written so that it accepts our backups, read so that we
// accept its.
//
// Names depend on the server's series: xtrabackup_* up to 11.0, mariadb_backup_* from 11.1 on;
// backup-my.cnf in all.
//
// Format   docs/format/mariadb-backup-files.md.
// Errors   kCorruption with line and, from Load, file for what cannot be read.
// Threads  Pure functions and values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"

namespace hbk::manifest {

struct MetadataNames {
  std::string checkpoints;
  std::string info;
  std::string binlog_info;
  std::string slave_info;
  std::string galera_info;
};
// A second copy of galera_info, of the same name in all series.
constexpr std::string_view kDonorGaleraInfoName = "donor_galera_info";

// `server_version` like "10.11.19-MariaDB-...".
MetadataNames MetadataNamesFor(std::string_view server_version);

// While hbk lays increments onto a base: nothing that mariadb-backup would go on with.
constexpr std::string_view kUnfinishedBackupType = "hbk-unfinished";

struct Checkpoints {
  // full-backuped, incremental, log-applied; or kUnfinishedBackupType
  std::string backup_type = "full-backuped";
  uint64_t from_lsn = 0;
  uint64_t to_lsn = 0;
  uint64_t last_lsn = 0;
  uint64_t recover_binlog_info = 0;
};
std::string RenderCheckpoints(const Checkpoints& checkpoints);
Result<Checkpoints> ParseCheckpoints(std::string_view text);

struct BackupInfo {
  std::string uuid;
  std::string name;
  std::string tool_name = "hbk";
  std::string tool_command;  // secrets masked
  std::string tool_version;
  std::string server_version;
  std::string start_time;  // "2026-01-31 16:55:30", local time as mariadb-backup writes it
  std::string end_time;
  uint64_t lock_seconds = 0;
  std::string
      binlog_pos;  // "filename 'b.000008', position '1382', GTID of the last change '0-1-6'"
  uint64_t from_lsn = 0;
  uint64_t to_lsn = 0;
  bool is_incremental = false;
};
std::string RenderBackupInfo(const BackupInfo& info);
// The values by key, as they stand.
Result<std::map<std::string, std::string>> ParseBackupInfo(std::string_view text);

// How a server restored from the backup goes on as the replica was: SQL statements, a line each.
std::string RenderSlaveInfo(const ReplicaPosition& replica);
// "UUID:SEQNO DOMAIN".
std::string RenderGaleraInfo(const GaleraPosition& galera);

// backup-my.cnf: settings of the server that prepare needs. Other settings are skipped.
//
// mariadb-backup loads the key plugin by what stands there. A literal secret or a token is read,
// as mariadb-backup writes them, but never written: mariadb-backup then takes it as
// --loose-file-key-management-filekey.
struct BackupConfig {
  std::string data_file_path;  // base names
  uint64_t log_file_size = 0;
  uint32_t page_size = 16384;
  std::string checksum_algorithm;
  uint32_t undo_tablespaces = 0;
  // Not empty: encryption was configured. "name=library", the library without ".so".
  std::string plugin_load;
  std::string plugin_dir;  // @@plugin_dir
  // What keys::ChooseKeyOptions() takes: encryption_plugin, file_key_management_filename, ...
  std::map<std::string, std::string> key_settings;
  bool encrypt_log = false;
  std::string encrypt_tables;  // OFF, ON, FORCE; empty: not said, as by 10.5
};
std::string RenderBackupConfig(const BackupConfig& config);
Result<BackupConfig> ParseBackupConfig(std::string_view text);

// What a directory is, from its checkpoints and config files, of either naming.
struct MariadbBackupSet {
  MetadataNames names;
  Checkpoints checkpoints;
  BackupConfig config;
  std::string server_version;  // empty if there is no info file
};
// kNotFound if the directory has no checkpoints file: it is no backup. kCorruption if it has one
// and no backup-my.cnf; the info file may be missing.
Result<MariadbBackupSet> LoadMariadbBackupSet(io::FileSystem& fs, const std::string& backup_dir);

}  // namespace hbk::manifest
