// What DDL did to the tablespaces while they were being copied, and what that means for the copies.
//
// Under BLOCK_DDL the data directory is listed again and compared with what was copied before, by
// tablespace id: names move, ids do not. The server's redo log, read up to the same moment, says
// which new tablespaces it can rebuild by itself.
//
// Errors   kCorruption: two files of the data directory are the same tablespace. kFailed: a
//          tablespace was discarded and imported again, which recovery from this log would undo.
// Threads  Pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hbk/backup/log_tailer.h"
#include "hbk/base/status.h"

namespace hbk::backup {

// A copy in the target.
struct CopiedSpace {
  std::string name;  // "db/t.ibd"
  SpaceId id = 0;
  uint64_t inode = 0;  // of the source when it was copied
};

// A file of the data directory under BLOCK_DDL.
struct FoundSpace {
  std::string name;
  std::optional<SpaceId> id;  // nothing: page 0 is not written yet
  uint64_t inode = 0;
};

struct ReconcilePlan {
  std::vector<std::string> removes;  // copies; first of all
  // Copies, from and to; as one step: names may be swapped.
  std::vector<std::pair<std::string, std::string>> renames;
  std::vector<std::string> copies;  // files of the data directory; last. None is in the target
  std::vector<std::string> left_to_redo;  // files of the data directory that redo will rebuild
};

Result<ReconcilePlan> Reconcile(const std::vector<CopiedSpace>& copied,
                                const std::vector<FoundSpace>& found, const SpaceChanges& changes);

// Names of tablespaces that the redo log changes, cannot build, and that have no file among
// `copied`: a backup without them would be incomplete. The server's intermediate tables ("#sql")
// are not missed.
std::vector<std::string> FindMissingSpaces(const std::vector<SpaceId>& copied,
                                           const SpaceChanges& changes);

}  // namespace hbk::backup
