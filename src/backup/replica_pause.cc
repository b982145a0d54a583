#include "replica_pause.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hbk::backup {

namespace {

constexpr int kStartTries = 5;
constexpr int kKillTries = 50;

std::string Describe(const std::vector<std::string>& names) {
  std::vector<std::string> texts;
  for (const std::string& name : names)
    texts.push_back(server::DescribeConnection(name));
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

ReplicaPause::ReplicaPause(ReplicaPauseOptions options, report::Reporter& reporter)
    : options_(std::move(options)), reporter_(reporter) {}

ReplicaPause::~ReplicaPause() {
  Resume();
}

Status ReplicaPause::Begin(const std::stop_token& stop) {
  const auto deadline = Clock::now() + options_.timeout;
  HBK_ASSIGN_OR_RETURN(session_, options_.connect());
  HBK_ASSIGN_OR_RETURN(session_id_, session_->ReadConnectionId());
  session_->SetStop(stop);
  HBK_ASSIGN_OR_RETURN(const auto connections, session_->ReadReplicaConnections());
  if (connections.empty()) {
    reporter_.Info("--safe-slave-backup: the server is no replica, there is nothing to stop");
    return OkStatus();
  }
  std::vector<std::string> names;
  for (const server::ReplicaConnection& connection : connections)
    if (connection.has_sql_thread) names.push_back(connection.name);

  for (;;) {
    HBK_RETURN_IF_ERROR(StopAll(names, deadline));
    HBK_ASSIGN_OR_RETURN(const uint64_t count, session_->ReadReplicaTemporaryTables());
    if (count == 0) break;
    HBK_RETURN_IF_ERROR(StartAll());
    // Without a thread that runs nobody will ever drop them.
    if (names.empty() || Clock::now() >= deadline) {
      return Status(StatusCode::kLockWaitTimeout,
                    fmt::format("replication has {} temporary tables open{}", count,
                                names.empty()
                                    ? std::string(", and no SQL thread runs that could drop them")
                                    : fmt::format(" whenever it is stopped, for {} s",
                                                  options_.timeout.count())))
          .WithHint(
              "a copy of the replica could not go on from there; wait longer with "
              "--safe-slave-backup-timeout, or use binlog_format=ROW on the source, which does "
              "without temporary tables");
    }
    HBK_RETURN_IF_ERROR(AwaitNoTables(std::min(deadline, Clock::now() + options_.run_time), stop));
  }
  session_->SetStop({});  // What is left to do is to be done in any case.
  if (names.empty()) {
    reporter_.Info("--safe-slave-backup: no SQL thread runs");
  } else {
    reporter_.Info("SQL threads of replication stopped", {{"of", Describe(names)}});
  }
  return OkStatus();
}

Status ReplicaPause::StopAll(const std::vector<std::string>& names, Clock::time_point deadline) {
  for (const std::string& name : names) {
    stopped_.push_back(name);  // Also if we never hear how it went.
    const auto left = std::max<std::chrono::milliseconds>(
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()),
        std::chrono::seconds(1));
    HBK_RETURN_IF_ERROR(
        session_->StopSqlThread(name, left)
            .WithHint(
                "it has to end what it is at first; see SHOW PROCESSLIST, or wait longer with "
                "--safe-slave-backup-timeout"));
  }
  return OkStatus();
}

// Until there are none, or until that time: a replica that always has some is stopped all the same,
// since between two looks there may have been a moment.
Status ReplicaPause::AwaitNoTables(Clock::time_point until, const std::stop_token& stop) {
  while (Clock::now() < until) {
    if (stop.stop_requested()) return {StatusCode::kInterrupted, "interrupted"};
    std::this_thread::sleep_for(options_.poll_interval);
    HBK_ASSIGN_OR_RETURN(const uint64_t count, session_->ReadReplicaTemporaryTables());
    if (count == 0) return OkStatus();
  }
  return OkStatus();
}

Status ReplicaPause::StartAll() {
  Status first;
  std::vector<std::string> left;
  for (const std::string& name : stopped_) {
    const Status status = session_->StartSqlThread(name);
    if (status.ok()) continue;
    left.push_back(name);
    if (first.ok()) first = status;
  }
  stopped_ = std::move(left);
  return first;
}

void ReplicaPause::Resume() {
  if (stopped_.empty()) return;
  if (session_) session_->SetStop({});
  const std::vector<std::string> names = stopped_;
  Status status;
  for (int i = 0; i < kStartTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(options_.start_pause);
    status = StartStopped();
    if (!status.ok()) continue;
    reporter_.Info("SQL threads of replication started again", {{"of", Describe(names)}});
    return;
  }
  reporter_.Warning(
      fmt::format("the SQL thread of {} was stopped for the backup and could not be "
                  "started again: {}",
                  Describe(stopped_), status.message()));
  stopped_.clear();
}

Status ReplicaPause::StartStopped() {
  if (session_) {
    const Status status = StartAll();
    if (status.code() != StatusCode::kConnectionLost) return status;
  }
  HBK_RETURN_IF_ERROR(Reconnect());
  return StartAll();
}

// The old session may have a STOP SLAVE under way, which must not come after our START.
Status ReplicaPause::Reconnect() {
  session_.reset();
  HBK_ASSIGN_OR_RETURN(session_, options_.connect());
  const uint64_t old_id = std::exchange(session_id_, 0);
  for (int i = 0; old_id != 0 && i < kKillTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(options_.poll_interval);
    if (!session_->KillConnection(old_id).ok()) break;  // It is gone.
  }
  HBK_ASSIGN_OR_RETURN(session_id_, session_->ReadConnectionId());
  return OkStatus();
}

}  // namespace hbk::backup
