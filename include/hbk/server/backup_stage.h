// The server's backup lock, climbed stage by stage: BACKUP STAGE START .. END.
//
// The ladder owns a connection of its own and nothing else is said on it: most statements are
// refused inside a stage. Whatever happens, the server is released: by END, and if even that fails
// by the end of the connection.
//
// Units    Times are milliseconds of a steady clock.
// Errors   kLockWaitTimeout: a stage was not granted in time; the message names it and the hint
//          says what it waits for. The stage before is kept, and the same can be tried again, while
//          can_retry(). kConnectionLost: the stage is lost, the backup is void.
//          kInterrupted: stop was requested while a stage was waited for.
// Threads  One at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/server/sql_client.h"

namespace hbk::server {

enum class BackupStage { kStart, kFlush, kBlockDdl, kBlockCommit };

// Stable lower-case name, as in manifests: "start", "flush", "block-ddl", "block-commit".
std::string_view BackupStageName(BackupStage stage);
// As in the statement: "BACKUP STAGE BLOCK_DDL".
std::string BackupStageStatement(BackupStage stage);

struct StageTimes {
  BackupStage stage = BackupStage::kStart;
  uint64_t wait_ms = 0;  // from the first attempt until it was granted
  uint64_t held_ms = 0;  // from there until the next, or END, was asked for
};

// One attempt to get a stage.
struct StageAttempt {
  std::stop_token stop = {};
  std::optional<uint32_t> wait_s = std::nullopt;  // instead of the ladder's
  std::function<void()> meanwhile = {};           // as in SqlWait
};

class BackupStageLadder {
 public:
  // Reads the connection's id and sets the session up. `lock_wait_s` bounds the wait for each
  // stage. `kill` is called with the connection's id when a waiting statement has to be given up:
  // it should kill that connection, so that the server does not wait on for a client that left.
  // With `stop` requested, what is asked outside of stages is kInterrupted.
  static Result<std::unique_ptr<BackupStageLadder>> Create(
      std::unique_ptr<SqlClient> client, uint32_t lock_wait_s,
      std::function<void(uint64_t connection_id)> kill, std::stop_token stop = {});
  ~BackupStageLadder();
  BackupStageLadder(const BackupStageLadder&) = delete;
  BackupStageLadder& operator=(const BackupStageLadder&) = delete;

  // Stages in order, each granted once. The server waits in up to two steps, each of which may take
  // that long.
  Status Begin(BackupStage stage, const StageAttempt& attempt);
  // False once the connection had to be given up.
  [[nodiscard]] bool can_retry() const { return can_retry_; }
  // kConnectionLost unless the connection, and with it the stage, is still the same.
  Status Verify();
  // Verifies, then ends the backup stage. No effect if none was begun.
  Status End();

  [[nodiscard]] uint64_t connection_id() const { return connection_id_; }
  // Of the stages begun so far; the last one's held_ms runs until End().
  [[nodiscard]] const std::vector<StageTimes>& times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;

  BackupStageLadder(std::unique_ptr<SqlClient> client, uint32_t lock_wait_s,
                    std::function<void(uint64_t)> kill, std::stop_token stop);
  Status SetUp();
  SqlAnswer Ask(std::string_view sql) { return client_->Execute(sql, {.stop = stop_}); }
  Status SetLockWait(uint32_t wait_s);
  Status GiveUp(BackupStage stage, const SqlAnswer& answer);
  void CloseHeld(Clock::time_point now);

  std::unique_ptr<SqlClient> client_;
  const uint32_t lock_wait_s_;
  uint32_t session_wait_s_;  // lock_wait_timeout of the session
  std::function<void(uint64_t)> kill_;
  const std::stop_token stop_;
  bool can_retry_ = true;
  uint64_t connection_id_ = 0;
  std::optional<BackupStage> stage_;
  std::optional<Clock::time_point> asked_at_;  // for the first time, of a stage not granted yet
  Clock::time_point granted_at_;
  std::vector<StageTimes> times_;
};

}  // namespace hbk::server
