#include "position_reader.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::position_reader_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kUuid = "bd09145a-e504-11f1-95aa-e2b1c9df3eab";

ScriptedStatement Master(const std::string& file, const std::string& position) {
  return {"SHOW MASTER STATUS", SqlRows({{file, position}})};
}
// binlog_pos, binlog_state, current_pos, slave_pos
ScriptedStatement Gtids(const std::string& binlog, const std::string& slave = "") {
  return {"SELECT @@GLOBAL.gtid_binlog_pos*", SqlRows({{binlog, binlog, binlog, slave}})};
}
ScriptedStatement Replica(const std::string& position, const std::string& runs = "Yes") {
  server::SqlAnswer answer = SqlRows({{"", "db1", "3306", runs, "No", "source.000001", position}});
  answer.columns = {"Connection_name",    "Master_Host", "Master_Port",
                    "Slave_SQL_Running",  "Using_Gtid",  "Relay_Master_Log_File",
                    "Exec_Master_Log_Pos"};
  return {"SHOW ALL SLAVES STATUS", answer};
}
ScriptedStatement Galera(const std::string& seqno, const std::string& uuid = kUuid) {
  return {"SHOW GLOBAL STATUS LIKE 'wsrep*", SqlRows({{"wsrep_local_state_uuid", uuid},
                                                      {"wsrep_last_committed", seqno},
                                                      {"wsrep_local_state_comment", "Donor"}})};
}

