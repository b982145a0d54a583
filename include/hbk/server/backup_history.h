// The server's list of backups, which mariadb-backup keeps in a table:
// mysql.mariadb_backup_history, before 10.11 PERCONA_SCHEMA.xtrabackup_history.
//
// What is written there does not go into the binlog: on a replica it would be a transaction of its
// own, which its source does not have.
//
// Errors   kMissingPrivilege: BINLOG ADMIN, or rights to the table. Others as the server says.
// Threads  One at a time; `client` is used by nobody else.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "hbk/base/status.h"
#include "hbk/server/sql_client.h"

namespace hbk::server {

struct HistoryRow {
  std::string uuid;
  std::string name;  // may be empty
  std::string tool_name;
  std::string tool_command;  // without secrets
  std::string tool_version;
  std::string server_version;
  std::time_t start_time = 0;
  std::time_t end_time = 0;
  uint64_t lock_seconds = 0;
  std::string binlog_pos;
  uint64_t from_lsn = 0;
  uint64_t to_lsn = 0;  // newest checkpoint at the end of the backup
  bool is_incremental = false;
};

class BackupHistory {
 public:
  // `server_version` as "10.11.19-MariaDB": it decides where the table is.
  BackupHistory(SqlClient& client, std::string_view server_version);

  // Makes the table if there is none, and tries the rights to add to it.
  Status Prepare(const SqlWait& wait);
  Status Add(const HistoryRow& row, const SqlWait& wait);
  // to_lsn of the newest backup of this name, or of the one with this uuid. Nothing: there is none.
  Result<std::optional<uint64_t>> FindByName(std::string_view name, const SqlWait& wait);
  Result<std::optional<uint64_t>> FindByUuid(std::string_view uuid, const SqlWait& wait);

  [[nodiscard]] const std::string& table() const { return table_; }

 private:
  Status Execute(std::string_view sql, const SqlWait& wait);
  Result<std::optional<uint64_t>> Find(std::string_view column, std::string_view value,
                                       const SqlWait& wait);

  SqlClient& client_;
  std::string database_;  // that has to be made; empty: it is there
  std::string table_;
};

}  // namespace hbk::server
