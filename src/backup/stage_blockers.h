// Which sessions hold up a backup stage, by what the server shows of them.
//
// Best is the server's list of metadata locks: it says who holds a lock that excludes the stage.
// Few servers have it (performance_schema, or the plugin METADATA_LOCK_INFO). Without it there is
// the process list: statements that are of a kind that may hold the stage up, and idle sessions,
// which may hold LOCK TABLES .. WRITE. Those are guesses, and say so.
//
// Threads  Values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/backup/lock_wait_options.h"
#include "hbk/base/status.h"
#include "hbk/server/backup_stage.h"
#include "hbk/server/server_facts.h"
#include "hbk/server/server_session.h"

namespace hbk::backup {

enum class StatementKind {
  kNone,    // nothing runs
  kSelect,  // SELECT and WITH
  kWrite,   // INSERT, UPDATE, DELETE, REPLACE, LOAD
  kDdl,     // what takes the lock of DDL: CREATE, ALTER, .., LOCK TABLES
  kOther,
};
// By its first words.
StatementKind ClassifyStatement(std::string_view text);

// For messages: one line of at most 100 characters (and "..."), without control characters and
// without what follows IDENTIFIED or PASSWORD. `text` is UTF-8.
std::string ShownStatement(std::string_view text);

// What a server shows at one moment.
struct ServerView {
  std::vector<server::ListedSession> sessions;
  std::optional<std::vector<server::HeldBackupLock>> locks;  // nothing: not known
  std::vector<uint64_t> innodb_writers;                      // ids of sessions
};
Result<ServerView> LookAtServer(server::ServerSession& session);

// True where BACKUP STAGE START waits for DDL; on older servers only for other backups.
bool StartWaitsForDdl(const server::ServerVersion& version);

// What a stage is waited for.
struct StageWaitFacts {
  server::BackupStage stage = server::BackupStage::kStart;
  bool start_waits_for_ddl = true;
  std::vector<uint64_t> own_ids = {};  // sessions of this backup
  // Since FLUSH was granted, 0 before: writers that it stops cannot have begun since.
  uint64_t flush_held_ms = 0;
  uint64_t waited_ms = 0;  // in this attempt; 0: it has not begun
};

struct StageBlocker {
  server::ListedSession session;
  StatementKind kind = StatementKind::kNone;
  std::vector<std::string> lock_modes;  // that exclude the stage; empty: a guess

  [[nodiscard]] bool is_certain() const { return !lock_modes.empty(); }
  [[nodiscard]] bool is_idle() const { return kind == StatementKind::kNone; }
};
// Certain ones where locks are known, else guesses; the longest first.
std::vector<StageBlocker> FindBlockers(const ServerView& view, const StageWaitFacts& facts);

// Whether its statement may be ended. Never that of the server's own threads, of replication or of
// idle sessions; and of guesses none that waits itself, and none under BLOCK_COMMIT, which is
// waited for by every write.
bool MayKill(const StageBlocker& blocker, server::BackupStage stage, KillQueryType type);

// "session 7 of app@localhost (12 s, Sending data: INSERT INTO t SELECT ...)".
std::string DescribeBlocker(const StageBlocker& blocker);

}  // namespace hbk::backup
