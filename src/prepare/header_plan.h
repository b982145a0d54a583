// What page 0 of each tablespace will say when the redo is applied: size, page format, encryption.
//
// Worked out in memory before anything is changed: files are then made and sized before their
// pages are written, and what cannot be prepared is refused while the backup is as it was.
//
// Errors   kCorruption: redo and page 0 do not fit together.
// Threads  One.
#pragma once

#include "backup_set.h"
#include "memory_plan.h"
#include "partition_store.h"
#include "tablespace_table.h"

namespace hbk::prepare {

// Brings `header` of every tablespace in the table to what the redo leaves.
Status PlanHeaders(io::FileSystem& fs, const BackupSet& set, const PartitionStore& store,
                   const SpaceLogs& logs, const MemoryPlan& plan, TablespaceTable& table);

}  // namespace hbk::prepare
