// Row counts and checksums of InnoDB tables as they are in the backup, for a drill to compare.
//
// The snapshot begins while commits are blocked, so it has the transactions that the backup has;
// the tables are read after the server was released. Meanwhile the server keeps old row versions,
// and each table has a lock on its definition while it is read.
//
// Left out: what is not InnoDB, the server's own tables, sequences, and tables that were altered,
// renamed or emptied before their turn.
//
// Errors   kMissingPrivilege: the user may not read all tables. kInterrupted. Whatever else is
//          wrong with them is for the caller to warn of: the backup itself is whole.
// Threads  Main thread.
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/report/reporter.h"
#include "hbk/server/table_session.h"

namespace hbk::backup {

class TableChecksums {
 public:
  // Tries the right to read the tables.
  static Result<std::unique_ptr<TableChecksums>> Open(std::unique_ptr<server::TableSession> session,
                                                      std::string_view account);

  // Before the locks.
  Status Prepare() { return session_->PrepareSnapshot(); }
  // Under BLOCK_COMMIT.
  Status BeginSnapshot() { return session_->BeginSnapshot(); }
  // After END.
  Result<std::vector<manifest::TableChecksum>> Take(report::Reporter& reporter,
                                                    const std::stop_token& stop);

 private:
  explicit TableChecksums(std::unique_ptr<server::TableSession> session)
      : session_(std::move(session)) {}

  std::unique_ptr<server::TableSession> session_;
};

}  // namespace hbk::backup
