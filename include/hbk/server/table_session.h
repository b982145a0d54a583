// What hbk asks a server about the tables themselves: lists, checks, checksums.
//
// A drill asks the server that it has started on a restored backup; a backup that records checksums
// asks the server that is backed up, in a snapshot that begins while commits are blocked.
//
// Units    A checksum is what CHECKSUM TABLE .. EXTENDED says: 32 bits of the rows, in any order.
// Errors   kConnectionLost: the server has ended, or has not answered within the bound of SetWait;
//          kMissingPrivilege, kUnsupported for answers of an unexpected form, else kFailed.
// Threads  One at a time; several sessions are independent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/server/connect_options.h"
#include "hbk/server/sql_client.h"

namespace hbk::server {

struct ListedTable {
  std::string database;
  std::string table;
  std::string engine;  // empty: the server cannot tell, since it lacks the engine
  bool is_sequence = false;
  auto operator<=>(const ListedTable&) const = default;

  // "`db`.`t`".
  [[nodiscard]] std::string ToString() const;
};

enum class CheckDepth { kQuick, kMedium, kExtended };

// A line of what CHECK TABLE answers.
struct CheckMessage {
  std::string kind;  // in lower case: "status", "error", "warning", "note", "info"
  std::string text;
  bool operator==(const CheckMessage&) const = default;
};

struct TableSum {
  uint64_t row_count = 0;
  uint64_t checksum = 0;
  bool operator==(const TableSum&) const = default;
};

class TableSession {
 public:
  static Result<std::unique_ptr<TableSession>> Connect(const ConnectOptions& options);
  static Result<std::unique_ptr<TableSession>> Create(std::unique_ptr<SqlClient> client);

  // Of each statement. A server that takes longer than the bound counts as lost.
  void SetWait(SqlWait wait) { wait_ = std::move(wait); }
  [[nodiscard]] std::string server_version() const { return client_->server_version(); }

  // All tables and sequences of users and of the server, sorted; no views, nothing of
  // information_schema and performance_schema.
  Result<std::vector<ListedTable>> ListTables();
  Result<std::vector<CheckMessage>> Check(const ListedTable& table, CheckDepth depth);
  // As they are now. Nothing: the server cannot read the table; `why` says more.
  Result<std::optional<TableSum>> Sum(const ListedTable& table, std::string& why);

  // Transactions that were open when the server ended, and are not rolled back yet, without those
  // that are prepared: they wait for somebody to decide.
  Result<uint64_t> CountRecoveredTransactions();
  Result<uint64_t> CountPreparedTransactions();

  // kMissingPrivilege: the user may not read all tables.
  Status ProbeReading();
  // Before the moment of the snapshot, since it takes time.
  Status PrepareSnapshot();
  // From here on SumInSnapshot sees the rows of InnoDB tables as they are at this moment.
  Status BeginSnapshot();
  // Nothing: the table was altered, renamed or emptied since, or cannot be read. No lock on it is
  // held afterwards.
  Result<std::optional<TableSum>> SumInSnapshot(const ListedTable& table);
  Status EndSnapshot();

 private:
  explicit TableSession(std::unique_ptr<SqlClient> client) : client_(std::move(client)) {}
  Status SetUp();
  SqlAnswer Execute(std::string_view sql);
  Result<SqlAnswer> Ask(std::string_view sql, std::string_view what);
  Result<uint64_t> AskNumber(std::string_view sql, std::string_view what);
  // Whether its definition is older than the snapshot, by the second.
  Result<bool> IsUnaltered(const ListedTable& table);

  std::unique_ptr<SqlClient> client_;
  SqlWait wait_;
  uint64_t snapshot_time_ = 0;  // seconds since 1970, by the server's clock
};

}  // namespace hbk::server
