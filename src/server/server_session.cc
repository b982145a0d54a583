#include "hbk/server/server_session.h"

#include <charconv>

#include <fmt/format.h>

#include "sql_text.h"

namespace hbk::server {

namespace {

constexpr std::string_view kSessionSettings =
    "SET SESSION wait_timeout=2147483, interactive_timeout=2147483, net_read_timeout=3600, "
    "net_write_timeout=3600, max_statement_time=0, lock_wait_timeout=60, "
    "innodb_lock_wait_timeout=60, autocommit=1, sql_mode=''";
// mariadb-backup's name for it: the two must not remove each other's checkpoint.
constexpr std::string_view kRocksdbLock = "mariabackup_rocksdb_checkpoint";
constexpr std::string_view kReplicaStatus = "SHOW ALL SLAVES STATUS";
constexpr uint32_t kUnknownSystemVariable = 1193;
constexpr uint32_t kNoSuchTable = 1146;
constexpr uint32_t kDiscardedTablespace = 1814;
constexpr uint32_t kUnknownTable = 1109;  // no such table of information_schema
constexpr uint32_t kNoSuchQuery = 1957;
// Of a statement, in characters: enough to see what it does.
constexpr uint32_t kStatementCharactersMax = 1000;

std::optional<uint64_t> ParseNumber(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  uint64_t number = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) return std::nullopt;
  return number;
}

// "343.960" is 343.
uint64_t ParseWholePart(const std::optional<std::string>& text) {
  uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::string TextOf(const std::optional<std::string>& value) {
  return value.value_or("");
}

// Every row has at least `columns` values.
bool HasShape(const SqlAnswer& answer, size_t columns) {
  for (const SqlRow& row : answer.rows)
    if (row.size() < columns) return false;
  return true;
}

Status UnexpectedAnswer(std::string_view what) {
  return UnsupportedError(fmt::format("{}: the server's answer has an unexpected form", what));
}

}  // namespace

std::string TableName::ToString() const {
  const std::string name = QuoteName(database) + "." + QuoteName(table);
  return partition.empty() ? name : name + " partition " + QuoteName(partition);
}

Result<std::unique_ptr<ServerSession>> ServerSession::Connect(const ConnectOptions& options,
                                                              std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(auto client, ConnectSqlClient(options));
  return Create(std::move(client), std::move(stop));
}

Result<std::unique_ptr<ServerSession>> ServerSession::Create(std::unique_ptr<SqlClient> client,
                                                             std::stop_token stop) {
  std::unique_ptr<ServerSession> session(new ServerSession(std::move(client)));
  session->SetStop(std::move(stop));
  HBK_RETURN_IF_ERROR(session->SetUp());
  return session;
}

Status ServerSession::SetUp() {
  HBK_RETURN_IF_ERROR(Ask(kSessionSettings, "setting up the session").status());
  // Only servers with Galera have it.
  const SqlAnswer answer = client_->Execute("SET SESSION wsrep_sync_wait=0", wait_);
  if (answer.error_number == kUnknownSystemVariable) return OkStatus();
  return StatusOfSqlError(answer, "setting up the session");
}

Result<SqlAnswer> ServerSession::Ask(std::string_view sql, std::string_view what) {
  SqlAnswer answer = client_->Execute(sql, wait_);
  HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, what));
  return answer;
}

Result<ServerFacts> ServerSession::ReadFacts() {
  const std::string_view what = "reading the server's variables";
  ServerFacts facts;
  HBK_ASSIGN_OR_RETURN(const SqlAnswer variables, Ask("SHOW GLOBAL VARIABLES", what));
  if (!HasShape(variables, 2)) return UnexpectedAnswer(what);
  for (const SqlRow& row : variables.rows)
    facts.variables[TextOf(row[0])] = TextOf(row[1]);

  HBK_ASSIGN_OR_RETURN(const SqlAnswer self,
                       Ask("SELECT VERSION(), @@version_comment, CURRENT_USER()", what));
  if (self.rows.size() != 1 || !HasShape(self, 3)) return UnexpectedAnswer(what);
  facts.version_text = TextOf(self.rows[0][0]);
  facts.version_comment = TextOf(self.rows[0][1]);
  facts.current_user = TextOf(self.rows[0][2]);

  HBK_ASSIGN_OR_RETURN(const SqlAnswer plugins,
                       Ask("SELECT PLUGIN_NAME, PLUGIN_TYPE, PLUGIN_STATUS, PLUGIN_LIBRARY FROM "
                           "information_schema.PLUGINS",
                           "reading the server's plugins"));
  if (!HasShape(plugins, 4)) return UnexpectedAnswer("reading the server's plugins");
  for (const SqlRow& row : plugins.rows)
    facts.plugins.push_back(
        {TextOf(row[0]), TextOf(row[1]), TextOf(row[2]) == "ACTIVE", TextOf(row[3])});

  HBK_ASSIGN_OR_RETURN(facts.uptime_s, ReadUptimeSeconds());
  return facts;
}

