#include "tests/integration/redo_backup_scenario.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "tests/support/live/database_checks.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;

constexpr auto kLoadLimit = std::chrono::seconds(120);

Status LoadUntil(SqlClient& client, uint64_t redo_bytes) {
  HBK_ASSIGN_OR_RETURN(const uint64_t begin, client.StatusNumber("Innodb_lsn_current"));
  const auto deadline = steady_clock::now() + kLoadLimit;
  for (;;) {
    HBK_ASSIGN_OR_RETURN(const uint64_t lsn, client.StatusNumber("Innodb_lsn_current"));
    if (lsn - begin >= redo_bytes) return OkStatus();
    if (steady_clock::now() > deadline) {
      return FailedError(fmt::format("the load wrote only {} bytes of redo", lsn - begin));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// Until what was open is rolled back and purge has nothing left: before that CHECK TABLE ...
// EXTENDED warns of entries that are about to go.
Status WaitForRecovery(SqlClient& client) {
  const auto deadline = steady_clock::now() + kLoadLimit;
  for (;;) {
    // Background threads of the server have transactions, too, but they change no rows.
    HBK_ASSIGN_OR_RETURN(
        const uint64_t open_count,
        client.QueryNumber("SELECT COUNT(*) FROM information_schema.INNODB_TRX "
                           "WHERE trx_mysql_thread_id = 0 AND trx_rows_modified > 0"));
    if (open_count == 0) break;
    if (steady_clock::now() > deadline) return FailedError("the rollback does not end");
    // Asked more often than every 100 ms the server repeats its last answer.
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  return WaitForPurge(client, std::chrono::seconds(30));
}

}  // namespace

const std::vector<std::string>& KeepChangesInMemory() {
  static const std::vector<std::string> options = {
      "--innodb-log-file-size=1G",       "--innodb-buffer-pool-size=512M",
      "--innodb-max-dirty-pages-pct=99", "--innodb-max-dirty-pages-pct-lwm=0",
      "--innodb-adaptive-flushing=OFF",  "--innodb-flush-log-at-trx-commit=2"};
  return options;
}

Status WritePages(SqlClient& client) {
  constexpr uint64_t kRest = 50;  // there is always something going on
  HBK_RETURN_IF_ERROR(client.Execute("SET GLOBAL innodb_max_dirty_pages_pct = 0"));
  const auto deadline = steady_clock::now() + kLoadLimit;
  while (client.StatusNumber("Innodb_buffer_pool_pages_dirty").value() > kRest) {
    if (steady_clock::now() > deadline) return FailedError("the server does not write its pages");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return client.Execute("SET GLOBAL innodb_max_dirty_pages_pct = 99");
}

Result<uint64_t> MakeRedoBackup(const RedoBackupConfig& config, const std::string& server_dir,
                                const std::string& target_dir) {
  MariadbdOptions options{.base_dir = server_dir,
                          .install_options = config.install_options,
                          .extra = config.server_options,
                          .tree = config.tree};
  options.extra.insert(options.extra.end(), KeepChangesInMemory().begin(),
                       KeepChangesInMemory().end());
  options.extra.insert(options.extra.end(), {"--log-bin=binlog", "--binlog-format=ROW"});
  HBK_ASSIGN_OR_RETURN(const auto server, Mariadbd::Start(options));
  WorkloadOptions load_options{
      .seed = config.seed, .bulk_mib = 16, .has_ddl = config.has_ddl, .kinds = config.kinds};
  if (config.kinds) load_options.bulk_mib = 4;
  Workload load(server->socket_path(), load_options);
  HBK_RETURN_IF_ERROR(load.CreateTables());
  HBK_ASSIGN_OR_RETURN(SqlClient client, server->Connect());
  // Pages of all kinds have to be in the files, not only in the redo.
  if (config.kinds) HBK_RETURN_IF_ERROR(WritePages(client));
  load.Start();
  HBK_RETURN_IF_ERROR(LoadUntil(client, config.redo_mib << 20));
  const BackupArguments arguments{.socket_path = server->socket_path(),
                                  .target_dir = target_dir,
                                  .parallel = 2,
                                  .tree = config.tree};
  HBK_RETURN_IF_ERROR(
      RunToSuccess(BackupCommand(config.tool, arguments), target_dir + ".log").status());
  HBK_RETURN_IF_ERROR(load.Stop());
  server->Kill9();
  HBK_RETURN_IF_ERROR(RemoveTree(server->data_dir()));
  const uint64_t log_bytes = ReadWholeFile(target_dir + "/ib_logfile0").value().size();
  return log_bytes;
}

Status CheckRestoredData(const std::string& server_dir, const std::string& data_dir,
                         const std::vector<std::string>& install_options,
                         const std::vector<std::string>& server_options, const ServerTree& tree) {
  MariadbdOptions options{.base_dir = server_dir,
                          .data_dir = data_dir,
                          .has_data = true,
                          .install_options = install_options,
                          .extra = server_options,
                          .tree = tree};
  HBK_ASSIGN_OR_RETURN(const auto server, Mariadbd::Start(options));
  HBK_ASSIGN_OR_RETURN(SqlClient client, server->Connect());
  HBK_RETURN_IF_ERROR(CheckBank(client));
  HBK_RETURN_IF_ERROR(WaitForRecovery(client));
  HBK_RETURN_IF_ERROR(CheckAllTables(client));
  return server->Stop();
}

}  // namespace hbk::testing
