// The stages of a backup as the server sees them, the same way for every tool.
//
// Units    Milliseconds.
// Errors   kFailed: the server does not answer; kNotFound: no whole backup was seen.
// Threads  As the client that is given.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/process.h"
#include "tests/support/live/sql_client.h"

namespace hbk::testing {

// With these the server keeps when each BACKUP STAGE statement began and ended, and nothing else,
// so that the clock costs nobody anything.
std::vector<std::string> StageClockOptions();

// From BLOCK_DDL granted to the call of END, in the last backup. Wants StageClockOptions().
Result<double> BlockedMs(SqlClient& client);

// True once a session waits for BLOCK_DDL: whatever a tool copies before that is copied, and the
// stage is still FLUSH. It goes on waiting while somebody writes a table that is not online.
Result<bool> IsWaitingForBlockDdl(SqlClient& client);

}  // namespace hbk::testing
