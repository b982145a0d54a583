// In which stage each kind of file is copied: the one table, in copy_plan.cc.
//
// Threads  Pure functions.
#pragma once

#include <string_view>

#include "hbk/datadir/file_kind.h"

namespace hbk::backup {

enum class CopyStage {
  kStart,        // while everybody works: redo or a log repairs what changes meanwhile
  kBlockDdl,     // no DDL, no writer of a table that is not transactional
  kBlockCommit,  // nothing commits
  kEnd,          // after the lock: files that no transaction depends on
  kNever,        // not copied as a file
};

// As manifests have it: "start", "block-ddl", "block-commit", "end".
std::string_view CopyStageName(CopyStage stage);

// `name` is that in the backup, "db/t.MAI": some tables of the server's own are written in stages
// where others rest.
CopyStage StageOf(datadir::FileKind kind, std::string_view name);

// mysql.general_log and mysql.slow_log, of any engine: written to in every stage.
bool IsLogTableFile(std::string_view name);
// mysql.table_stats, column_stats, index_stats: not transactional, written until BLOCK_COMMIT.
bool IsStatisticsTableFile(std::string_view name);

}  // namespace hbk::backup
