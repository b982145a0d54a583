#include "replica_pause.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SilentReporter;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

const server::SqlAnswer kLost = SqlError(2013, "Lost connection");

// The default connection and 'west' run, 'north' does not.
ScriptedStatement ThreeConnections() {
  server::SqlAnswer answer = SqlRows({{"", "db1", "3306", "Yes", "No", "b.1", "4"},
                                      {"north", "db2", "3306", "No", "No", "b.1", "4"},
                                      {"west", "db3", "3306", "Yes", "No", "b.1", "4"}});
  answer.columns = {"Connection_name",    "Master_Host", "Master_Port",
                    "Slave_SQL_Running",  "Using_Gtid",  "Relay_Master_Log_File",
                    "Exec_Master_Log_Pos"};
  return {"SHOW ALL SLAVES STATUS", answer};
}
ScriptedStatement Tables(const std::string& count) {
  return {"SHOW GLOBAL STATUS LIKE 'Slave_open_temp_tables'",
          SqlRows({{"Slave_open_temp_tables", count}})};
}
ScriptedStatement Id(const std::string& id) {
  return {"SELECT CONNECTION_ID()", SqlRows({{id}})};
}
const ScriptedStatement kStopDefault{"STOP SLAVE '' SQL_THREAD", {}};
const ScriptedStatement kStopWest{"STOP SLAVE 'west' SQL_THREAD", {}};
const ScriptedStatement kStartDefault{"START SLAVE '' SQL_THREAD", {}};
const ScriptedStatement kStartWest{"START SLAVE 'west' SQL_THREAD", {}};

using Script = std::vector<ScriptedStatement>;

class ReplicaPauseTest : public ::testing::Test {
 protected:
  // A script for each session, in the order in which they are opened.
  void Make(std::vector<Script> scripts, std::chrono::seconds timeout = std::chrono::seconds(300)) {
    scripts_ = std::move(scripts);
    ReplicaPauseOptions options;
    options.connect = [this]() -> Result<std::unique_ptr<server::ServerSession>> {
      if (scripts_.empty()) return Status(StatusCode::kCannotConnect, "nobody answers");
      Script whole = {{"SET SESSION wait_timeout=*", {}}, {"SET SESSION wsrep_sync_wait=0", {}}};
      whole.insert(whole.end(), scripts_.front().begin(), scripts_.front().end());
      scripts_.erase(scripts_.begin());
      return server::ServerSession::Create(
          std::make_unique<ScriptedSqlClient>(std::move(whole), log_));
    };
    options.timeout = timeout;
    options.run_time = std::chrono::milliseconds(50);
    options.poll_interval = std::chrono::milliseconds(1);
    options.start_pause = std::chrono::milliseconds(1);
    pause_.emplace(std::move(options), reporter_);
  }

  std::vector<Script> scripts_;
  ScriptLog log_;
  SilentReporter reporter_;
  std::optional<ReplicaPause> pause_;
};

TEST_F(ReplicaPauseTest, ThreadsThatRunAreStoppedAndStartedAgain) {
  Make({{Id("7"), ThreeConnections(), kStopDefault, kStopWest, Tables("0"), kStartDefault,
         kStartWest}});
  EXPECT_THAT(pause_->Begin({}), IsOk());
  EXPECT_EQ(log_.statements.back(), "SHOW GLOBAL STATUS LIKE 'Slave_open_temp_tables'");
  pause_->Resume();
  EXPECT_EQ(log_.statements.back(), "START SLAVE 'west' SQL_THREAD");
  pause_->Resume();  // Once only.
  EXPECT_EQ(reporter_.warning_count(), 0U);
}

TEST_F(ReplicaPauseTest, TheEndOfThePauseStartsThem) {
  Make({{Id("7"), ThreeConnections(), kStopDefault, kStopWest, Tables("0"), kStartDefault,
         kStartWest}});
  EXPECT_THAT(pause_->Begin({}), IsOk());
  pause_.reset();
  EXPECT_EQ(log_.statements.back(), "START SLAVE 'west' SQL_THREAD");
}

TEST_F(ReplicaPauseTest, ServerThatIsNoReplicaHasNothingToStop) {
  Make({{Id("7"), {"SHOW ALL SLAVES STATUS", {}}}});
  EXPECT_THAT(pause_->Begin({}), IsOk());
  pause_.reset();
}

