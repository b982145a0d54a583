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
// and "t.new" (a complete copy) for "t.ibd". True if there are any.
Result<bool> HasDdlMarkers(io::FileSystem& fs, const BackupSet& set);
Status ApplyDdlMarkers(io::FileSystem& fs, const BackupSet& set);

// Definitions of the server's intermediate tables: it would never remove them.
Status RemoveIntermediateDefinitions(io::FileSystem& fs, const BackupSet& set);

}  // namespace hbk::prepare
