#include "hbk/server/table_session.h"

#include <charconv>

#include <fmt/format.h>

#include "sql_text.h"

namespace hbk::server {
namespace {

// The lock_wait_timeout is for DDL in the way of a checksum: better no checksum than a backup that
// waits.
constexpr std::string_view kSessionSettings =
    "SET SESSION wait_timeout=2147483, interactive_timeout=2147483, net_read_timeout=3600, "
    "net_write_timeout=3600, max_statement_time=0, lock_wait_timeout=10, autocommit=1, "
    "idle_transaction_timeout=0, idle_readonly_transaction_timeout=0, sql_mode=''";
constexpr std::string_view kSavepoint = "hbk_table";
constexpr uint32_t kUnknownSystemVariable = 1193;

std::string TextOf(const std::optional<std::string>& value) {
  return value.value_or("");
}

std::optional<uint64_t> ParseNumber(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  uint64_t number = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) return std::nullopt;
  return number;
}

bool HasShape(const SqlAnswer& answer, size_t columns) {
  for (const SqlRow& row : answer.rows)
    if (row.size() < columns) return false;
  return true;
}

Status UnexpectedAnswer(std::string_view what) {
  return UnsupportedError(fmt::format("{}: the server's answer has an unexpected form", what));
}

std::string LowerCase(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string_view WordFor(CheckDepth depth) {
  switch (depth) {
    case CheckDepth::kQuick: return "QUICK";
    case CheckDepth::kMedium: return "MEDIUM";
    case CheckDepth::kExtended: return "EXTENDED";
  }
  return "";
}

}  // namespace

std::string ListedTable::ToString() const {
  return QuoteName(database) + "." + QuoteName(table);
}

Result<std::unique_ptr<TableSession>> TableSession::Connect(const ConnectOptions& options) {
  HBK_ASSIGN_OR_RETURN(auto client, ConnectSqlClient(options));
  return Create(std::move(client));
}

Result<std::unique_ptr<TableSession>> TableSession::Create(std::unique_ptr<SqlClient> client) {
  std::unique_ptr<TableSession> session(new TableSession(std::move(client)));
  // Before it is up there is no bound that the caller could have set.
  session->wait_.bound = std::chrono::minutes(1);
  HBK_RETURN_IF_ERROR(session->SetUp());
  return session;
}

Status TableSession::SetUp() {
  HBK_RETURN_IF_ERROR(Ask(kSessionSettings, "setting up the session").status());
  // Only servers with Galera have it.
  const SqlAnswer answer = Execute("SET SESSION wsrep_sync_wait=0");
  if (answer.error_number == kUnknownSystemVariable) return OkStatus();
  return StatusOfSqlError(answer, "setting up the session");
}

SqlAnswer TableSession::Execute(std::string_view sql) {
  return client_->Execute(sql, wait_);
}

Result<SqlAnswer> TableSession::Ask(std::string_view sql, std::string_view what) {
  SqlAnswer answer = Execute(sql);
  if (answer.error_number == kErrorBoundReached) {
    return Status(
        StatusCode::kConnectionLost,
        fmt::format("{}: the server gave no answer within {} s", what, wait_.bound.count() / 1000));
  }
  HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, what));
  return answer;
}

Result<uint64_t> TableSession::AskNumber(std::string_view sql, std::string_view what) {
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer, Ask(sql, what));
  if (answer.rows.size() != 1 || !HasShape(answer, 1)) return UnexpectedAnswer(what);
  const auto number = ParseNumber(answer.rows[0][0]);
  if (!number) return UnexpectedAnswer(what);
  return *number;
}

Result<std::vector<ListedTable>> TableSession::ListTables() {
  const std::string_view what = "listing the tables";
  HBK_ASSIGN_OR_RETURN(
      const SqlAnswer answer,
      Ask("SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_TYPE FROM information_schema.TABLES "
          "WHERE TABLE_TYPE NOT IN ('VIEW', 'SYSTEM VIEW') AND TABLE_SCHEMA NOT IN "
          "('information_schema', 'performance_schema') ORDER BY TABLE_SCHEMA, TABLE_NAME",
          what));
  if (!HasShape(answer, 4)) return UnexpectedAnswer(what);
  std::vector<ListedTable> tables;
  for (const SqlRow& row : answer.rows) {
    if (!row[0] || !row[1]) return UnexpectedAnswer(what);
    tables.push_back({*row[0], *row[1], TextOf(row[2]), TextOf(row[3]) == "SEQUENCE"});
  }
  return tables;
}

Result<std::vector<CheckMessage>> TableSession::Check(const ListedTable& table, CheckDepth depth) {
  const std::string what = fmt::format("CHECK TABLE {}", table.ToString());
  HBK_ASSIGN_OR_RETURN(
      const SqlAnswer answer,
      Ask(fmt::format("CHECK TABLE {} {}", table.ToString(), WordFor(depth)), what));
  // Table, Op, Msg_type, Msg_text. No line at all would be no verdict.
  if (answer.rows.empty() || !HasShape(answer, 4)) return UnexpectedAnswer(what);
  std::vector<CheckMessage> messages;
  for (const SqlRow& row : answer.rows)
    messages.push_back({LowerCase(TextOf(row[2])), TextOf(row[3])});
  return messages;
}