Result<uint64_t> ServerSession::ReadUptimeSeconds() {
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask("SHOW GLOBAL STATUS LIKE 'Uptime'", "reading the server's uptime"));
  if (answer.rows.size() != 1 || !HasShape(answer, 2))
    return UnexpectedAnswer("reading the server's uptime");
  const auto uptime = ParseNumber(answer.rows[0][1]);
  if (!uptime) return UnexpectedAnswer("reading the server's uptime");
  return *uptime;
}

Result<LsnTriple> ServerSession::ReadLsn() {
  const std::string_view what = "reading the server's log positions";
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer, Ask("SHOW GLOBAL STATUS LIKE 'Innodb_lsn%'", what));
  if (!HasShape(answer, 2)) return UnexpectedAnswer(what);
  LsnTriple lsn;
  bool has_current = false;
  bool has_flushed = false;
  for (const SqlRow& row : answer.rows) {
    const auto number = ParseNumber(row[1]);
    if (!number) continue;
    const std::string name = TextOf(row[0]);
    if (name == "Innodb_lsn_current") {
      lsn.current = *number;
      has_current = true;
    } else if (name == "Innodb_lsn_flushed") {
      lsn.flushed = *number;
      has_flushed = true;
    } else if (name == "Innodb_lsn_last_checkpoint") {
      lsn.last_checkpoint = *number;
    }
  }
  if (!has_current || !has_flushed) return UnexpectedAnswer(what);
  return lsn;
}

Result<std::optional<BinlogCoordinates>> ServerSession::ReadBinlogPosition() {
  const std::string_view what = "reading the binlog position";
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer, Ask("SHOW MASTER STATUS", what));
  if (answer.rows.empty()) return std::optional<BinlogCoordinates>();
  if (!HasShape(answer, 2)) return UnexpectedAnswer(what);
  const auto position = ParseNumber(answer.rows[0][1]);
  if (!position) return UnexpectedAnswer(what);
  return std::optional<BinlogCoordinates>({TextOf(answer.rows[0][0]), *position});
}

Result<GtidPositions> ServerSession::ReadGtids() {
  const std::string_view what = "reading the GTID positions";
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask("SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_binlog_state, "
                           "@@GLOBAL.gtid_current_pos, @@GLOBAL.gtid_slave_pos",
                           what));
  if (answer.rows.size() != 1 || !HasShape(answer, 4)) return UnexpectedAnswer(what);
  const SqlRow& row = answer.rows[0];
  return GtidPositions{TextOf(row[0]), TextOf(row[1]), TextOf(row[2]), TextOf(row[3])};
}

Status ServerSession::FlushEngineLogs() {
  return Ask("FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", "flushing the engines' logs").status();
}

Result<bool> ServerSession::DoesFlushWriteLog() {
  const std::string_view what = "asking how the server flushes its log";
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit", what));
  if (answer.rows.size() != 1 || !HasShape(answer, 1)) return UnexpectedAnswer(what);
  return TextOf(answer.rows[0][0]) != "0";
}

Result<std::vector<TablespaceRow>> ServerSession::ListSpaces(std::string_view sql,
                                                             std::string_view what) {
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer, Ask(sql, what));
  if (!HasShape(answer, 2)) return UnexpectedAnswer(what);
  std::vector<TablespaceRow> rows;
  for (const SqlRow& row : answer.rows) {
    const auto id = ParseNumber(row[0]);
    if (id && *id <= UINT32_MAX) rows.push_back({static_cast<uint32_t>(*id), TextOf(row[1])});
  }
  return rows;
}

Result<std::vector<TablespaceRow>> ServerSession::ListTablespaces() {
  // 10.5 lists what its dictionary has; one without a file has no size. Later series list what is
  // open.
  return ListSpaces(
      "SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLESPACES WHERE FILE_SIZE<>0",
      "listing the tablespaces");
}

