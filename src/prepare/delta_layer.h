// Lays the pages of increments into the tablespace files of a base.
//
// Files get their lengths first, then each page is written once, as the newest part has it, by all
// workers, in stretches of a file. Nothing of what is there before is needed: killed at any moment,
// it is done again from the start.
//
// Errors   kCorruption: an increment that is not any more as it was verified. kInterrupted.
// Threads  One; it starts the workers.
#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>

#include "hbk/report/reporter.h"

#include "backup_set.h"
#include "chain_plan.h"
#include "increment_set.h"

namespace hbk::prepare {

struct LayInput {
  io::FileSystem& fs;
  const BackupSet& set;
  const IncrementList& increments;
  const ChainPlan& plan;
  uint32_t worker_count = 1;
  std::stop_token stop;
};

struct LayCounts {
  uint64_t page_count = 0;
  // Files that are not as they were. Not synced.
  std::set<std::string> changed_files;
};

// The files of the base have their last names already.
Result<LayCounts> LayTablespaces(const LayInput& input, report::Reporter& reporter);

}  // namespace hbk::prepare
