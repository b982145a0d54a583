// In which stage each kind of file is copied: the one table, in copy_plan.cc.
//
// Threads  Pure functions.
#pragma once

#include <string_view>

#include "hbk/datadir/file_kind.h"

namespace hbk::backup {

enum class CopyStage {
  kStart,        // while everybody works
  kFlush,        // no writer of a table that is not transactional begins
  kBlockDdl,     // no DDL, no writer of a table that is not transactional
  kBlockCommit,  // nothing commits
  kEnd,          // after the lock: files that no transaction depends on
  kNever,        // not copied as a file
};

// As manifests have it: "start", "flush", "block-ddl", "block-commit", "end".
std::string_view CopyStageName(CopyStage stage);

struct CopyRule {
  CopyStage first = CopyStage::kNever;  // copied from here on, if it looks at rest or has a log
  // Copies are compared with the files here, and made again where they differ. What changes later,
  // a log repairs.
  CopyStage settled = CopyStage::kNever;
};

// `name` is that in the backup, "db/t.MAI": some tables of the server's own are written in stages
// where others rest.
CopyRule RuleOf(datadir::FileKind kind, std::string_view name);

// mysql.general_log and mysql.slow_log, of any engine: written to in every stage.
bool IsLogTableFile(std::string_view name);
// mysql.table_stats, column_stats, index_stats: not transactional, written until BLOCK_COMMIT.
bool IsStatisticsTableFile(std::string_view name);

}  // namespace hbk::backup