Result<std::vector<TablespaceRow>> ServerSession::ListClosedTables() {
  return ListSpaces(
      "SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLES WHERE SPACE<>0 AND SPACE NOT "
      "IN (SELECT SPACE FROM information_schema.INNODB_SYS_TABLESPACES WHERE FILE_SIZE<>0)",
      "listing the tables without a tablespace");
}

Result<ClosedReason> ServerSession::FindClosedReason(const TableName& name) {
  const std::string what = fmt::format("looking at table {}", name.ToString());
  const SqlAnswer answer = client_->Execute(
      // Somebody may hold the table for long, and the answer is worth a moment only.
      fmt::format("SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM {}.{} LIMIT 0",
                  QuoteName(name.database), QuoteName(name.table)),
      wait_);
  switch (answer.error_number) {
    case 0: return ClosedReason::kDiscarded;  // It can be opened, only not read.
    case kDiscardedTablespace: return ClosedReason::kDiscarded;
    case kNoSuchTable: return ClosedReason::kDropped;
    default: break;
  }
  const Status status = StatusOfSqlError(answer, what);
  switch (status.code()) {
    case StatusCode::kConnectionLost:
    case StatusCode::kInterrupted: return status;
    case StatusCode::kMissingPrivilege:
    case StatusCode::kLockWaitTimeout: return ClosedReason::kUnknown;
    default: return ClosedReason::kMissingFile;  // There are many ways to be of no use.
  }
}

Result<TableName> ServerSession::DecodeTableName(std::string_view name) {
  const std::string_view what = "decoding the name of a table";
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return UsageError("not the name of a table's file");
  TableName result;
  std::string_view table = name.substr(slash + 1);
  // A '#' in a user's name is encoded, so this one is the server's.
  const size_t hash = table.find('#', 1);
  if (hash != std::string_view::npos) {
    result.partition = table.substr(hash + 1);
    if (result.partition.starts_with("P#") || result.partition.starts_with("p#"))
      result.partition.erase(0, 2);
    table = table.substr(0, hash);
  }
  HBK_ASSIGN_OR_RETURN(
      const SqlAnswer answer,
      Ask(fmt::format("SELECT CONVERT(_filename{} USING utf8mb4), CONVERT(_filename{} USING "
                      "utf8mb4)",
                      QuoteText(name.substr(0, slash)), QuoteText(table)),
          what));
  if (answer.rows.size() != 1 || !HasShape(answer, 2)) return UnexpectedAnswer(what);
  result.database = TextOf(answer.rows[0][0]);
  result.table = TextOf(answer.rows[0][1]);
  return result;
}

Result<std::vector<MissingPrivilege>> ServerSession::ProbePrivileges(const ProbeOptions& options) {
  struct Probe {
    std::string_view sql;
    std::string_view privilege;
    std::string_view needed_for;
    bool applies;
  };
  // SHOW GRANTS would not tell: rights may come through roles. So the real statements are tried.
  const Probe probes[] = {
      {"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", "RELOAD", "BACKUP STAGE", true},
      {"SHOW ENGINE INNODB STATUS", "PROCESS", "the list of tablespaces", true},
      {"SHOW MASTER STATUS", "BINLOG MONITOR", "the binlog position", options.has_binlog},
      // KILL of a query that there is not tells nothing. This takes the same right, and changes
      // nothing.
      {"SET GLOBAL slow_launch_time=@@GLOBAL.slow_launch_time", "CONNECTION ADMIN",
       "--kill-long-queries-timeout", options.kills_queries},
      // The variables of checkpoints do their work whatever they are set to; this one, set to what
      // it is, does nothing and asks for the same right.
      {"SET GLOBAL rocksdb_checksums_pct=@@GLOBAL.rocksdb_checksums_pct", "SUPER",
       "the checkpoint of MyRocks", options.makes_rocksdb_checkpoint},
      {kReplicaStatus, "REPLICA MONITOR", "the state of replication",
       options.reads_replica || options.pauses_replica},
  };
  std::vector<MissingPrivilege> missing;
  bool is_replica_known = true;
  for (const Probe& probe : probes) {
    if (!probe.applies) continue;
    const SqlAnswer answer = client_->Execute(probe.sql, wait_);
    const Status status =
        StatusOfSqlError(answer, fmt::format("trying the right to {}", probe.needed_for));
    if (status.ok()) continue;
    if (status.code() != StatusCode::kMissingPrivilege) return status;
    if (probe.sql == kReplicaStatus) is_replica_known = false;
    missing.push_back({std::string(probe.privilege), std::string(probe.needed_for)});
  }
  if (!options.pauses_replica || !is_replica_known) return missing;
  HBK_ASSIGN_OR_RETURN(const auto of_pausing, ProbePausing());
  missing.insert(missing.end(), of_pausing.begin(), of_pausing.end());
  return missing;
}

