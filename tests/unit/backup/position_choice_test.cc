#include "position_choice.h"

#include <memory>
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
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

ScriptedStatement Galera(const std::string& state) {
  return {"SHOW GLOBAL STATUS LIKE 'wsrep*",
          SqlRows({{"wsrep_local_state_uuid", "bd09145a-e504-11f1-95aa-e2b1c9df3eab"},
                   {"wsrep_last_committed", "7"},
                   {"wsrep_local_state_comment", state}})};
}

class PositionChoiceTest : public ::testing::Test {
 protected:
  Result<PositionChoice> Choose(std::vector<ScriptedStatement> script = {}) {
    std::vector<ScriptedStatement> whole = {{"SET SESSION wait_timeout=*", {}},
                                            {"SET SESSION wsrep_sync_wait=0", {}}};
    whole.insert(whole.end(), script.begin(), script.end());
    auto session =
        server::ServerSession::Create(std::make_unique<ScriptedSqlClient>(std::move(whole), log_));
    EXPECT_THAT(session, IsOk());
    return ChoosePositions(**session, facts_, options_, reporter_);
  }

  server::ServerFacts facts_;
  BackupOptions options_;
  SilentReporter reporter_;
  ScriptLog log_;
};

TEST_F(PositionChoiceTest, BinlogIsRecordedIfThereIsOne) {
  EXPECT_FALSE(Choose()->binlog);
  facts_.variables["log_bin"] = "ON";
  EXPECT_TRUE(Choose()->binlog);
  options_.binlog_info = BinlogInfo::kOn;
  EXPECT_TRUE(Choose()->binlog);
  options_.binlog_info = BinlogInfo::kOff;
  EXPECT_FALSE(Choose()->binlog);
}

TEST_F(PositionChoiceTest, BinlogThatMustBeThereIsRefusedByName) {
  options_.binlog_info = BinlogInfo::kOn;
  facts_.variables["log_bin"] = "OFF";
  EXPECT_THAT(Choose(), StatusIs(StatusCode::kUsage, HasSubstr("--binlog-info=ON")));
}

TEST_F(PositionChoiceTest, ReplicaIsAskedIfWanted) {
  EXPECT_FALSE(Choose()->replica);
  options_.slave_info = true;
  EXPECT_TRUE(Choose()->replica);
}

TEST_F(PositionChoiceTest, ParallelReplicaIsNoReasonForAWarning) {
  facts_.variables["slave_parallel_threads"] = "4";
  EXPECT_THAT(Choose(), IsOk());
  EXPECT_EQ(reporter_.warning_count(), 0U);
}

TEST_F(PositionChoiceTest, GaleraIsOfNodesOnly) {
  options_.galera_info = true;
  EXPECT_FALSE(Choose()->galera);
  facts_.variables = {{"wsrep_on", "ON"}, {"wsrep_gtid_domain_id", "77"}};
  const auto choice = Choose({Galera("Synced")});
  ASSERT_THAT(choice, IsOk());
  EXPECT_TRUE(choice->galera);
  EXPECT_EQ(choice->wsrep_gtid_domain_id, 77U);
  EXPECT_EQ(reporter_.warning_count(), 0U);
}

TEST_F(PositionChoiceTest, NodeThatIsNoMemberIsRefused) {
  options_.galera_info = true;
  facts_.variables["wsrep_on"] = "ON";
  EXPECT_THAT(Choose({Galera("Joining")}),
              StatusIs(StatusCode::kFailed, HasSubstr("its state is Joining")));
}

}  // namespace
}  // namespace hbk::backup
