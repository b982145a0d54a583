// What DDL did to the tablespaces while they were being copied, and what that means for the copies.
//
// Under BLOCK_DDL the data directory is listed again and compared with what was copied before, by
// tablespace id: names move, ids do not. The server's redo log, read up to the same moment, says
// which new tablespaces it can rebuild by itself. Where the log is encrypted and cannot be read,
// identity decides alone: what was not copied before is copied now (docs/design/0004-*.md).
//
// DISCARD and IMPORT TABLESPACE put another file under the id of a table, and its content is in no
// log. Such a file is another inode than the one that was copied, or its copy is not trusted.
//
// Errors   kCorruption: two files of the data directory are the same tablespace.
// Threads  Pure function.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hbk/backup/log_tailer.h"
#include "hbk/base/status.h"

namespace hbk::backup {

// What changes with every write to a file.
struct FileStamp {
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

// A copy in the target.
struct CopiedSpace {
  std::string name;  // "db/t.ibd"
  SpaceId id = 0;
  // Of the source when it was copied. Numbers of inodes are used again: the birth tells them apart.
  uint64_t inode = 0;
  int64_t birth_ns = 0;
  // False: it may have been copied while it was being imported, unless the file is as it was.
  bool is_trusted = true;
  std::optional<FileStamp> stamp = std::nullopt;
};

// A file of the data directory under BLOCK_DDL.
struct FoundSpace {
  std::string name;
  std::optional<SpaceId> id;  // nothing: page 0 is not written yet, or damaged
  uint64_t inode = 0;
  std::string path = {};  // of a DATA DIRECTORY table the redo log has this one
  int64_t birth_ns = 0;
  FileStamp stamp = {};
  bool is_blank = true;  // of a file without id: page 0 is not written yet
};

struct ReconcilePlan {
  std::vector<std::string> removes;  // copies; first of all
  // Copies, from and to; as one step: names may be swapped.
  std::vector<std::pair<std::string, std::string>> renames;
  std::vector<std::string> copies;  // files of the data directory; last. None is in the target
  std::vector<std::string> left_to_redo;  // files of the data directory that redo will rebuild
};

// Takes out of `found` the files that have the id of an open tablespace and are not its file: of a
// discarded table, as copied there for an IMPORT that has not come yet. `names` are those of the
// server, by id: "db/t". Names of the files taken out.
std::vector<std::string> TakeOutStrangers(std::vector<FoundSpace>& found,
                                          const std::map<SpaceId, std::string>& names);

// True if two of them have the same id.
bool HasDuplicateIds(const std::vector<FoundSpace>& found);

// `changes` is null where the log cannot be read.
Result<ReconcilePlan> Reconcile(const std::vector<CopiedSpace>& copied,
                                const std::vector<FoundSpace>& found, const SpaceChanges* changes);

// A found file of which Reconcile() will say the same later, as long as it is there under its name
// and the log tells nothing new of its tablespace (TellsOfFile). Without these, and without their
// copies, Reconcile() says the same of all others; unless one of these has the id of one of those.
struct DecidedSpace {
  size_t found = 0;
  SpaceId id = 0;
  std::optional<size_t> copy;  // that stays as it is; nothing: the file is left to redo
};
std::vector<DecidedSpace> FindDecided(const std::vector<CopiedSpace>& copied,
                                      const std::vector<FoundSpace>& found,
                                      const SpaceChanges* changes);

// True if the file of a tablespace came, went or got another name by that.
bool TellsOfFile(const SpaceChange& change);

// Names of tablespaces that the redo log changes, cannot build, and that have no file among
// `copied`: a backup without them would be incomplete. The server's intermediate tables ("#sql")
// are not missed. `base_tables` are the files of tables in the base of an increment: a log that
// begins where that ends need not name them.
std::vector<std::string> FindMissingSpaces(const std::vector<SpaceId>& copied,
                                           const SpaceChanges& changes,
                                           const std::map<SpaceId, std::string>& base_tables);

}  // namespace hbk::backup