// Starting a thread that runs has no effect but to want the right, and one that does not run needs
// not be stopped.
Result<std::vector<MissingPrivilege>> ServerSession::ProbePausing() {
  std::vector<MissingPrivilege> missing;
  HBK_ASSIGN_OR_RETURN(const auto connections, ReadReplicaConnections());
  for (const ReplicaConnection& connection : connections) {
    if (!connection.has_sql_thread) continue;
    const Status status = StartSqlThread(connection.name);
    if (status.ok()) break;
    if (status.code() != StatusCode::kMissingPrivilege) return status;
    missing.push_back({"REPLICATION SLAVE ADMIN", "STOP SLAVE"});
    break;
  }
  return missing;
}

Result<bool> ServerSession::LockRocksdbCheckpoint(uint32_t wait_s) {
  const std::string_view what = "reserving the checkpoint of MyRocks";
  HBK_ASSIGN_OR_RETURN(
      const SqlAnswer answer,
      Ask(fmt::format("SELECT GET_LOCK({}, {})", QuoteText(kRocksdbLock), wait_s), what));
  if (answer.rows.size() != 1 || !HasShape(answer, 1)) return UnexpectedAnswer(what);
  return TextOf(answer.rows[0][0]) == "1";
}

Status ServerSession::UnlockRocksdbCheckpoint() {
  return Ask(fmt::format("SELECT RELEASE_LOCK({})", QuoteText(kRocksdbLock)),
             "giving back the checkpoint of MyRocks")
      .status();
}

Status ServerSession::FlushRocksdb() {
  return Ask("SET GLOBAL rocksdb_force_flush_memtable_now=ON", "flushing MyRocks").status();
}

Status ServerSession::CreateRocksdbCheckpoint(std::string_view dir) {
  return Ask(fmt::format("SET GLOBAL rocksdb_create_checkpoint={}", QuoteText(dir)),
             "making a checkpoint of MyRocks")
      .status();
}

Status ServerSession::RemoveRocksdbCheckpoint() {
  return Ask("SET GLOBAL rocksdb_remove_mariabackup_checkpoint=ON",
             "removing the checkpoint of MyRocks")
      .status();
}

Result<std::string> ServerSession::NewUuid() {
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer, Ask("SELECT UUID()", "asking for a UUID"));
  if (answer.rows.size() != 1 || !HasShape(answer, 1)) return UnexpectedAnswer("asking for a UUID");
  return TextOf(answer.rows[0][0]);
}

Result<uint64_t> ServerSession::ReadConnectionId() {
  const std::string_view what = "asking for the connection's id";
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer, Ask("SELECT CONNECTION_ID()", what));
  if (answer.rows.size() != 1 || !HasShape(answer, 1)) return UnexpectedAnswer(what);
  const auto id = ParseNumber(answer.rows[0][0]);
  if (!id) return UnexpectedAnswer(what);
  return *id;
}

Result<std::vector<ListedSession>> ServerSession::ListSessions() {
  const std::string_view what = "reading the process list";
  HBK_ASSIGN_OR_RETURN(
      const SqlAnswer answer,
      Ask(fmt::format("SELECT ID, QUERY_ID, USER, HOST, COMMAND, TIME_MS, STATE, LEFT(INFO, {}) "
                      "FROM information_schema.PROCESSLIST WHERE ID<>CONNECTION_ID()",
                      kStatementCharactersMax),
          what));
  if (!HasShape(answer, 8)) return UnexpectedAnswer(what);
  std::vector<ListedSession> sessions;
  for (const SqlRow& row : answer.rows) {
    sessions.push_back({.id = ParseWholePart(row[0]),
                        .query_id = ParseWholePart(row[1]),
                        .user = TextOf(row[2]),
                        .host = TextOf(row[3]),
                        .command = TextOf(row[4]),
                        .time_ms = ParseWholePart(row[5]),
                        .state = TextOf(row[6]),
                        .statement = TextOf(row[7])});
  }
  return sessions;
}

