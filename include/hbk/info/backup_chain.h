// Which of some backups is an increment to which.
//
// An increment names its base by its uuid, if hbk made that, and else by the LSN at which it ends.
//
// Threads  A pure function.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "hbk/info/backup_description.h"

namespace hbk::info {

struct ChainLink {
  size_t index = 0;              // in what was given
  std::optional<size_t> parent;  // likewise; nothing: it has none, or none that was given
  size_t depth = 0;              // 0: without a parent
  bool is_by_lsn = false;        // the parent was found by its LSN only
};

// Each backup once, each behind its parent: first those without one, in the order given, each with
// all that is built on it, older ones first.
std::vector<ChainLink> OrderChains(const std::vector<BackupDescription>& backups);

}  // namespace hbk::info