class PositionReaderTest : public ::testing::Test {
 protected:
  // What is asked at the begin, then at the end.
  Result<Positions> Run(PositionChoice choice, std::vector<ScriptedStatement> begin,
                        std::vector<ScriptedStatement> end) {
    std::vector<ScriptedStatement> script = {{"SET SESSION wait_timeout=*", {}},
                                             {"SET SESSION wsrep_sync_wait=0", {}}};
    script.insert(script.end(), begin.begin(), begin.end());
    script.push_back({"SHOW GLOBAL STATUS LIKE 'Innodb_lsn%'",
                      SqlRows({{"Innodb_lsn_current", "300"}, {"Innodb_lsn_flushed", "200"}})});
    script.push_back({"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}});
    script.insert(script.end(), end.begin(), end.end());
    auto session =
        server::ServerSession::Create(std::make_unique<ScriptedSqlClient>(std::move(script), log_));
    EXPECT_THAT(session, IsOk());
    choice.settle_pause = std::chrono::milliseconds(1);
    PositionReader reader(**session, choice);
    EXPECT_THAT(reader.Begin(), IsOkAndHolds(300U));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return reader.Finish();
  }

  ScriptLog log_;
};

TEST_F(PositionReaderTest, BinlogPositionIsReadTwice) {
  const auto positions = Run({.binlog = true}, {Master("b.000001", "77"), Gtids("0-1-5", "0-2-3")},
                             {Master("b.000001", "77"), Gtids("0-1-5", "0-2-3")});
  ASSERT_THAT(positions, IsOk());
  ASSERT_TRUE(positions->binlog);
  EXPECT_EQ(positions->binlog->file, "b.000001");
  EXPECT_EQ(positions->binlog->position, 77U);
  EXPECT_EQ(positions->binlog->gtid_binlog_pos, "0-1-5");
  EXPECT_EQ(positions->binlog->gtid_slave_pos, "0-2-3");
  EXPECT_FALSE(positions->replica);
  EXPECT_FALSE(positions->galera);
}

TEST_F(PositionReaderTest, CommitUnderTheLockIsAnError) {
  EXPECT_THAT(Run({.binlog = true}, {Master("b.000001", "77"), Gtids("0-1-5")},
                  {Master("b.000001", "99"), Gtids("0-1-5")}),
              StatusIs(StatusCode::kFailed, HasSubstr("from b.000001:77 (GTID '0-1-5') to "
                                                      "b.000001:99")));
  EXPECT_THAT(Run({}, {Gtids("0-1-5")}, {Gtids("0-1-6")}),
              StatusIs(StatusCode::kFailed, HasSubstr("commits are blocked")));
}

TEST_F(PositionReaderTest, RotatedBinlogIsNoCommit) {
  const auto positions = Run({.binlog = true}, {Master("b.000001", "77"), Gtids("0-1-5")},
                             {Master("b.000002", "4"), Gtids("0-1-5")});
  ASSERT_THAT(positions, IsOk());
  EXPECT_EQ(positions->binlog->file, "b.000001");
}

TEST_F(PositionReaderTest, BinlogThatIsNotWantedIsNotAskedFor) {
  const auto positions = Run({}, {Gtids("0-1-5")}, {Gtids("0-1-5")});
  ASSERT_THAT(positions, IsOk());
  EXPECT_FALSE(positions->binlog);
}

TEST_F(PositionReaderTest, ReplicaThatStandsStillIsReadTwice) {
  const auto positions = Run({.replica = true}, {Gtids("", "0-1-9"), Replica("500")},
                             {Gtids("", "0-1-9"), Replica("500")});
  ASSERT_THAT(positions, IsOk());
  ASSERT_TRUE(positions->replica);
  EXPECT_EQ(positions->replica->gtid_slave_pos, "0-1-9");
  ASSERT_EQ(positions->replica->connections.size(), 1U);
  EXPECT_EQ(positions->replica->connections[0],
            (manifest::SourceConnection{"", "db1", 3306, false, "source.000001", 500}));
}

TEST_F(PositionReaderTest, ThreadThatHadYetToSayWhereItIsIsWaitedFor) {
  const auto positions = Run({.replica = true}, {Gtids("", "0-1-9"), Replica("500")},
                             {Gtids("", "0-1-9"), Replica("600"),   // the file's position is ahead
                              Gtids("", "0-1-10"), Replica("600"),  // now the GTID, too
                              Gtids("", "0-1-10"), Replica("600")});  // and that was all
  ASSERT_THAT(positions, IsOk());
  EXPECT_EQ(positions->replica->gtid_slave_pos, "0-1-10");
  EXPECT_EQ(positions->replica->connections[0].position, 600U);
}

TEST_F(PositionReaderTest, PositionsThatKeepMovingAreTakenInTheEnd) {
  std::vector<ScriptedStatement> end = {Gtids(""), Replica("600"), Gtids(""), Replica("700")};
  const auto positions = Run({.replica = true, .settle_limit = std::chrono::milliseconds(0)},
                             {Gtids(""), Replica("500")}, end);
  ASSERT_THAT(positions, IsOk());
  EXPECT_EQ(positions->replica->connections[0].position, 700U);
}

TEST_F(PositionReaderTest, StoppedReplicaIsNotWaitedFor) {
  const auto positions =
      Run({.replica = true}, {Gtids(""), Replica("500", "No")}, {Gtids(""), Replica("600", "No")});
  ASSERT_THAT(positions, IsOk());
  EXPECT_EQ(positions->replica->connections[0].position, 600U);
}

TEST_F(PositionReaderTest, ServerWithoutSourcesIsNoReplica) {
  const auto positions = Run({.replica = true}, {Gtids(""), {"SHOW ALL SLAVES STATUS", {}}},
                             {Gtids(""), {"SHOW ALL SLAVES STATUS", {}}});
  ASSERT_THAT(positions, IsOk());
  EXPECT_FALSE(positions->replica);
}

TEST_F(PositionReaderTest, GaleraPositionIsThatOfTheNode) {
  const auto positions = Run({.galera = true, .wsrep_gtid_domain_id = 77},
                             {Gtids(""), Galera("215")}, {Gtids(""), Galera("215")});
  ASSERT_THAT(positions, IsOk());
  EXPECT_EQ(positions->galera, (manifest::GaleraPosition{kUuid, 215, 77}));
}

TEST_F(PositionReaderTest, NodeThatGoesOnIsAnError) {
  EXPECT_THAT(Run({.galera = true}, {Gtids(""), Galera("215")}, {Gtids(""), Galera("216")}),
              StatusIs(StatusCode::kFailed, AllOf(HasSubstr(":215"), HasSubstr(":216"))));
}

TEST_F(PositionReaderTest, NodeWithoutPositionIsAnError) {
  std::vector<ScriptedStatement> script = {{"SET SESSION wait_timeout=*", {}},
                                           {"SET SESSION wsrep_sync_wait=0", {}},
                                           Gtids(""),
                                           Galera("-1")};
  auto session =
      server::ServerSession::Create(std::make_unique<ScriptedSqlClient>(std::move(script), log_));
  ASSERT_THAT(session, IsOk());
  PositionReader reader(**session, {.galera = true});
  EXPECT_THAT(reader.Begin(), StatusIs(StatusCode::kFailed, HasSubstr("its state is Donor")));
}

}  // namespace
}  // namespace hbk::backup::position_reader_test