Result<std::optional<std::vector<HeldBackupLock>>> ServerSession::ListBackupLocks() {
  const std::string_view what = "listing the backup locks";
  struct Source {
    std::string_view sql;
    bool is_complete;
  };
  // Each is there on some servers only: performance_schema is off, and closed to most users, by
  // default; the other is a plugin. performance_schema without its instrument has no rows, as if
  // nobody held a lock.
  constexpr Source kSources[] = {
      {"SELECT t.PROCESSLIST_ID, l.LOCK_TYPE FROM performance_schema.metadata_locks l JOIN "
       "performance_schema.threads t ON t.THREAD_ID=l.OWNER_THREAD_ID WHERE "
       "l.OBJECT_TYPE='BACKUP' AND l.LOCK_STATUS='GRANTED'",
       false},
      {"SELECT THREAD_ID, LOCK_MODE FROM information_schema.METADATA_LOCK_INFO WHERE "
       "LOCK_TYPE='Backup lock'",
       true}};
  std::optional<std::vector<HeldBackupLock>> locks;
  for (const Source& source : kSources) {
    const SqlAnswer answer = client_->Execute(source.sql, wait_);
    if (answer.error_number == kUnknownTable || answer.error_number == kNoSuchTable) continue;
    const Status status = StatusOfSqlError(answer, what);
    if (status.code() == StatusCode::kMissingPrivilege) continue;
    HBK_RETURN_IF_ERROR(status);
    if (!HasShape(answer, 2)) return UnexpectedAnswer(what);
    if (answer.rows.empty() && !source.is_complete) continue;
    locks.emplace();
    for (const SqlRow& row : answer.rows) {
      std::string mode = TextOf(row[1]);
      if (mode.starts_with("MDL_")) mode.erase(0, 4);
      locks->push_back({ParseWholePart(row[0]), std::move(mode)});
    }
    break;
  }
  return locks;
}

Result<std::vector<uint64_t>> ServerSession::ListInnodbWriters() {
  const std::string_view what = "listing the transactions";
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask("SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX WHERE "
                           "trx_rows_modified>0",
                           what));
  if (!HasShape(answer, 1)) return UnexpectedAnswer(what);
  std::vector<uint64_t> ids;
  for (const SqlRow& row : answer.rows)
    ids.push_back(ParseWholePart(row[0]));
  return ids;
}

Result<bool> ServerSession::KillQuery(uint64_t query_id) {
  const SqlAnswer answer = client_->Execute(fmt::format("KILL QUERY ID {}", query_id), wait_);
  if (answer.error_number == kNoSuchQuery) return false;
  HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, fmt::format("ending statement {}", query_id)));
  return true;
}

Status ServerSession::KillConnection(uint64_t connection_id) {
  return Ask(fmt::format("KILL HARD CONNECTION {}", connection_id), "ending a waiting connection")
      .status();
}

Result<std::vector<ReplicaConnection>> ServerSession::ReadReplicaConnections() {
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask(kReplicaStatus, "reading the state of replication"));
  return ParseReplicaStatus(answer);
}

Status ServerSession::StopSqlThread(std::string_view connection, std::chrono::milliseconds bound) {
  SqlWait wait = wait_;
  wait.bound = bound;
  return StatusOfSqlError(
      client_->Execute(fmt::format("STOP SLAVE {} SQL_THREAD", QuoteText(connection)), wait),
      fmt::format("stopping the SQL thread of {}", DescribeConnection(connection)));
}

Status ServerSession::StartSqlThread(std::string_view connection) {
  return Ask(fmt::format("START SLAVE {} SQL_THREAD", QuoteText(connection)),
             fmt::format("starting the SQL thread of {}", DescribeConnection(connection)))
      .status();
}

Result<uint64_t> ServerSession::ReadReplicaTemporaryTables() {
  const std::string_view what = "counting the temporary tables of replication";
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer,
                       Ask("SHOW GLOBAL STATUS LIKE 'Slave_open_temp_tables'", what));
  if (answer.rows.size() != 1 || !HasShape(answer, 2)) return UnexpectedAnswer(what);
  const auto count = ParseNumber(answer.rows[0][1]);
  if (!count) return UnexpectedAnswer(what);
  return *count;
}

Result<GaleraStatus> ServerSession::ReadGaleraStatus() {
  HBK_ASSIGN_OR_RETURN(const SqlAnswer answer, Ask("SHOW GLOBAL STATUS LIKE 'wsrep\\_%'",
                                                   "reading the state of the Galera node"));
  return ParseGaleraStatus(answer);
}

}  // namespace hbk::server
