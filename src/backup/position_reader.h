// The positions that a backup stands for: of the binlog, of a replica in its sources, of a node in
// its Galera cluster; all read while BACKUP STAGE BLOCK_COMMIT holds.
//
// Nothing is committed then, so that all of them are of one moment. But a thread that had committed
// right before may not have said so yet: what is told of replication counts only when it was the
// same twice, a while apart.
//
// Units    LSNs are byte positions in the log stream.
// Errors   kFailed: something was committed although that is blocked. The session's own.
// Threads  One at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/server/server_session.h"

namespace hbk::backup {

// Which are wanted.
struct PositionChoice {
  bool binlog = false;
  bool replica = false;
  bool galera = false;
  uint64_t wsrep_gtid_domain_id = 0;
  // Between two looks at replication, and how long it may take until two are the same.
  std::chrono::milliseconds settle_pause{50};
  std::chrono::milliseconds settle_limit{1'000};
};

struct Positions {
  std::optional<manifest::BinlogPosition> binlog;    // nothing: not wanted, or no binlog
  std::optional<manifest::ReplicaPosition> replica;  // nothing: not wanted, or no replica
  std::optional<manifest::GaleraPosition> galera;    // nothing: not wanted
};

class PositionReader {
 public:
  // Borrows the session.
  PositionReader(server::ServerSession& session, PositionChoice choice)
      : session_(session), choice_(choice) {}

  // At the beginning of the stage. The LSN up to which the log has all that is committed; it is on
  // disk then, whatever innodb_flush_log_at_trx_commit says.
  Result<uint64_t> Begin();
  // At the end of the stage, after Begin.
  Result<Positions> Finish();

 private:
  struct Reading {
    std::optional<server::BinlogCoordinates> binlog;
    server::GtidPositions gtids;
    std::vector<server::ReplicaConnection> replica;
    std::optional<server::GaleraStatus> galera;
  };
  Result<Reading> Read();
  // `last` becomes a reading that says of replication what the one before said.
  Status Settle(Reading& last);
  Status CheckNothingMoved(const Reading& last) const;

  server::ServerSession& session_;
  PositionChoice choice_;
  Reading first_;
  std::chrono::steady_clock::time_point first_at_;
};

}  // namespace hbk::backup