TEST_F(ReplicaPauseTest, ThreadsRunOnUntilTemporaryTablesAreGone) {
  Make({{Id("7"), ThreeConnections(), kStopDefault, kStopWest, Tables("2"), kStartDefault,
         kStartWest, Tables("1"), Tables("0"), kStopDefault, kStopWest, Tables("0"), kStartDefault,
         kStartWest}});
  EXPECT_THAT(pause_->Begin({}), IsOk());
  pause_.reset();
}

TEST_F(ReplicaPauseTest, TablesThatStayEndItWithRunningThreads) {
  Make({{Id("7"), ThreeConnections(), kStopDefault, kStopWest, Tables("2"), kStartDefault,
         kStartWest}},
       std::chrono::seconds(0));
  const Status status = pause_->Begin({});
  EXPECT_THAT(status, StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("2 temporary tables")));
  EXPECT_THAT(status.hint(), HasSubstr("--safe-slave-backup-timeout"));
  pause_.reset();
}

TEST_F(ReplicaPauseTest, TablesThatNobodyWillDropAreAnErrorAtOnce) {
  ScriptedStatement none = ThreeConnections();
  for (auto& row : none.answer.rows)
    row[3] = "No";
  Make({{Id("7"), none, Tables("2")}});
  EXPECT_THAT(pause_->Begin({}),
              StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("no SQL thread runs")));
}

TEST_F(ReplicaPauseTest, LostSessionIsReplacedToStartThem) {
  Make({{Id("7"),
         ThreeConnections(),
         kStopDefault,
         kStopWest,
         Tables("0"),
         {"START SLAVE '' SQL_THREAD", kLost},
         {"START SLAVE 'west' SQL_THREAD", kLost}},
        {{"KILL HARD CONNECTION 7", SqlError(1094, "Unknown thread id")},
         Id("8"),
         kStartDefault,
         kStartWest}});
  EXPECT_THAT(pause_->Begin({}), IsOk());
  pause_->Resume();
  EXPECT_EQ(log_.statements.back(), "START SLAVE 'west' SQL_THREAD");
  EXPECT_EQ(reporter_.warning_count(), 0U);
}

// The server may still be about to stop the thread: that session has to be gone first.
TEST_F(ReplicaPauseTest, ThreadWhoseStopIsNotKnownIsStartedAgain) {
  Make({{Id("7"),
         ThreeConnections(),
         {"STOP SLAVE '' SQL_THREAD", SqlError(server::kErrorInterrupted, "interrupted")},
         {"START SLAVE '' SQL_THREAD", SqlError(2006, "gone")}},
        {{"KILL HARD CONNECTION 7", {}},
         {"KILL HARD CONNECTION 7", SqlError(1094, "Unknown thread id")},
         Id("8"),
         kStartDefault}});
  EXPECT_THAT(pause_->Begin({}), StatusIs(StatusCode::kInterrupted, HasSubstr("")));
  pause_.reset();
  EXPECT_EQ(log_.statements.back(), "START SLAVE '' SQL_THREAD");
}

TEST_F(ReplicaPauseTest, ThreadThatCannotBeStartedIsAWarning) {
  const ScriptedStatement fails{"START SLAVE 'west' SQL_THREAD", SqlError(1200, "misconfigured")};
  Make({{Id("7"), ThreeConnections(), kStopDefault, kStopWest, Tables("0"), kStartDefault, fails,
         fails, fails, fails, fails}});
  EXPECT_THAT(pause_->Begin({}), IsOk());
  pause_->Resume();
  EXPECT_EQ(reporter_.warning_count(), 1U);
}

TEST_F(ReplicaPauseTest, ServerThatIsGoneIsAWarning) {
  Make({{Id("7"),
         ThreeConnections(),
         kStopDefault,
         kStopWest,
         Tables("0"),
         {"START SLAVE '' SQL_THREAD", kLost},
         {"START SLAVE 'west' SQL_THREAD", kLost}}});
  EXPECT_THAT(pause_->Begin({}), IsOk());
  pause_.reset();
  EXPECT_EQ(reporter_.warning_count(), 1U);
}

}  // namespace
}  // namespace hbk::backup
