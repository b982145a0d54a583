#include "tests/integration/defect_scenario.h"

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "tests/support/live/database_checks.h"
#include "tests/support/live/object_checks.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/stage_watch.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kStageLimit{60'000};
constexpr milliseconds kStep{10};

// A statement in a session of its own, until it ends.
class BusySession {
 public:
  static Result<std::unique_ptr<BusySession>> Start(const Mariadbd& server,
                                                    const std::string& statement) {
    HBK_ASSIGN_OR_RETURN(SqlClient client, server.Connect());
    HBK_RETURN_IF_ERROR(client.Execute("USE d"));
    std::unique_ptr<BusySession> session(new BusySession);
    session->id_ = client.connection_id();
    session->thread_ = std::thread(
        [raw = session.get(), statement](SqlClient own) { raw->status_ = own.Execute(statement); },
        std::move(client));
    return session;
  }
  BusySession(const BusySession&) = delete;
  BusySession& operator=(const BusySession&) = delete;
  ~BusySession() {
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] uint64_t id() const { return id_; }
  Status Join() {
    thread_.join();
    return status_;
  }

 private:
  BusySession() = default;

  uint64_t id_ = 0;
  Status status_;
  std::thread thread_;
};

class Run {
 public:
  Run(BackupTool tool, const DefectScenario& scenario, ScratchDir& scratch)
      : tool_(tool), scenario_(scenario), scratch_(scratch) {}

  Status BackUp() {
    HBK_RETURN_IF_ERROR(StartSource());
    HBK_ASSIGN_OR_RETURN(SqlClient holder, source_->Connect());
    HBK_RETURN_IF_ERROR(holder.Execute("DO GET_LOCK('written', 1), GET_LOCK('read', 1)"));
    // After the holder in this order: what goes wrong releases the sessions before they are joined.
    std::vector<std::unique_ptr<BusySession>> sessions;
    const Status status = [&] {
      HBK_RETURN_IF_ERROR(StartBusySessions(sessions));
      HBK_RETURN_IF_ERROR(ReachEndOfFlush());
      return ExecuteAll(scenario_.meanwhile);
    }();
    HBK_RETURN_IF_ERROR(holder.Execute("DO RELEASE_ALL_LOCKS()"));
    for (const auto& session : sessions)
      HBK_RETURN_IF_ERROR(session->Join());
    HBK_RETURN_IF_ERROR(status);
    return CheckCompleted(backup_->Wait(kUsualTimeLimit), std::string(ToolName(tool_)));
  }

  Status CheckRestored() {
    const std::string backup = scratch_.Sub("backup");
    const std::string data_dir = scratch_.Sub("restored/data");
    HBK_RETURN_IF_ERROR(
        RunToSuccess(PrepareCommand(tool_, backup), scratch_.Sub("prepare.log")).status());
    HBK_RETURN_IF_ERROR(MakeDirectory(data_dir));
    HBK_RETURN_IF_ERROR(
        RunToSuccess(CopyBackCommand(tool_, backup, data_dir), scratch_.Sub("copy-back.log"))
            .status());
    HBK_ASSIGN_OR_RETURN(
        const std::unique_ptr<Mariadbd> restored,
        Mariadbd::Start({.base_dir = scratch_.Sub("restored"), .has_data = true, .server_id = 2}));
    HBK_ASSIGN_OR_RETURN(SqlClient client, restored->Connect());
    HBK_ASSIGN_OR_RETURN(SqlClient source, source_->Connect());
    HBK_RETURN_IF_ERROR(CheckNoneWasOpen(client));
    HBK_RETURN_IF_ERROR(CheckAllTables(client));
    HBK_RETURN_IF_ERROR(CompareTables(source, client));
    HBK_RETURN_IF_ERROR(CheckFilesHaveTables(data_dir));
    return CheckErrorLog(*restored);
  }

