// The server's backup lock, climbed stage by stage: BACKUP STAGE START .. END.
//
// The ladder owns a connection of its own and nothing else is said on it: most statements are
// refused inside a stage. Whatever happens, the server is released: by END, and if even that fails
// by the end of the connection.
//
// Units    Times are milliseconds of a steady clock.
// Errors   kLockWaitTimeout: a stage was not granted in time; the message names it and the hint
//          says what it waits for. kConnectionLost: the stage is lost, the backup is void.
//          kInterrupted: stop was requested while a stage was waited for.
// Threads  One at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/server/sql_client.h"

namespace hbk::server {

enum class BackupStage { kStart, kFlush, kBlockDdl, kBlockCommit };

// Stable lower-case name, as in manifests: "start", "flush", "block-ddl", "block-commit".
std::string_view BackupStageName(BackupStage stage);

struct StageTimes {
  BackupStage stage = BackupStage::kStart;
  uint64_t wait_ms = 0;  // until it was granted
  uint64_t held_ms = 0;  // from there until the next, or END, was asked for
};

class BackupStageLadder {
 public:
  // Reads the connection's id and sets the session up. `lock_wait_s` bounds the wait for each
  // stage. `kill` is called with the connection's id when a waiting statement has to be given up:
  // it should kill that connection, so that the server does not wait on for a client that left.
  static Result<std::unique_ptr<BackupStageLadder>> Create(
      std::unique_ptr<SqlClient> client, uint32_t lock_wait_s,
      std::function<void(uint64_t connection_id)> kill);
  ~BackupStageLadder();
  BackupStageLadder(const BackupStageLadder&) = delete;
  BackupStageLadder& operator=(const BackupStageLadder&) = delete;

  // Stages in order, each once.
  Status Begin(BackupStage stage, std::stop_token stop);
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
                    std::function<void(uint64_t)> kill);
  Status SetUp();
  Status GiveUp(BackupStage stage, const SqlAnswer& answer);
  void CloseHeld(Clock::time_point now);

  std::unique_ptr<SqlClient> client_;
  uint32_t lock_wait_s_;
  std::function<void(uint64_t)> kill_;
  uint64_t connection_id_ = 0;
  std::optional<BackupStage> stage_;
  Clock::time_point granted_at_;
  std::vector<StageTimes> times_;
};

}  // namespace hbk::server
