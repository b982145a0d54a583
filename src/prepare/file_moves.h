// Removes and renames tablespace files as the redo says; and the like that mariadb-backup left to
// its prepare.
//
// Everything here can be repeated after a kill: what is done is not found again, and a file under a
// temporary name is known by its tablespace id.
//
// Threads  One.
#pragma once

#include "backup_set.h"
#include "tablespace_table.h"

namespace hbk::prepare {

// In two phases, since tablespaces may have swapped names: first everything that moves gets a
// temporary name, then its final one.
Status MoveFiles(io::FileSystem& fs, const BackupSet& set, const TablespaceTable& table);

// mariadb-backup notes DDL that it met while copying as files "t.del", "t.ren" (with the new name)
// and "t.new" (a complete copy) for "t.ibd".
//
// The file that a marker is about: "db/t.ibd" of "db/t.del" as well as of "db/t.ibd.del".
std::string MarkedFile(std::string_view marker);
// The file that "t.ren" says is "t.ibd" now. kCorruption if it is none of a table.
Result<std::string> ReadNewName(io::FileSystem& fs, const std::string& path);

// True if there are any markers.
Result<bool> HasDdlMarkers(io::FileSystem& fs, const BackupSet& set);
Status ApplyDdlMarkers(io::FileSystem& fs, const BackupSet& set);

// Definitions of the server's intermediate tables: it would never remove them.
Status RemoveIntermediateDefinitions(io::FileSystem& fs, const BackupSet& set);

}  // namespace hbk::prepare
