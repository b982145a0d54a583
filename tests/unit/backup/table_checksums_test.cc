#include "table_checksums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SilentReporter;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<server::TableSession> MakeSession(std::vector<ScriptedStatement> script,
                                                  ScriptLog& log) {
  std::vector<ScriptedStatement> all = {{"SET SESSION wait_timeout*", {}},
                                        {"SET SESSION wsrep_sync_wait=0", {}}};
  all.insert(all.end(), script.begin(), script.end());
  auto session =
      server::TableSession::Create(std::make_unique<ScriptedSqlClient>(std::move(all), log));
  HBK_CHECK(session.ok());
  return std::move(*session);
}

TEST(TableChecksumsTest, WithoutTheRightToReadTheGrantIsSaid) {
  ScriptLog log;

  const auto checksums = TableChecksums::Open(
      MakeSession({{"SELECT 1 FROM mysql.global_priv*", SqlError(1142, "denied")}}, log),
      "`hbk`@`localhost`");

  EXPECT_THAT(checksums.status(), StatusIs(StatusCode::kMissingPrivilege, HasSubstr("SELECT")));
  EXPECT_EQ(checksums.status().hint(), "GRANT SELECT ON *.* TO `hbk`@`localhost`;");
}

TEST(TableChecksumsTest, OnlyUnalteredInnodbTablesOfUsersAreTaken) {
  ScriptLog log;
  auto checksums = TableChecksums::Open(
      MakeSession(
          {{"SELECT 1 FROM mysql.global_priv*", {}},
           {"SET SESSION TRANSACTION*", {}},
           {"SELECT UNIX_TIMESTAMP()", SqlRows({{"1000"}})},
           {"START TRANSACTION WITH CONSISTENT SNAPSHOT", {}},
           {"SELECT TABLE_SCHEMA*", SqlRows({{"mysql", "gtid_slave_pos", "InnoDB", "BASE TABLE"},
                                             {"shop", "aria", "Aria", "BASE TABLE"},
                                             {"shop", "gone", "InnoDB", "BASE TABLE"},
                                             {"shop", "seq", "InnoDB", "SEQUENCE"},
                                             {"shop", "t", "InnoDB", "BASE TABLE"}})},
           {"SAVEPOINT*", {}},
           {"CHECKSUM TABLE `shop`.`gone` EXTENDED", SqlRows({{"shop.gone", std::nullopt}})},
           {"SHOW WARNINGS", SqlRows({{"Warning", "159", "insufficient history"}})},
           {"ROLLBACK TO SAVEPOINT*", {}},
           {"SAVEPOINT*", {}},
           {"CHECKSUM TABLE `shop`.`t` EXTENDED", SqlRows({{"shop.t", "77"}})},
           {"SELECT COUNT(*) FROM `shop`.`t`", SqlRows({{"5"}})},
           {"SELECT UNIX_TIMESTAMP(CREATE_TIME)*", SqlRows({{"10"}})},
           {"ROLLBACK TO SAVEPOINT*", {}},
           {"ROLLBACK", {}}},
          log),
      "a");
  ASSERT_TRUE(checksums.ok());
  ASSERT_TRUE((*checksums)->Prepare().ok());
  ASSERT_TRUE((*checksums)->BeginSnapshot().ok());
  SilentReporter reporter;

  const auto taken = (*checksums)->Take(reporter, {});

  ASSERT_TRUE(taken.ok()) << taken.status().ToString();
  EXPECT_THAT(*taken, ElementsAre(manifest::TableChecksum{"shop", "t", 5, 77}));
}

}  // namespace
}  // namespace hbk::backup
