// Tables whose rows are not in the backup, although their definitions are: found by the definitions
// that were copied, since a server shows a user only the tables that he has rights on.
//
//   warned of   rows that lie elsewhere (FEDERATED, CONNECT, Spider, S3, ColumnStore ...), that
//   were
//               left out (MyRocks, if asked for), or are of an engine that hbk does not know
//   remarked    tables that have no rows to keep: MEMORY, BLACKHOLE, OQGRAPH
//
// Which engine is what is one table, in foreign_engines.cc; users read docs/engines.md.
//
// Threads  One at a time.
#pragma once

#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/report/reporter.h"
#include "hbk/server/server_session.h"

#include "backup_record.h"

namespace hbk::backup {

// One warning (in the record) or remark (to the reporter) per engine, with the first names of its
// tables. `session` decodes names; without it they are shown as their files have them. Definitions
// that only the base of an increment has are read from the server's data directory.
Status TellOfForeignEngines(io::FileSystem& fs, const std::string& target_dir,
                            server::ServerSession& session, bool has_rocksdb,
                            report::Reporter& reporter, BackupRecord& record);

}  // namespace hbk::backup
