// The server's list of DDL statements that ran during a backup: <datadir>/ddl.log.
//
// Emptied by BACKUP STAGE START, written until BLOCK_DDL is granted. It does not list everything
// (TRUNCATE of a MyISAM table is missing), so it can say that a table changed, but never that one
// did not. Servers before 10.11.8 have none.
//
// Format   docs/format/data-directory.md: lines of 12 fields with tabs between them; names as in
//          file names.
// Source   Files of MariaDB 10.11.19, about 190 statements.
// Threads  Pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hbk::datadir {

constexpr std::string_view kDdlLogName = "ddl.log";

struct DdlLogEntry {
  std::string operation;  // "CREATE", "RENAME", "optimize", ...
  std::string engine;     // "Aria", or "VIEW", "TRIGGER", "DATABASE", "UNKNOWN"
  std::string table;      // "db/t"; "db/" for a database
  std::string new_table;  // of ALTER, RENAME and EXCHANGE_PARTITION, else empty
};

struct DdlLog {
  std::vector<DdlLogEntry> entries;
  // False if a line could not be read, or the last one has no end: something may be missing.
  bool is_complete = true;
};

DdlLog ParseDdlLog(std::string_view text);

}  // namespace hbk::datadir