 private:
  Status StartSource() {
    HBK_ASSIGN_OR_RETURN(source_,
                         Mariadbd::Start({.base_dir = scratch_.Sub("source"),
                                          .extra = {"--log-bin=binlog", "--binlog-format=ROW"}}));
    HBK_ASSIGN_OR_RETURN(SqlClient client, source_->Connect());
    HBK_RETURN_IF_ERROR(client.Execute("CREATE DATABASE d"));
    HBK_RETURN_IF_ERROR(ExecuteAll({"CREATE TABLE blocker (i INT) ENGINE=MyISAM"}));
    return ExecuteAll(scenario_.setup);
  }

  Status ExecuteAll(const std::vector<std::string>& statements) {
    HBK_ASSIGN_OR_RETURN(SqlClient client, source_->Connect());
    HBK_RETURN_IF_ERROR(client.Execute("SET SESSION lock_wait_timeout = 30"));
    HBK_RETURN_IF_ERROR(client.Execute("USE d"));
    for (const std::string& statement : statements)
      HBK_RETURN_IF_ERROR(client.Execute(statement).WithContext(statement));
    return OkStatus();
  }

  // Each is in its table when this returns: the reader first, which a writer may join, not the
  // other way round.
  Status StartBusySessions(std::vector<std::unique_ptr<BusySession>>& sessions) {
    HBK_ASSIGN_OR_RETURN(SqlClient client, source_->Connect());
    for (const std::string& statement : {scenario_.read, scenario_.write}) {
      if (statement.empty()) continue;
      HBK_ASSIGN_OR_RETURN(auto session, BusySession::Start(*source_, statement));
      const uint64_t id = session->id();
      sessions.push_back(std::move(session));
      HBK_RETURN_IF_ERROR(Await("a session in its table", [&] {
        return client.QueryNumber(fmt::format(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {} AND state = 'User "
            "lock'",
            id));
      }));
    }
    return OkStatus();
  }

  Status ReachEndOfFlush() {
    HBK_ASSIGN_OR_RETURN(backup_,
                         Process::Start(BackupCommand(tool_, {.socket_path = source_->socket_path(),
                                                              .target_dir = scratch_.Sub("backup"),
                                                              .user = scenario_.user}),
                                        {.output_path = scratch_.Sub("backup.log")}));
    HBK_ASSIGN_OR_RETURN(SqlClient client, source_->Connect());
    return Await("a backup that waits for BLOCK_DDL", [&]() -> Result<uint64_t> {
      if (backup_->HasEndedWithin(milliseconds(0))) {
        return FailedError("it has ended: " + backup_->Wait(kStageLimit).Describe());
      }
      HBK_ASSIGN_OR_RETURN(const bool is_waiting, IsWaitingForBlockDdl(client));
      return is_waiting ? 1U : 0U;
    });
  }

  template <typename Question>
  static Status Await(const std::string& what, Question ask) {
    const auto deadline = steady_clock::now() + kStageLimit;
    while (steady_clock::now() < deadline) {
      HBK_ASSIGN_OR_RETURN(const uint64_t count, ask());
      if (count > 0) return OkStatus();
      std::this_thread::sleep_for(kStep);
    }
    return FailedError("waited in vain for " + what);
  }

  BackupTool tool_;
  const DefectScenario& scenario_;
  ScratchDir& scratch_;
  std::unique_ptr<Mariadbd> source_;
  std::unique_ptr<Process> backup_;
};

}  // namespace

DefectOutcome RunDefectScenario(BackupTool tool, const DefectScenario& scenario) {
  auto scratch = ScratchDir::Make();
  if (!scratch.ok()) return {.run = scratch.status(), .restored = OkStatus()};
  Run run(tool, scenario, scratch.value());
  DefectOutcome outcome;
  outcome.run = run.BackUp();
  if (outcome.run.ok()) outcome.restored = run.CheckRestored();
  if (!outcome.run.ok() || (tool == BackupTool::kHbk && !outcome.restored.ok())) {
    scratch.value().Keep();
  }
  return outcome;
}

}  // namespace hbk::testing
