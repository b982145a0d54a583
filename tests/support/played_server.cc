#include "tests/support/played_server.h"

#include <algorithm>

#include <fmt/format.h>

#include "tests/support/redo_builder.h"
#include "tests/support/scripted_sql_client.h"
#include "tests/support/small_backup.h"

namespace hbk::testing {
namespace {

using server::SqlAnswer;

constexpr uint32_t kServerLost = 2013;
constexpr uint32_t kUnknownSystemVariable = 1193;
constexpr uint32_t kUnknownTable = 1109;
constexpr size_t kAriaPage = 8192;

LogBuilder MakeLog() {
  LogBuilder log(kSmallBackupStartLsn, 64 << 10);
  log.Append(MtrBuilder()
                 .FileModify(5, "./db/a.ibd")
                 .FileModify(6, "./db/b.ibd")
                 .FileCheckpoint(kSmallBackupStartLsn));
  for (uint32_t round = 0; round < 20; ++round) {
    MtrBuilder mtr;
    mtr.Write({0, 2 + round % 5}, 1200 + round * 8, fmt::format("system {}", round));
    mtr.Write({5, 1 + round % 7}, 200 + round * 16, fmt::format("table a {}", round));
    mtr.Write({6, 1 + round % 3}, 300, fmt::format("b {}", round));
    log.Append(mtr);
  }
  return log;
}

// The control file of a 10.11.19 server: checkpoint in log 1, last log 1.
std::string AriaControl() {
  return FromHex(
      "fefe0c015b0e5334e51611f18f7e02fc000000011e00160000200ea991f6"
      "cc68813f0100007ea606000100000056010000000000");
}

struct Answered {
  std::string_view beginning;  // of the statement
  SqlAnswer answer;
};

std::vector<Answered> MakeAnswers() {
  static const uint64_t end_lsn = MakeLog().end_lsn();
  const std::string lsn = std::to_string(end_lsn);
  return {
      {"SET SESSION wsrep_sync_wait", SqlError(kUnknownSystemVariable, "no such variable")},
      {"SET SESSION ", {}},
      {"SHOW GLOBAL VARIABLES", SqlRows({{"datadir", "/data/"},
                                         {"hostname", "played"},
                                         {"pid_file", "/data/played.pid"},
                                         {"version", "10.11.19-MariaDB"},
                                         {"aria_log_dir_path", "/data/"},
                                         {"gtid_binlog_pos", ""},
                                         {"innodb_page_size", std::to_string(kSmallBackupPageSize)},
                                         {"innodb_data_home_dir", ""},
                                         {"innodb_data_file_path", "ibdata1:32K:autoextend"},
                                         {"innodb_undo_directory", "./"},
                                         {"innodb_undo_tablespaces", "1"},
                                         {"innodb_log_group_home_dir", "./"},
                                         {"innodb_log_file_size", "65536"},
                                         {"innodb_checksum_algorithm", "full_crc32"},
                                         {"log_bin", "OFF"}})},
      {"SELECT VERSION()", SqlRows({{"10.11.19-MariaDB", "mariadb.org binary", "b@localhost"}})},
      {"SELECT PLUGIN_NAME", SqlRows({{"InnoDB", "STORAGE ENGINE", "ACTIVE", std::nullopt}})},
      {"SHOW GLOBAL STATUS LIKE 'Uptime'", SqlRows({{"Uptime", "1000"}})},
      {"SHOW GLOBAL STATUS LIKE 'Innodb_lsn%'",
       SqlRows({{"Innodb_lsn_current", lsn},
                {"Innodb_lsn_flushed", lsn},
                {"Innodb_lsn_last_checkpoint", std::to_string(kSmallBackupStartLsn)}})},
      {"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}},
      {"SHOW ENGINE INNODB STATUS", SqlRows({{"InnoDB", "", "text"}})},
      {"SELECT @@GLOBAL.innodb_flush_log_at_trx_commit", SqlRows({{"1"}})},
      {"SELECT @@GLOBAL.gtid_binlog_pos", SqlRows({{"", "", "", ""}})},
      {"SELECT UUID()", SqlRows({{"5e2a27f4-0000-0000-0000-0123456789ab"}})},
      {"SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLESPACES",
       SqlRows({{"1", "innodb_undo001"}, {"5", "db/a"}, {"6", "db/b"}})},
      {"SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLES WHERE", SqlRows({})},
      {"SELECT ID, QUERY_ID", SqlRows({})},
      {"SELECT t.PROCESSLIST_ID", SqlError(kUnknownTable, "no such table")},
      {"SELECT THREAD_ID, LOCK_MODE", SqlError(kUnknownTable, "no such table")},
      {"SELECT trx_mysql_thread_id", SqlRows({})},
      {"SELECT CONVERT(_filename", SqlRows({{"db", "t"}})},
      {"KILL CONNECTION", {}},
  };
}

}  // namespace

class PlayedClient final : public server::SqlClient {
 public:
  PlayedClient(PlayedServer& server, uint64_t id) : server_(server), id_(id) {}
  ~PlayedClient() override { server_.Forget(id_); }
  PlayedClient(const PlayedClient&) = delete;
  PlayedClient& operator=(const PlayedClient&) = delete;

