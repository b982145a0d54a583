#include "hbk/manifest/mariadb_backup_files.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "hbk/keys/key_options.h"

namespace hbk::manifest {
namespace {

constexpr uint64_t kMetadataBytesMax = 1 << 20;  // xtrabackup_info holds a command line
constexpr std::string_view kConfigName = "backup-my.cnf";
constexpr uint32_t kFirstMajorOfNewNames = 11;
constexpr uint32_t kFirstMinorOfNewNames = 1;

const MetadataNames kOldNames = {.checkpoints = "xtrabackup_checkpoints",
                                 .info = "xtrabackup_info",
                                 .binlog_info = "xtrabackup_binlog_info",
                                 .slave_info = "xtrabackup_slave_info",
                                 .galera_info = "xtrabackup_galera_info"};
const MetadataNames kNewNames = {.checkpoints = "mariadb_backup_checkpoints",
                                 .info = "mariadb_backup_info",
                                 .binlog_info = "mariadb_backup_binlog_info",
                                 .slave_info = "mariadb_backup_slave_info",
                                 .galera_info = "mariadb_backup_galera_info"};

std::string_view Trim(std::string_view text) {
  const auto is_space = [](char c) {
    return c == ' ' || c == '\t' || c == '\r';
  };
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

struct KeyValue {
  size_t line = 0;  // from 1
  std::string_view key;
  std::string_view value;
};

// "key = value" lines; empty lines, comments and [groups] are skipped, a line without '=' is a key
// without value. kCorruption for a zero byte, which no such file holds.
Result<std::vector<KeyValue>> ParseLines(std::string_view text) {
  std::vector<KeyValue> lines;
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return CorruptionError(fmt::format(
        "line {}: a zero byte", 1 + std::count(text.begin(), text.begin() + long(zero), '\n')));
  }
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#' || line[0] == ';' || line[0] == '[') continue;
    const size_t equals = line.find('=');
    lines.push_back({.line = number,
                     .key = Trim(line.substr(0, equals)),
                     .value = equals == std::string_view::npos ? std::string_view()
                                                               : Trim(line.substr(equals + 1))});
  }
  return lines;
}

template <typename Integer>
Status ParseNumber(const KeyValue& line, Integer& out) {
  const char* const end = line.value.data() + line.value.size();
  const auto [rest, error] = std::from_chars(line.value.data(), end, out);
  if (error != std::errc() || rest != end) {
    return CorruptionError(
        fmt::format("line {}: {} is '{}', not a number", line.line, line.key, line.value));
  }
  return OkStatus();
}

// One line of text: a line break in a value would start a new key.
std::string OneLine(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

// A text of SQL, in one line.
std::string QuoteSql(std::string_view text) {
  std::string quoted = "'";
  for (const char c : OneLine(text)) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

std::string_view Unquote(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                         text.back() == text.front();
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

Result<bool> ParseSwitch(const KeyValue& line) {
  const std::string_view value = line.value;
  if (value == "1" || value == "ON" || value == "on" || value == "FORCE") return true;
  if (value == "0" || value == "OFF" || value == "off" || value.empty()) return false;
  return CorruptionError(
      fmt::format("line {}: {} is '{}', not a switch", line.line, line.key, value));
}

// Leading number of a version's part; 0 if there is none.
uint32_t LeadingNumber(std::string_view text) {
  uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool IsKeySetting(std::string_view key) {
  return key.find("_key_management_") != std::string_view::npos;
}

// "name" of the first "name=library" or "library.so" that manages keys; empty if there is none.
std::string_view KeyPluginIn(std::string_view plugin_load) {
  while (!plugin_load.empty()) {
    const size_t end = std::min(plugin_load.find(';'), plugin_load.size());
    const std::string_view entry = plugin_load.substr(0, end);
    const std::string_view name = entry.substr(0, entry.find_first_of("=."));
    if (name.find("key_management") != std::string_view::npos) return name;
    plugin_load.remove_prefix(std::min(end + 1, plugin_load.size()));
  }
  return {};
}

// Whether its value may stand in a file that lies beside the data.
bool IsPublic(std::string_view key, std::string_view value) {
  if (key.ends_with("filekey")) return value.starts_with("FILE:");
  return key != keys::kEncryptionPluginSetting && !key.ends_with("token");
}

// In the order of mariadb-backup.
std::string RenderEncryption(const BackupConfig& config) {
  if (config.plugin_load.empty()) return "";
  std::string text = "\n";
  if (!config.plugin_dir.empty()) {
    text += fmt::format("plugin_dir=\"{}\"\n", OneLine(config.plugin_dir));
  }
  text += fmt::format("plugin_load={}\n", OneLine(config.plugin_load));
  for (const auto& [key, value] : config.key_settings) {
    if (IsPublic(key, value)) text += fmt::format("{}={}\n", OneLine(key), OneLine(value));
  }
  text += fmt::format("innodb_encrypt_log={}\n", config.encrypt_log ? 1 : 0);
  if (!config.encrypt_tables.empty()) {
    text += fmt::format("innodb_encrypt_tables={}\n", OneLine(config.encrypt_tables));
  }
  return text;
}

Status ParseConfigLine(const KeyValue& line, BackupConfig& config) {
  std::string key(line.key);
  std::replace(key.begin(), key.end(), '-', '_');
  if (key == "innodb_data_file_path") {
    config.data_file_path = Unquote(line.value);
  } else if (key == "innodb_log_file_size") {
    return ParseNumber(line, config.log_file_size);
  } else if (key == "innodb_page_size") {
    return ParseNumber(line, config.page_size);
  } else if (key == "innodb_checksum_algorithm") {
    config.checksum_algorithm = Unquote(line.value);
  } else if (key == "innodb_undo_tablespaces") {
    return ParseNumber(line, config.undo_tablespaces);
  } else if (key == "plugin_load" || key == "plugin_load_add") {
    config.plugin_load = Unquote(line.value);
    const std::string_view plugin = KeyPluginIn(config.plugin_load);
    if (!plugin.empty()) config.key_settings[std::string(keys::kEncryptionPluginSetting)] = plugin;
  } else if (key == "plugin_dir") {
    config.plugin_dir = Unquote(line.value);
  } else if (IsKeySetting(key)) {
    config.key_settings[key] = Unquote(line.value);
  } else if (key == "innodb_encrypt_tables") {
    config.encrypt_tables = line.value;
  } else if (key == "innodb_encrypt_log") {
    HBK_ASSIGN_OR_RETURN(config.encrypt_log, ParseSwitch(line));
  }
  return OkStatus();
}

Result<MetadataNames> FindNames(io::FileSystem& fs, const std::string& dir) {
  for (const MetadataNames* names : {&kOldNames, &kNewNames}) {
    HBK_ASSIGN_OR_RETURN(const bool is_there,
                         io::Exists(fs, io::JoinPath(dir, names->checkpoints)));
    if (is_there) return *names;
  }
  return NotFoundError(
      fmt::format("{}: neither {} nor {}", dir, kOldNames.checkpoints, kNewNames.checkpoints));
}

}  // namespace

MetadataNames MetadataNamesFor(std::string_view server_version) {
  // Old handshakes put "5.5.5-" in front.
  constexpr std::string_view kReplicationPrefix = "5.5.5-";
  if (server_version.starts_with(kReplicationPrefix)) {
    server_version.remove_prefix(kReplicationPrefix.size());
  }
  const uint32_t major = LeadingNumber(server_version);
  const size_t dot = server_version.find('.');
  const uint32_t minor =
      dot == std::string_view::npos ? 0 : LeadingNumber(server_version.substr(dot + 1));
  const bool is_new = major > kFirstMajorOfNewNames ||
                      (major == kFirstMajorOfNewNames && minor >= kFirstMinorOfNewNames);
  return is_new ? kNewNames : kOldNames;
}

// mariadb-backup reads this with one scanf after the other: names, order and blanks must be these.
std::string RenderCheckpoints(const Checkpoints& checkpoints) {
  return fmt::format(
      "backup_type = {}\n"
      "from_lsn = {}\n"
      "to_lsn = {}\n"
      "last_lsn = {}\n"
      "recover_binlog_info = {}\n",
      checkpoints.backup_type, checkpoints.from_lsn, checkpoints.to_lsn, checkpoints.last_lsn,
      checkpoints.recover_binlog_info);
}

Result<Checkpoints> ParseCheckpoints(std::string_view text) {
  Checkpoints checkpoints;
  checkpoints.backup_type.clear();
  bool has_to_lsn = false;
  HBK_ASSIGN_OR_RETURN(const std::vector<KeyValue> lines, ParseLines(text));
  for (const KeyValue& line : lines) {
    if (line.key == "backup_type") {
      checkpoints.backup_type = line.value;
    } else if (line.key == "from_lsn") {
      HBK_RETURN_IF_ERROR(ParseNumber(line, checkpoints.from_lsn));
    } else if (line.key == "to_lsn") {
      HBK_RETURN_IF_ERROR(ParseNumber(line, checkpoints.to_lsn));
      has_to_lsn = true;
    } else if (line.key == "last_lsn") {
      HBK_RETURN_IF_ERROR(ParseNumber(line, checkpoints.last_lsn));
    } else if (line.key == "recover_binlog_info") {
      HBK_RETURN_IF_ERROR(ParseNumber(line, checkpoints.recover_binlog_info));
    }
  }
  const std::string& type = checkpoints.backup_type;
  if (type != "full-backuped" && type != "incremental" && type != "log-applied" &&
      type != "full-prepared" && type != kUnfinishedBackupType) {
    return CorruptionError(fmt::format("backup_type is '{}'", type));
  }
  if (!has_to_lsn) return CorruptionError("no to_lsn");
  if (checkpoints.last_lsn != 0 && checkpoints.last_lsn < checkpoints.to_lsn) {
    return CorruptionError(fmt::format("last_lsn {} is less than to_lsn {}", checkpoints.last_lsn,
                                       checkpoints.to_lsn));
  }
  return checkpoints;
}

std::string RenderBackupInfo(const BackupInfo& info) {
  return fmt::format(
      "uuid = {}\n"
      "name = {}\n"
      "tool_name = {}\n"
      "tool_command = {}\n"
      "tool_version = {}\n"
      "ibbackup_version = {}\n"
      "server_version = {}\n"
      "start_time = {}\n"
      "end_time = {}\n"
      "lock_time = {}\n"
      "binlog_pos = {}\n"
      "innodb_from_lsn = {}\n"
      "innodb_to_lsn = {}\n"
      "partial = N\n"
      "incremental = {}\n"
      "format = file\n"
      "compressed = N\n",
      OneLine(info.uuid), OneLine(info.name), OneLine(info.tool_name), OneLine(info.tool_command),
      OneLine(info.tool_version), OneLine(info.tool_version), OneLine(info.server_version),
      OneLine(info.start_time), OneLine(info.end_time), info.lock_seconds, OneLine(info.binlog_pos),
      info.from_lsn, info.to_lsn, info.is_incremental ? 'Y' : 'N');
}

Result<std::map<std::string, std::string>> ParseBackupInfo(std::string_view text) {
  std::map<std::string, std::string> values;
  HBK_ASSIGN_OR_RETURN(const std::vector<KeyValue> lines, ParseLines(text));
  for (const KeyValue& line : lines)
    values[std::string(line.key)] = line.value;
  return values;
}

std::string RenderSlaveInfo(const ReplicaPosition& replica) {
  std::string text;
  if (!replica.gtid_slave_pos.empty()) {
    text += fmt::format("SET GLOBAL gtid_slave_pos = {};\n", QuoteSql(replica.gtid_slave_pos));
  }
  for (const SourceConnection& connection : replica.connections) {
    const std::string name = connection.name.empty() ? "" : QuoteSql(connection.name) + " ";
    text += connection.uses_gtid
                ? fmt::format("CHANGE MASTER {}TO master_use_gtid = slave_pos;\n", name)
                : fmt::format("CHANGE MASTER {}TO MASTER_LOG_FILE={}, MASTER_LOG_POS={};\n", name,
                              QuoteSql(connection.file), connection.position);
  }
  return text;
}

std::string RenderGaleraInfo(const GaleraPosition& galera) {
  return fmt::format("{}:{} {}\n", OneLine(galera.cluster_uuid), galera.seqno,
                     galera.gtid_domain_id);
}

std::string RenderBackupConfig(const BackupConfig& config) {
  std::string text =
      "# Settings of the server that was backed up, as preparing the backup needs them.\n"
      "\n"
      "# The server\n"
      "[mysqld]\n";
  if (!config.checksum_algorithm.empty()) {
    text += fmt::format("innodb_checksum_algorithm={}\n", OneLine(config.checksum_algorithm));
  }
  text += fmt::format(
      "innodb_data_file_path={}\n"
      "innodb_log_file_size={}\n"
      "innodb_page_size={}\n"
      "innodb_undo_directory=./\n"
      "innodb_undo_tablespaces={}\n",
      OneLine(config.data_file_path), config.log_file_size, config.page_size,
      config.undo_tablespaces);
  return text + RenderEncryption(config);
}

Result<BackupConfig> ParseBackupConfig(std::string_view text) {
  BackupConfig config;
  HBK_ASSIGN_OR_RETURN(const std::vector<KeyValue> lines, ParseLines(text));
  for (const KeyValue& line : lines)
    HBK_RETURN_IF_ERROR(ParseConfigLine(line, config));
  const uint32_t page_size = config.page_size;
  if (page_size < 4096 || page_size > 65536 || (page_size & (page_size - 1)) != 0) {
    return CorruptionError(fmt::format("innodb_page_size is {}", page_size));
  }
  return config;
}

Result<MariadbBackupSet> LoadMariadbBackupSet(io::FileSystem& fs, const std::string& backup_dir) {
  MariadbBackupSet set;
  HBK_ASSIGN_OR_RETURN(set.names, FindNames(fs, backup_dir));

  const std::string checkpoints_path = io::JoinPath(backup_dir, set.names.checkpoints);
  HBK_ASSIGN_OR_RETURN(std::string text, io::ReadFile(fs, checkpoints_path, kMetadataBytesMax));
  Result<Checkpoints> checkpoints = ParseCheckpoints(text);
  if (!checkpoints.ok()) return checkpoints.status().WithContext(checkpoints_path);
  set.checkpoints = *checkpoints;

  const std::string config_path = io::JoinPath(backup_dir, kConfigName);
  Result<std::string> config_text = io::ReadFile(fs, config_path, kMetadataBytesMax);
  if (!config_text.ok() && config_text.status().code() == StatusCode::kNotFound) {
    // There is a checkpoints file, so it is a backup: a damaged one.
    return CorruptionError(config_text.status().message());
  }
  HBK_RETURN_IF_ERROR(config_text.status());
  Result<BackupConfig> config = ParseBackupConfig(*config_text);
  if (!config.ok()) return config.status().WithContext(config_path);
  set.config = *config;

  const std::string info_path = io::JoinPath(backup_dir, set.names.info);
  Result<std::string> info_text = io::ReadFile(fs, info_path, kMetadataBytesMax);
  if (!info_text.ok() && info_text.status().code() == StatusCode::kNotFound) return set;
  HBK_RETURN_IF_ERROR(info_text.status());
  Result<std::map<std::string, std::string>> info = ParseBackupInfo(*info_text);
  if (!info.ok()) return info.status().WithContext(info_path);
  set.server_version = (*info)["server_version"];
  return set;
}

}  // namespace hbk::manifest
