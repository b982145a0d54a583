#include "hbk/server/backup_stage.h"

#include <utility>

#include <fmt/format.h>

namespace hbk::server {

namespace {

constexpr uint32_t kUnknownSystemVariable = 1193;
constexpr uint32_t kDeadlock = 1213;
constexpr uint32_t kStatementAborted = 1317;  // KILL QUERY of ours
// The server bounds the wait by itself; ours comes only when that did not work, since it costs the
// connection. Between its steps the server flushes tables.
constexpr std::chrono::seconds kServerBoundGrace{10};
constexpr std::chrono::seconds kEndBound{30};

std::string_view StageKeyword(BackupStage stage) {
  switch (stage) {
    case BackupStage::kStart: return "START";
    case BackupStage::kFlush: return "FLUSH";
    case BackupStage::kBlockDdl: return "BLOCK_DDL";
    case BackupStage::kBlockCommit: return "BLOCK_COMMIT";
  }
  return "";
}

// Steps of a stage in which the server waits, each as long as lock_wait_timeout says: BLOCK_DDL
// waits for writers of tables that are not transactional, then for DDL.
uint32_t WaitSteps(BackupStage stage) {
  return stage == BackupStage::kBlockDdl ? 2 : 1;
}

std::string_view WaitedFor(BackupStage stage) {
  switch (stage) {
    case BackupStage::kStart:
      return "another backup, a running DDL statement, or a session that holds LOCK TABLES .. "
             "WRITE";
    case BackupStage::kFlush: return "another backup";
    case BackupStage::kBlockDdl:
      return "a running DDL statement, LOCK TABLES .. WRITE, or a long write to a table that is "
             "not transactional";
    case BackupStage::kBlockCommit:
      return "a commit on its way (perhaps waiting for a replica), or a write to a system table";
  }
  return "";
}

uint64_t Milliseconds(std::chrono::steady_clock::duration duration) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

std::string_view BackupStageName(BackupStage stage) {
  switch (stage) {
    case BackupStage::kStart: return "start";
    case BackupStage::kFlush: return "flush";
    case BackupStage::kBlockDdl: return "block-ddl";
    case BackupStage::kBlockCommit: return "block-commit";
  }
  return "";
}

std::string BackupStageStatement(BackupStage stage) {
  return fmt::format("BACKUP STAGE {}", StageKeyword(stage));
}

Result<std::unique_ptr<BackupStageLadder>> BackupStageLadder::Create(
    std::unique_ptr<SqlClient> client, uint32_t lock_wait_s, std::function<void(uint64_t)> kill,
    std::stop_token stop) {
  std::unique_ptr<BackupStageLadder> ladder(
      new BackupStageLadder(std::move(client), lock_wait_s, std::move(kill), std::move(stop)));
  HBK_RETURN_IF_ERROR(ladder->SetUp());
  return ladder;
}

BackupStageLadder::BackupStageLadder(std::unique_ptr<SqlClient> client, uint32_t lock_wait_s,
                                     std::function<void(uint64_t)> kill, std::stop_token stop)
    : client_(std::move(client)),
      lock_wait_s_(lock_wait_s),
      session_wait_s_(lock_wait_s),
      kill_(std::move(kill)),
      stop_(std::move(stop)) {}

BackupStageLadder::~BackupStageLadder() {
  // The result does not matter: the connection closes next, which releases the server too.
  if (stage_) client_->Execute("BACKUP STAGE END", {.stop = {}, .bound = kEndBound});
}

Status BackupStageLadder::SetUp() {
  const std::string_view what = "setting up the connection for BACKUP STAGE";
  SqlAnswer answer =
      Ask(fmt::format("SET SESSION wait_timeout=2147483, interactive_timeout=2147483, "
                      "net_read_timeout=3600, net_write_timeout=3600, max_statement_time=0, "
                      "lock_wait_timeout={}, autocommit=1, sql_mode=''",
                      lock_wait_s_));
  HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, what));
  answer = Ask("SET SESSION wsrep_sync_wait=0");
  if (answer.error_number != kUnknownSystemVariable)
    HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, what));
  answer = Ask("SELECT CONNECTION_ID()");
  HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, what));
  if (answer.rows.size() != 1 || answer.rows[0].size() != 1 || !answer.rows[0][0])
    return UnsupportedError(fmt::format("{}: no connection id", what));
  connection_id_ = std::strtoull(answer.rows[0][0]->c_str(), nullptr, 10);
  return OkStatus();
}