  SqlAnswer Execute(std::string_view sql, const server::SqlWait& /*wait*/) override {
    return server_.Answer(id_, sql);
  }
  [[nodiscard]] std::string server_version() const override { return "10.11.19-MariaDB"; }

 private:
  PlayedServer& server_;
  const uint64_t id_;
};

void PlayedServer::PutDatadir(MemFileSystem& fs) {
  const std::string dir = kPlayedDatadir;
  fs.PutFile(dir + "/ibdata1", MakeSmallTablespace(0, 8));
  fs.PutFile(dir + "/undo001", MakeSmallTablespace(1, 6));
  fs.PutFile(dir + "/db/a.ibd", MakeSmallTablespace(5, 8));
  fs.PutFile(dir + "/db/b.ibd", MakeSmallTablespace(6, 4));
  fs.PutFile(dir + "/db/a.frm", "definition of a");
  fs.PutFile(dir + "/db/b.frm", "definition of b");
  fs.PutFile(dir + "/db/db.opt", "default-character-set=utf8mb4\n");
  fs.PutFile(dir + "/db/m.frm", "definition of m");
  fs.PutFile(dir + "/db/m.MYD", "rows of m");
  fs.PutFile(dir + "/db/m.MYI", std::string(1024, 'i'));
  fs.PutFile(dir + "/ib_logfile0", MakeLog().file());
  fs.PutFile(dir + "/aria_log_control", AriaControl());
  fs.PutFile(dir + "/aria_log.00000001", std::string(3 * kAriaPage, 'a'));
  fs.PutFile(dir + "/played.pid", "77\n");
  fs.SetLockHolder(dir + "/ibdata1", 77);
  fs.SetLockHolder(dir + "/aria_log_control", 77);
  fs.PutDirectory("/backups");
}

Result<std::unique_ptr<server::SqlClient>> PlayedServer::Connect() {
  const MutexLock lock(mutex_);
  return std::unique_ptr<server::SqlClient>(std::make_unique<PlayedClient>(*this, ++last_client_));
}

void PlayedServer::LoseConnectionAt(uint64_t k) {
  const MutexLock lock(mutex_);
  lost_at_ = statement_count_ + k;
}

uint64_t PlayedServer::statement_count() const {
  const MutexLock lock(mutex_);
  return statement_count_;
}

bool PlayedServer::is_locked() const {
  const MutexLock lock(mutex_);
  return stage_holder_ != 0;
}

std::vector<std::string> PlayedServer::unknown() const {
  const MutexLock lock(mutex_);
  return unknown_;
}

SqlAnswer PlayedServer::Answer(uint64_t client, std::string_view sql) {
  static const std::vector<Answered> answers = MakeAnswers();
  const MutexLock lock(mutex_);
  const bool is_lost =
      std::find(lost_clients_.begin(), lost_clients_.end(), client) != lost_clients_.end();
  if (is_lost || ++statement_count_ == lost_at_) {
    // With its session goes what it held.
    if (!is_lost) lost_clients_.push_back(client);
    if (stage_holder_ == client) stage_holder_ = 0;
    return SqlError(kServerLost, "Lost connection to server during query");
  }
  if (sql.starts_with("SELECT CONNECTION_ID()")) return SqlRows({{std::to_string(client)}});
  if (sql.starts_with("BACKUP STAGE ")) {
    stage_holder_ = sql == "BACKUP STAGE END" ? 0 : client;
    return {};
  }
  for (const Answered& one : answers)
    if (sql.starts_with(one.beginning)) return one.answer;
  unknown_.emplace_back(sql);
  return SqlError(1064, "the played server does not know this");
}

void PlayedServer::Forget(uint64_t client) {
  const MutexLock lock(mutex_);
  if (stage_holder_ == client) stage_holder_ = 0;
}

}  // namespace hbk::testing