// The answer has NULL for a table that cannot be read, and the reason in a warning.
Result<std::optional<TableSum>> TableSession::Sum(const ListedTable& table, std::string& why) {
  const std::string what = fmt::format("CHECKSUM TABLE {}", table.ToString());
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask(fmt::format("CHECKSUM TABLE {} EXTENDED", table.ToString()), what));
  if (answer.rows.size() != 1 || !HasShape(answer, 2)) return UnexpectedAnswer(what);
  TableSum sum;
  if (!answer.rows[0][1]) {
    HBK_ASSIGN_OR_RETURN(const SqlAnswer warnings, Ask("SHOW WARNINGS", what));
    if (!HasShape(warnings, 3)) return UnexpectedAnswer(what);
    why = warnings.rows.empty() ? "the server does not say why" : TextOf(warnings.rows[0][2]);
    return std::optional<TableSum>();
  }
  const auto checksum = ParseNumber(answer.rows[0][1]);
  if (!checksum) return UnexpectedAnswer(what);
  sum.checksum = *checksum;
  const auto count = AskNumber(fmt::format("SELECT COUNT(*) FROM {}", table.ToString()),
                               fmt::format("counting the rows of {}", table.ToString()));
  if (count.status().code() == StatusCode::kFailed) {
    why = count.status().message();
    return std::optional<TableSum>();
  }
  HBK_RETURN_IF_ERROR(count.status());
  sum.row_count = *count;
  return std::optional<TableSum>(sum);
}

Result<uint64_t> TableSession::CountRecoveredTransactions() {
  HBK_ASSIGN_OR_RETURN(const uint64_t recovered,
                       AskNumber("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE "
                                 "trx_mysql_thread_id=0",
                                 "counting the transactions that are rolled back"));
  HBK_ASSIGN_OR_RETURN(const uint64_t prepared, CountPreparedTransactions());
  return recovered > prepared ? recovered - prepared : 0;
}

Result<uint64_t> TableSession::CountPreparedTransactions() {
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask("XA RECOVER", "listing the prepared transactions"));
  return static_cast<uint64_t>(answer.rows.size());
}

Status TableSession::ProbeReading() {
  return Ask("SELECT 1 FROM mysql.global_priv LIMIT 0", "trying the right to read all tables")
      .status();
}

Status TableSession::PrepareSnapshot() {
  // Otherwise it would be over with the first statement.
  HBK_RETURN_IF_ERROR(
      Ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "preparing a snapshot")
          .status());
  HBK_ASSIGN_OR_RETURN(snapshot_time_,
                       AskNumber("SELECT UNIX_TIMESTAMP()", "reading the server's clock"));
  return OkStatus();
}

Status TableSession::BeginSnapshot() {
  return Ask("START TRANSACTION WITH CONSISTENT SNAPSHOT", "beginning a snapshot").status();
}

// An instant ALTER leaves old rows readable, with columns that they did not have.
Result<bool> TableSession::IsUnaltered(const ListedTable& table) {
  const std::string what = fmt::format("asking when {} was altered", table.ToString());
  HBK_ASSIGN_OR_RETURN(
      const SqlAnswer answer,
      Ask(fmt::format("SELECT UNIX_TIMESTAMP(CREATE_TIME) FROM information_schema.TABLES WHERE "
                      "TABLE_SCHEMA={} AND TABLE_NAME={}",
                      QuoteText(table.database), QuoteText(table.table)),
          what));
  if (!HasShape(answer, 1)) return UnexpectedAnswer(what);
  const auto time = answer.rows.size() == 1 ? ParseNumber(answer.rows[0][0]) : std::nullopt;
  return time && *time < snapshot_time_;
}

Result<std::optional<TableSum>> TableSession::SumInSnapshot(const ListedTable& table) {
  const std::string_view what = "reading a snapshot";
  // Going back to it gives back the lock on the table's definition.
  HBK_RETURN_IF_ERROR(Ask(fmt::format("SAVEPOINT {}", kSavepoint), what).status());
  std::string why;
  auto sum = Sum(table, why);
  const StatusCode code = sum.status().code();
  if (code == StatusCode::kConnectionLost || code == StatusCode::kInterrupted) return sum;
  bool is_of_snapshot = sum.ok() && sum->has_value();
  if (is_of_snapshot) {
    HBK_ASSIGN_OR_RETURN(is_of_snapshot, IsUnaltered(table));
  }
  HBK_RETURN_IF_ERROR(Ask(fmt::format("ROLLBACK TO SAVEPOINT {}", kSavepoint), what).status());
  return is_of_snapshot ? *sum : std::optional<TableSum>();
}

Status TableSession::EndSnapshot() {
  return Ask("ROLLBACK", "ending a snapshot").status();
}

}  // namespace hbk::server