Status BackupStageLadder::SetLockWait(uint32_t wait_s) {
  if (wait_s == session_wait_s_) return OkStatus();
  const SqlAnswer answer = Ask(fmt::format("SET SESSION lock_wait_timeout={}", wait_s));
  HBK_RETURN_IF_ERROR(StatusOfSqlError(answer, "setting how long BACKUP STAGE may wait"));
  session_wait_s_ = wait_s;
  return OkStatus();
}

Status BackupStageLadder::Begin(BackupStage stage, const StageAttempt& attempt) {
  HBK_CHECK(stage_ ? stage > *stage_ : stage == BackupStage::kStart);
  HBK_RETURN_IF_ERROR(SetLockWait(attempt.wait_s.value_or(lock_wait_s_)));
  if (!asked_at_) {
    asked_at_ = Clock::now();
    CloseHeld(*asked_at_);
  }
  const SqlWait wait{
      .stop = attempt.stop,
      .bound = std::chrono::seconds(session_wait_s_) * WaitSteps(stage) + kServerBoundGrace,
      .meanwhile = attempt.meanwhile};
  const SqlAnswer answer = client_->Execute(BackupStageStatement(stage), wait);
  if (answer.error_number != 0) return GiveUp(stage, answer);
  stage_ = stage;
  granted_at_ = Clock::now();
  times_.push_back({stage, Milliseconds(granted_at_ - *asked_at_), 0});
  asked_at_.reset();
  return OkStatus();
}

Status BackupStageLadder::GiveUp(BackupStage stage, const SqlAnswer& answer) {
  const std::string what = BackupStageStatement(stage);
  if (answer.error_number == kErrorInterrupted || answer.error_number == kErrorBoundReached) {
    // The client left in the middle of a statement. The server notices by itself only when it
    // looks at the connection, so it is told.
    kill_(connection_id_);
    stage_.reset();
    can_retry_ = false;
  }
  Status status = StatusOfSqlError(answer, what);
  if (status.code() == StatusCode::kLockWaitTimeout) {
    const bool is_deadlock = answer.error_number == kDeadlock;
    return Status(StatusCode::kLockWaitTimeout,
                  is_deadlock
                      ? fmt::format("{} was not granted: {} (server error {})", what,
                                    answer.error_text, answer.error_number)
                      : fmt::format("{} was not granted within {} s", what, session_wait_s_))
        .WithHint(fmt::format("the server waits for {}: see SHOW PROCESSLIST; try again, or with a "
                              "larger --lock-wait-timeout",
                              WaitedFor(stage)));
  }
  if (answer.error_number == kStatementAborted) {
    return Status(StatusCode::kConnectionLost,
                  fmt::format("{} was killed on the server: {}", what, answer.error_text));
  }
  if (status.code() == StatusCode::kConnectionLost) {
    stage_.reset();
    return status.WithHint(
        "the connection that held the backup stage was lost (killed, or the "
        "server stopped): run the backup again");
  }
  return status;
}

Status BackupStageLadder::Verify() {
  if (!stage_) return OkStatus();
  const std::string what =
      fmt::format("checking that BACKUP STAGE {} still holds", StageKeyword(*stage_));
  const SqlAnswer answer = Ask("SELECT CONNECTION_ID()");
  Status status = StatusOfSqlError(answer, what);
  if (status.ok() && (answer.rows.size() != 1 || answer.rows[0].size() != 1 ||
                      answer.rows[0][0] != std::to_string(connection_id_)))
    status = Status(StatusCode::kConnectionLost, what + ": it is another connection now");
  if (status.ok()) return status;
  stage_.reset();
  // The connection is closed, and the server free.
  if (status.code() == StatusCode::kInterrupted) return status;
  return Status(StatusCode::kConnectionLost, status.message())
      .WithHint(
          "the connection that held the backup stage was lost (killed, or the server "
          "stopped): run the backup again");
}

Status BackupStageLadder::End() {
  if (!stage_) return OkStatus();
  HBK_RETURN_IF_ERROR(Verify());
  CloseHeld(Clock::now());
  stage_.reset();
  const SqlAnswer answer = client_->Execute("BACKUP STAGE END", {.stop = {}, .bound = kEndBound});
  return StatusOfSqlError(answer, "BACKUP STAGE END");
}

void BackupStageLadder::CloseHeld(Clock::time_point now) {
  if (stage_ && !times_.empty()) times_.back().held_ms = Milliseconds(now - granted_at_);
}

}  // namespace hbk::server
