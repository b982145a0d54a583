// Gives tablespace files the sizes that the redo leaves.
//
// Files of tables only ever grow: a server allocates more than a tablespace says. Truncation is for
// undo tablespaces and the system tablespace, where the redo tells of it.
//
// Threads  One.
#pragma once

#include <set>
#include <string>

#include "backup_set.h"
#include "tablespace_table.h"

namespace hbk::prepare {

// Before the pages are written: cuts what the redo truncated to the least that it was. What grows
// anew behind is then zeros where the redo says nothing, as on the server.
Status CutTrimmedFiles(io::FileSystem& fs, const BackupSet& set, const SpaceLogs& logs,
                       TablespaceTable& table, std::set<std::string>& changed);

// Before the pages are written: makes the files that are missing and lengthens those too short.
// Adds the names of what it changed to `changed`.
Status GrowFiles(io::FileSystem& fs, const BackupSet& set, TablespaceTable& table,
                 std::set<std::string>& changed);

// After the pages are written: cuts what the redo truncated.
Status TruncateFiles(io::FileSystem& fs, const BackupSet& set, const TablespaceTable& table,
                     const SpaceLogs& logs, std::set<std::string>& changed);

}  // namespace hbk::prepare
