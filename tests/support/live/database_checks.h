// What must hold of a restored server, asked of it by SQL.
//
// Errors   kCorruption: a check has failed; the message names all that failed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"

namespace hbk::testing {

// No findings: OK; else an error that shows the first of them.
Status Verdict(const std::vector<std::string>& findings, const std::string& what);

// Base tables of all user databases, quoted, sorted; with the `mysql` database if asked for.
Result<std::vector<std::string>> ListTables(SqlClient& client, bool with_system_tables = false);

// The bank of the load: the sum is what it was at first, and each balance is what the transfers
// say. Holds at every consistent state.
Status CheckBank(SqlClient& client);

// Until InnoDB has purged what is old, at most `limit`: a started server rolls back and purges in
// the background, and CHECK TABLE takes half-purged index entries for damage.
Status WaitForPurge(SqlClient& client, milliseconds limit);

// CHECK TABLE ... EXTENDED of everything, system tables included. Delete-marked leftovers that
// `source` reports of itself are none of the copy's: a server may lose purges, above all when it
// truncates undo tablespaces.
Status CheckAllTables(SqlClient& client, SqlClient* source = nullptr);

// The same tables with the same rows (CHECKSUM TABLE ... EXTENDED).
Status CompareTables(SqlClient& expected, SqlClient& actual);

enum class ReplicationStart { kFilePosition, kGtid };

// Makes `replica` follow `source` from where the backup was taken.
Status AttachReplica(Mariadbd& source, Mariadbd& replica, const BinlogInfo& info,
                     ReplicationStart start);
// Returns when the replica has executed all of the source's binlog; at the first replication
// error, or at the limit, an error.
Status CatchUp(Mariadbd& source, Mariadbd& replica, milliseconds limit);

}  // namespace hbk::testing
