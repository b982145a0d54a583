// What must hold of a restored server beyond the rows of its tables: what else it has, and that its
// files are those of its tables.
//
// Errors   kCorruption: a check has failed; the message names what.
#pragma once

#include <string>

#include "hbk/base/status.h"

#include "tests/support/live/mariadbd.h"
#include "tests/support/live/sql_client.h"

namespace hbk::testing {

// No table of a user database that is copied only while nobody may write it (MyISAM, and Aria that
// is not transactional or has no page checksums) says that somebody had it open: the server closed
// it before the copy. To be asked of a server that has not written them yet.
Status CheckNoneWasOpen(SqlClient& client);

// In the database directories there is nothing but tables and what belongs to them: no
// intermediate `#sql` file, no data file without its definition, and no partition of a table that
// is not partitioned.
Status CheckFilesHaveTables(const std::string& data_dir);

// The same databases, views, triggers, routines, events and users.
Status CompareObjects(SqlClient& expected, SqlClient& actual);

// Nothing that the server itself calls an error.
Status CheckErrorLog(const Mariadbd& server);

}  // namespace hbk::testing
