#include "hbk/server/table_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::server {
namespace {

using hbk::testing::IsOkAndHolds;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ListedTable kTable{"shop", "it`ems", "InnoDB", false};

std::unique_ptr<TableSession> MakeSession(std::vector<ScriptedStatement> script, ScriptLog& log) {
  std::vector<ScriptedStatement> all = {{"SET SESSION wait_timeout*", {}},
                                        {"SET SESSION wsrep_sync_wait=0", SqlError(1193, "no")}};
  all.insert(all.end(), script.begin(), script.end());
  auto session = TableSession::Create(std::make_unique<ScriptedSqlClient>(std::move(all), log));
  HBK_CHECK(session.ok());
  return std::move(*session);
}

TEST(TableSessionTest, TablesAreListedWithTheirEngines) {
  ScriptLog log;
  const auto session =
      MakeSession({{"SELECT TABLE_SCHEMA*", SqlRows({{"a", "s", "Aria", "SEQUENCE"},
                                                     {"a", "t", "InnoDB", "BASE TABLE"},
                                                     {"a", "x", std::nullopt, "BASE TABLE"}})}},
                  log);

  const auto tables = session->ListTables();

  ASSERT_TRUE(tables.ok());
  EXPECT_THAT(*tables, ElementsAre(ListedTable{"a", "s", "Aria", true},
                                   ListedTable{"a", "t", "InnoDB", false},
                                   ListedTable{"a", "x", "", false}));
}

TEST(TableSessionTest, CheckQuotesNamesAndGivesAllMessages) {
  ScriptLog log;
  const auto session = MakeSession({{"CHECK TABLE `shop`.`it``ems` EXTENDED",
                                     SqlRows({{"shop.it`ems", "check", "Warning", "index"},
                                              {"shop.it`ems", "check", "error", "Corrupt"}})}},
                                   log);

  const auto messages = session->Check(kTable, CheckDepth::kExtended);

  ASSERT_TRUE(messages.ok());
  EXPECT_THAT(*messages,
              ElementsAre(CheckMessage{"warning", "index"}, CheckMessage{"error", "Corrupt"}));
}

TEST(TableSessionTest, ACheckWithoutAnyLineIsNoVerdict) {
  ScriptLog log;
  const auto session = MakeSession({{"CHECK TABLE*", SqlRows({})}}, log);

  EXPECT_THAT(session->Check(kTable, CheckDepth::kQuick).status(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("unexpected form")));
}

TEST(TableSessionTest, SumIsChecksumAndRowCount) {
  ScriptLog log;
  const auto session =
      MakeSession({{"CHECKSUM TABLE `shop`.`it``ems` EXTENDED", SqlRows({{"shop.it`ems", "77"}})},
                   {"SELECT COUNT(*) FROM `shop`.`it``ems`", SqlRows({{"5"}})}},
                  log);
  std::string why;

  const auto sum = session->Sum(kTable, why);

  ASSERT_TRUE(sum.ok() && sum->has_value());
  EXPECT_EQ(**sum, (TableSum{5, 77}));
}

TEST(TableSessionTest, ATableThatCannotBeReadHasNoSumButAReason) {
  ScriptLog log;
  const auto session =
      MakeSession({{"CHECKSUM TABLE*", SqlRows({{"shop.it`ems", std::nullopt}})},
                   {"SHOW WARNINGS", SqlRows({{"Error", "1146", "does not exist"}})}},
                  log);
  std::string why;

  const auto sum = session->Sum(kTable, why);

  ASSERT_TRUE(sum.ok());
  EXPECT_FALSE(sum->has_value());
  EXPECT_EQ(why, "does not exist");
}

TEST(TableSessionTest, PreparedTransactionsAreNotWaitedFor) {
  ScriptLog log;
  const auto session =
      MakeSession({{"SELECT COUNT(*) FROM information_schema.INNODB_TRX*", SqlRows({{"3"}})},
                   {"XA RECOVER", SqlRows({{"1", "1", "1", "a"}})}},
                  log);

  EXPECT_THAT(session->CountRecoveredTransactions(), IsOkAndHolds(2U));
}

TEST(TableSessionTest, ASilentServerIsLost) {
  ScriptLog log;
  const auto session = MakeSession(
      {{"CHECK TABLE*", SqlError(kErrorBoundReached, "no answer within the bound")}}, log);

  EXPECT_THAT(session->Check(kTable, CheckDepth::kQuick).status(),
              StatusIs(StatusCode::kConnectionLost, HasSubstr("gave no answer within 60 s")));
}

TEST(TableSessionTest, AnAlteredTableHasNoSumInTheSnapshotAndNoLockStays) {
  ScriptLog log;
  const auto session =
      MakeSession({{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", {}},
                   {"SELECT UNIX_TIMESTAMP()", SqlRows({{"1000"}})},
                   {"START TRANSACTION WITH CONSISTENT SNAPSHOT", {}},
                   {"SAVEPOINT hbk_table", {}},
                   {"CHECKSUM TABLE*", SqlRows({{"t", "77"}})},
                   {"SELECT COUNT(*)*", SqlRows({{"5"}})},
                   {"SELECT UNIX_TIMESTAMP(CREATE_TIME)*", SqlRows({{"1000"}})},
                   {"ROLLBACK TO SAVEPOINT hbk_table", {}},
                   {"SAVEPOINT hbk_table", {}},
                   {"CHECKSUM TABLE*", SqlRows({{"t", "77"}})},
                   {"SELECT COUNT(*)*", SqlRows({{"5"}})},
                   {"SELECT UNIX_TIMESTAMP(CREATE_TIME)*", SqlRows({{"999"}})},
                   {"ROLLBACK TO SAVEPOINT hbk_table", {}},
                   {"SAVEPOINT hbk_table", {}},
                   {"CHECKSUM TABLE*", SqlRows({{"t", "77"}})},
                   {"SELECT COUNT(*)*", SqlError(1412, "Table definition has changed")},
                   {"ROLLBACK TO SAVEPOINT hbk_table", {}},
                   {"ROLLBACK", {}}},
                  log);
  ASSERT_TRUE(session->PrepareSnapshot().ok());
  ASSERT_TRUE(session->BeginSnapshot().ok());

  const auto altered = session->SumInSnapshot(kTable);
  const auto unaltered = session->SumInSnapshot(kTable);
  const auto rebuilt = session->SumInSnapshot(kTable);
  EXPECT_TRUE(session->EndSnapshot().ok());

  ASSERT_TRUE(altered.ok() && unaltered.ok() && rebuilt.ok());
  EXPECT_FALSE(altered->has_value());
  EXPECT_EQ(*unaltered, (TableSum{5, 77}));
  EXPECT_FALSE(rebuilt->has_value());
}

}  // namespace
}  // namespace hbk::server
