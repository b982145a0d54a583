// Waiting for a backup stage, bounded: attempts, pauses between them, and what is said and done
// about the sessions that hold the stage up.
//
// One stage:
// 1. With a threshold: wait until no statement that would hold it up has run for longer.
// 2. Ask for the stage, for as long as one attempt may take. While the server is silent, look once
// a
//    second who holds the stage up, say so when that has changed, and end statements if asked to.
// 3. Not granted: a pause, in which others pass (whoever waits behind a pending stage goes on), and
//    again from 1, until the time for retries is over.
//
// From FLUSH on the stage that is held is kept in the pauses, although it stops writers of tables
// that are not transactional: giving it back would void what was copied since START. The pauses are
// therefore short.
//
// Errors   kLockWaitTimeout: not granted; the message has the sessions that hold it up. What
// `check`
//          answers, as soon as it does. What the ladder answers, else.
// Threads  One: the second session is asked in between by the thread that waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/backup/lock_wait_options.h"
#include "hbk/base/status.h"
#include "hbk/report/reporter.h"
#include "hbk/server/backup_stage.h"

#include "stage_blockers.h"

namespace hbk::backup {

// What StageWait acts through.
struct StageWaitPorts {
  std::function<Status(server::BackupStage, const server::StageAttempt&)> begin;
  std::function<bool()> can_retry;
  std::function<Result<ServerView>()> look;
  std::function<Result<bool>(uint64_t query_id)> kill;
  // A reason to end the backup, although the stage may still come.
  std::function<Status()> check;
  std::function<std::chrono::steady_clock::time_point()> now;
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> pause;
};
// The real ones. `session` is used while the ladder waits; both, and what `check` looks at, must
// outlive the ports.
StageWaitPorts MakeStageWaitPorts(server::BackupStageLadder& ladder, server::ServerSession& session,
                                  std::function<Status()> check);

class StageWait {
 public:
  // `own_ids` are the sessions of this backup. `reporter` must outlive it.
  StageWait(StageWaitPorts ports, const LockWaitOptions& options, bool start_waits_for_ddl,
            std::vector<uint64_t> own_ids, report::Reporter& reporter);

  // Stages in order, each once.
  Status Begin(server::BackupStage stage, std::stop_token stop);

 private:
  using Clock = std::chrono::steady_clock;

  Status AwaitQuiet(server::BackupStage stage, const std::stop_token& stop);
  Status Attempt(server::BackupStage stage, std::optional<uint32_t> wait_s,
                 const std::stop_token& stop);
  Status Pause(std::chrono::milliseconds duration, const std::stop_token& stop);
  // Nothing: it could not be seen.
  std::optional<std::vector<StageBlocker>> Look(server::BackupStage stage, uint64_t waited_ms);
  void Show(std::string_view what, const std::vector<StageBlocker>& blockers);
  void Kill(server::BackupStage stage, const std::vector<StageBlocker>& blockers);
  Status NotGranted(server::BackupStage stage, const Status& last, uint32_t attempts);
  [[nodiscard]] uint64_t MillisecondsSince(Clock::time_point time) const;

  StageWaitPorts ports_;
  const LockWaitOptions options_;
  const bool start_waits_for_ddl_;
  const std::vector<uint64_t> own_ids_;
  report::Reporter& reporter_;
  std::optional<Clock::time_point> flushed_at_;
  // Of the stage that is waited for.
  Clock::time_point begin_;
  std::vector<StageBlocker> blockers_;  // last seen
  std::set<uint64_t> shown_;            // sessions
  std::set<uint64_t> killed_;           // query ids
};

}  // namespace hbk::backup
