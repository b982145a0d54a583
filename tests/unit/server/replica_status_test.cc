#include "hbk/server/replica_status.h"

#include "tests/support/status_matchers.h"

namespace hbk::server {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// In another order than that in which they are read, and with a column that nobody asks for.
SqlAnswer SomeAnswer() {
  SqlAnswer answer;
  answer.columns = {"Connection_name", "Slave_SQL_State",       "Master_Host",
                    "Master_Port",     "Relay_Master_Log_File", "Slave_SQL_Running",
                    "Using_Gtid",      "Exec_Master_Log_Pos"};
  answer.rows = {{"", "", "db1", "3306", "binlog.000008", "Yes", "No", "55635"},
                 {"east", {}, "db2", "3307", "", "No", "Slave_Pos", "4"}};
  return answer;
}

TEST(ReplicaStatusTest, EachConnectionIsARow) {
  EXPECT_THAT(ParseReplicaStatus(SomeAnswer()),
              IsOkAndHolds(ElementsAre(ReplicaConnection{.name = "",
                                                         .source_host = "db1",
                                                         .source_port = 3306,
                                                         .has_sql_thread = true,
                                                         .uses_gtid = false,
                                                         .file = "binlog.000008",
                                                         .position = 55635},
                                       ReplicaConnection{.name = "east",
                                                         .source_host = "db2",
                                                         .source_port = 3307,
                                                         .has_sql_thread = false,
                                                         .uses_gtid = true,
                                                         .file = "",
                                                         .position = 4})));
}

TEST(ReplicaStatusTest, NoRowIsNoReplica) {
  EXPECT_THAT(ParseReplicaStatus({}), IsOkAndHolds(IsEmpty()));
}

TEST(ReplicaStatusTest, MissingColumnIsNamed) {
  for (size_t i = 0; i < SomeAnswer().columns.size(); ++i) {
    SqlAnswer answer = SomeAnswer();
    const std::string name = std::exchange(answer.columns[i], "Other");
    if (name == "Slave_SQL_State") continue;
    EXPECT_THAT(ParseReplicaStatus(answer), StatusIs(StatusCode::kUnsupported, HasSubstr(name)));
  }
}

TEST(ReplicaStatusTest, ShortRowIsNotRead) {
  SqlAnswer answer = SomeAnswer();
  answer.rows[1].pop_back();
  EXPECT_THAT(ParseReplicaStatus(answer),
              StatusIs(StatusCode::kUnsupported, HasSubstr("Exec_Master_Log_Pos")));
}

TEST(ReplicaStatusTest, PositionThatIsNoNumberIsRefused) {
  SqlAnswer answer = SomeAnswer();
  answer.rows[0].back() = "12x";
  EXPECT_THAT(ParseReplicaStatus(answer),
              StatusIs(StatusCode::kUnsupported, HasSubstr("'12x', not a number")));
}

TEST(ReplicaStatusTest, ConnectionsAreDescribedByName) {
  EXPECT_EQ(DescribeConnection(""), "the default connection");
  EXPECT_EQ(DescribeConnection("east"), "connection 'east'");
}

}  // namespace
}  // namespace hbk::server
