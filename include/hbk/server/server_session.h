// Everything hbk asks a server, one method per question; there is no general query.
//
// Errors   kCannotConnect, kMissingPrivilege (1227 and its kin), kConnectionLost, kUnsupported for
//          answers that no supported server gives, else kFailed.
// Threads  One at a time; several sessions are independent.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/server/connect_options.h"
#include "hbk/server/galera_status.h"
#include "hbk/server/replica_status.h"
#include "hbk/server/server_facts.h"
#include "hbk/server/sql_client.h"

namespace hbk::server {

struct LsnTriple {
  uint64_t flushed = 0;          // durable
  uint64_t current = 0;          // generated
  uint64_t last_checkpoint = 0;  // 0 if the server does not say
};

struct BinlogCoordinates {
  std::string file;
  uint64_t position = 0;
  bool operator==(const BinlogCoordinates&) const = default;
};

struct GtidPositions {
  std::string binlog_pos;
  std::string binlog_state;
  std::string current_pos;
  std::string slave_pos;
};

// A tablespace, as the server names it: "d/t@0020x#P#p0".
struct TablespaceRow {
  uint32_t space_id = 0;
  std::string name;
};

// What users call the table of a file.
struct TableName {
  std::string database;
  std::string table;
  std::string partition;  // as in the file name; empty: none

  // "`db`.`t`", "`db`.`t` partition `p0`".
  [[nodiscard]] std::string ToString() const;
};

// Why a table has no open tablespace.
enum class ClosedReason {
  kDiscarded,    // ALTER TABLE .. DISCARD TABLESPACE
  kMissingFile,  // its file is not there, or cannot be used
  kDropped,      // meanwhile
  kUnknown,      // the user must not look
};

// A right that a backup needs and the user has not.
struct MissingPrivilege {
  std::string privilege;  // as in GRANT: "BINLOG MONITOR"
  std::string needed_for;
};

// A session of the server, as its process list has it.
struct ListedSession {
  uint64_t id = 0;
  uint64_t query_id = 0;  // of the statement that it runs, or ran last
  std::string user;       // "system user": a thread of the server
  std::string host;
  std::string command;    // "Query", "Sleep", "Binlog Dump", ...
  uint64_t time_ms = 0;   // since `command` began
  std::string state;      // "Sending data", ...; may be empty
  std::string statement;  // its beginning; empty: none runs
};

// A lock that a session holds in the namespace of BACKUP STAGE.
struct HeldBackupLock {
  uint64_t session_id = 0;
  std::string mode;  // "BACKUP_DDL", "BACKUP_DML", ...
  bool operator==(const HeldBackupLock&) const = default;
};

// What of a backup is to be tried.
struct ProbeOptions {
  bool has_binlog = false;
  bool kills_queries = false;
  bool makes_rocksdb_checkpoint = false;
  bool reads_replica = false;   // ReadReplicaConnections
  bool pauses_replica = false;  // and StopSqlThread, StartSqlThread
};

class ServerSession {
 public:
  // Connects and sets the session up for a long run. Checks nothing about the server.
  // `stop` as in SetStop, from the first statement on.
  static Result<std::unique_ptr<ServerSession>> Connect(const ConnectOptions& options,
                                                        std::stop_token stop = {});
  // The same over a given client.
  static Result<std::unique_ptr<ServerSession>> Create(std::unique_ptr<SqlClient> client,
                                                       std::stop_token stop = {});

  // What was asked of the server is answered with kInterrupted once stop is requested.
  void SetStop(std::stop_token stop) { wait_.stop = std::move(stop); }

  [[nodiscard]] std::string server_version() const { return client_->server_version(); }

  Result<ServerFacts> ReadFacts();
  Result<uint64_t> ReadUptimeSeconds();
  // From one statement, so that the three belong together.
  Result<LsnTriple> ReadLsn();
  // Nothing: the server writes no binlog.
  Result<std::optional<BinlogCoordinates>> ReadBinlogPosition();
  Result<GtidPositions> ReadGtids();
  // Makes everything in the engines' logs durable, as far as their settings have it.
  Status FlushEngineLogs();
  // Whether FlushEngineLogs, at this moment, writes InnoDB's log to its file: up to what ReadLsn
  // said before. With innodb_flush_log_at_trx_commit=0 it does nothing; with 2 it writes, and
  // leaves it to the system to make that durable.
  Result<bool> DoesFlushWriteLog();
  // Those that the server has open: all that it has a file of, except the system tablespace.
  Result<std::vector<TablespaceRow>> ListTablespaces();
  // Tables, partitions that should have a tablespace of their own, and have none open.
  Result<std::vector<TablespaceRow>> ListClosedTables();
  Result<ClosedReason> FindClosedReason(const TableName& name);
  // `name` is that of a file without directory of the data directory and extension: "d/t@0020x".
  Result<TableName> DecodeTableName(std::string_view name);
  // Tries what a backup will do. Empty: nothing is missing.
  Result<std::vector<MissingPrivilege>> ProbePrivileges(const ProbeOptions& options);
  Result<uint64_t> ReadConnectionId();
  // All but this one.
  Result<std::vector<ListedSession>> ListSessions();
  // Nothing: the server does not say, or not to this user.
  Result<std::optional<std::vector<HeldBackupLock>>> ListBackupLocks();
  // Sessions whose open transaction has changed rows of InnoDB tables.
  Result<std::vector<uint64_t>> ListInnodbWriters();
  // Ends that statement, and none that the session has begun since. False: it had ended already.
  Result<bool> KillQuery(uint64_t query_id);
  // The right to make and remove checkpoints of MyRocks belongs to one tool at a time. False if
  // another has it for longer than this. It ends with the session at the latest.
  Result<bool> LockRocksdbCheckpoint(uint32_t wait_s);
  Status UnlockRocksdbCheckpoint();
  // Writes what MyRocks has in memory only to its tables, as a checkpoint does first of all.
  Status FlushRocksdb();
  // `dir`, which must not exist, becomes a copy of MyRocks' data as they are now: what does not
  // change any more as hard links, if it is on the same file system.
  Status CreateRocksdbCheckpoint(std::string_view dir);
  // Removes the checkpoint under the name that backup tools use, if it is there and holds nothing
  // but files.
  Status RemoveRocksdbCheckpoint();
  Result<std::string> NewUuid();
  Status KillConnection(uint64_t connection_id);

  // Of all sources; nothing: the server is no replica.
  Result<std::vector<ReplicaConnection>> ReadReplicaConnections();
  // Waits until the thread has ended, which takes as long as what it must not leave half done.
  // kLockWaitTimeout: it took longer than the bound, and this session is closed; the server may
  // stop the thread all the same.
  Status StopSqlThread(std::string_view connection, std::chrono::milliseconds bound);
  // No error if it runs.
  Status StartSqlThread(std::string_view connection);
  // Temporary tables that the replicated statements of all sources have made and not dropped.
  Result<uint64_t> ReadReplicaTemporaryTables();
  Result<GaleraStatus> ReadGaleraStatus();

 private:
  explicit ServerSession(std::unique_ptr<SqlClient> client) : client_(std::move(client)) {}
  Status SetUp();
  Result<SqlAnswer> Ask(std::string_view sql, std::string_view what);
  Result<std::vector<MissingPrivilege>> ProbePausing();
  Result<std::vector<TablespaceRow>> ListSpaces(std::string_view sql, std::string_view what);

  std::unique_ptr<SqlClient> client_;
  SqlWait wait_;
};

}  // namespace hbk::server
