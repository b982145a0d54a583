// Which positions a backup of this server is to record, from its options and what the server is.
//
// Errors   kUsage: an option asks for what the server does not have. kFailed: it is a node of a
//          Galera cluster, and no member of it now. The session's own.
// Threads  One at a time.
#pragma once

#include "hbk/backup/backup_runner.h"
#include "hbk/base/status.h"
#include "hbk/report/reporter.h"
#include "hbk/server/server_facts.h"
#include "hbk/server/server_session.h"

#include "position_reader.h"

namespace hbk::backup {

// Tells what the backup will do to a Galera node, and which option has nothing to do here.
Result<PositionChoice> ChoosePositions(server::ServerSession& session,
                                       const server::ServerFacts& facts,
                                       const BackupOptions& options, report::Reporter& reporter);

}  // namespace hbk::backup
