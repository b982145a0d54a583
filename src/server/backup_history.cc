#include "hbk/server/backup_history.h"

#include <charconv>

#include <fmt/format.h>

#include "hbk/server/server_facts.h"

#include "sql_text.h"

namespace hbk::server {

namespace {

// From here on the table is in the database mysql.
constexpr ServerVersion kNewTable{10, 11, 0};
constexpr uint32_t kNoSuchTable = 1146;
constexpr uint32_t kNoSuchDatabase = 1049;
// The table is small and nobody holds it for long; DDL of others may be blocked for a backup.
constexpr std::string_view kSession = "SET SESSION lock_wait_timeout=60, sql_log_bin=0";
constexpr std::string_view kColumns =
    "uuid VARCHAR(40) NOT NULL PRIMARY KEY, name VARCHAR(255) DEFAULT NULL, "
    "tool_name VARCHAR(255) DEFAULT NULL, tool_command TEXT DEFAULT NULL, "
    "tool_version VARCHAR(255) DEFAULT NULL, ibbackup_version VARCHAR(255) DEFAULT NULL, "
    "server_version VARCHAR(255) DEFAULT NULL, start_time TIMESTAMP NULL DEFAULT NULL, "
    "end_time TIMESTAMP NULL DEFAULT NULL, lock_time BIGINT UNSIGNED DEFAULT NULL, "
    "binlog_pos VARCHAR(128) DEFAULT NULL, innodb_from_lsn BIGINT UNSIGNED DEFAULT NULL, "
    "innodb_to_lsn BIGINT UNSIGNED DEFAULT NULL, partial ENUM('Y', 'N') DEFAULT NULL, "
    "incremental ENUM('Y', 'N') DEFAULT NULL, format ENUM('file', 'tar', '{}') DEFAULT NULL, "
    "compressed ENUM('Y', 'N') DEFAULT NULL";
// Of the column; a longer text would be an error of the server.
constexpr size_t kBinlogPosBytesMax = 128;
constexpr size_t kCommandBytesMax = 65535;

}  // namespace

BackupHistory::BackupHistory(SqlClient& client, std::string_view server_version) : client_(client) {
  const auto version = ParseServerVersion(server_version);
  const bool is_new = version && *version >= kNewTable;
  database_ = is_new ? "" : "PERCONA_SCHEMA";
  table_ = is_new ? "mysql.mariadb_backup_history" : "PERCONA_SCHEMA.xtrabackup_history";
}

Status BackupHistory::Execute(std::string_view sql, const SqlWait& wait) {
  const Status status =
      StatusOfSqlError(client_.Execute(sql, wait), fmt::format("--history: {}", table_));
  if (status.code() != StatusCode::kMissingPrivilege) return status;
  return status.WithHint(fmt::format(
      "GRANT BINLOG ADMIN ON *.* TO ..; GRANT SELECT, INSERT, CREATE ON {} TO ..", table_));
}

Status BackupHistory::Prepare(const SqlWait& wait) {
  HBK_RETURN_IF_ERROR(Execute(kSession, wait));
  if (!database_.empty())
    HBK_RETURN_IF_ERROR(Execute("CREATE DATABASE IF NOT EXISTS " + database_, wait));
  const std::string columns =
      fmt::format(fmt::runtime(kColumns), database_.empty() ? "mbstream" : "xbstream");
  HBK_RETURN_IF_ERROR(
      Execute(fmt::format("CREATE TABLE IF NOT EXISTS {} ({}) CHARACTER SET utf8 ENGINE=InnoDB",
                          table_, columns),
              wait));
  return Execute(fmt::format("INSERT INTO {0} SELECT * FROM {0} WHERE 1=0", table_), wait);
}

Status BackupHistory::Add(const HistoryRow& row, const SqlWait& wait) {
  HBK_RETURN_IF_ERROR(Execute(kSession, wait));
  return Execute(
      fmt::format(
          "INSERT INTO {} (uuid, name, tool_name, tool_command, tool_version, ibbackup_version, "
          "server_version, start_time, end_time, lock_time, binlog_pos, innodb_from_lsn, "
          "innodb_to_lsn, partial, incremental, format, compressed) VALUES ({}, {}, {}, {}, {}, "
          "{}, {}, FROM_UNIXTIME({}), FROM_UNIXTIME({}), {}, {}, {}, {}, 'N', '{}', 'file', 'N')",
          table_, QuoteText(row.uuid), QuoteText(row.name), QuoteText(row.tool_name),
          QuoteText(row.tool_command.substr(0, kCommandBytesMax)), QuoteText(row.tool_version),
          QuoteText(row.tool_version), QuoteText(row.server_version), row.start_time, row.end_time,
          row.lock_seconds, QuoteText(row.binlog_pos.substr(0, kBinlogPosBytesMax)), row.from_lsn,
          row.to_lsn, row.is_incremental ? 'Y' : 'N'),
      wait);
}

Result<std::optional<uint64_t>> BackupHistory::Find(std::string_view column, std::string_view value,
                                                    const SqlWait& wait) {
  const SqlAnswer answer = client_.Execute(
      fmt::format("SELECT innodb_to_lsn FROM {} WHERE {} = {} AND innodb_to_lsn IS NOT NULL ORDER "
                  "BY innodb_to_lsn DESC LIMIT 1",
                  table_, column, QuoteText(value)),
      wait);
  if (answer.error_number == kNoSuchTable || answer.error_number == kNoSuchDatabase)
    return std::optional<uint64_t>();
  HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, fmt::format("looking for a base in {}", table_)));
  if (answer.rows.empty()) return std::optional<uint64_t>();
  const std::string text = answer.rows[0].empty() ? "" : answer.rows[0][0].value_or("");
  uint64_t lsn = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), lsn);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return UnsupportedError(fmt::format("{}: '{}' is no LSN", table_, text));
  return std::optional<uint64_t>(lsn);
}

Result<std::optional<uint64_t>> BackupHistory::FindByName(std::string_view name,
                                                          const SqlWait& wait) {
  return Find("name", name, wait);
}

Result<std::optional<uint64_t>> BackupHistory::FindByUuid(std::string_view uuid,
                                                          const SqlWait& wait) {
  return Find("uuid", uuid, wait);
}

}  // namespace hbk::server
