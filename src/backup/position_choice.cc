#include "position_choice.h"

#include <fmt/format.h>

namespace hbk::backup {

Result<PositionChoice> ChoosePositions(server::ServerSession& session,
                                       const server::ServerFacts& facts,
                                       const BackupOptions& options, report::Reporter& reporter) {
  PositionChoice choice;
  const bool has_binlog = facts.IsOn("log_bin");
  if (options.binlog_info == BinlogInfo::kOn && !has_binlog) {
    return UsageError("--binlog-info=ON, but the server writes no binlog (log_bin is OFF)")
        .WithHint("turn the binlog on, or use --binlog-info=AUTO");
  }
  choice.binlog = has_binlog && options.binlog_info != BinlogInfo::kOff;
  choice.replica = options.slave_info;
  if (facts.Number("slave_parallel_threads", 0) != 0 && !options.safe_slave_backup) {
    reporter.Info(
        "the server can apply replicated changes in parallel (slave_parallel_threads): if "
        "mariadb-backup prepares the backup, instead of hbk, the restored server may have to be "
        "started with --tc-heuristic-recover=ROLLBACK once");
  }
  const bool is_galera = facts.IsOn("wsrep_on");
  if (is_galera) {
    reporter.Info(
        "the server is a node of a Galera cluster: from BACKUP STAGE BLOCK_DDL to END it applies "
        "nothing from other nodes, and its own clients cannot commit");
  }
  if (!options.galera_info) return choice;
  if (!is_galera) {
    reporter.Info("--galera-info: the server is no node of a Galera cluster, none is written");
    return choice;
  }
  HBK_ASSIGN_OR_RETURN(const server::GaleraStatus status, session.ReadGaleraStatus());
  if (!status.IsMember()) {
    return FailedError(fmt::format("the Galera node is no member of its cluster now: its state is "
                                   "{}",
                                   status.state))
        .WithHint("wait until wsrep_local_state_comment is Synced, or leave --galera-info out");
  }
  choice.galera = true;
  choice.wsrep_gtid_domain_id = facts.Number("wsrep_gtid_domain_id", 0);
  return choice;
}

}  // namespace hbk::backup
