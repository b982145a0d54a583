#include "hbk/server/backup_history.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::server {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint32_t kAccessDenied = 1227;
constexpr uint32_t kNoSuchTable = 1146;

class BackupHistoryTest : public ::testing::Test {
 protected:
  BackupHistory Open(std::vector<ScriptedStatement> script,
                     const std::string& version = "10.11.19-MariaDB") {
    client_ = std::make_unique<ScriptedSqlClient>(std::move(script), log_);
    return {*client_, version};
  }

  ScriptLog log_;
  std::unique_ptr<ScriptedSqlClient> client_;
};

TEST_F(BackupHistoryTest, TheTableIsMadeOutsideOfTheBinlog) {
  BackupHistory history =
      Open({{"SET SESSION lock_wait_timeout=60, sql_log_bin=0", {}},
            {"CREATE TABLE IF NOT EXISTS mysql.mariadb_backup_history (uuid *", {}},
            {"INSERT INTO mysql.mariadb_backup_history SELECT *", {}}});
  ASSERT_THAT(history.Prepare({}), IsOk());
  EXPECT_THAT(log_.statements[1], HasSubstr("ENUM('file', 'tar', 'mbstream')"));
}

TEST_F(BackupHistoryTest, OlderServersHaveItElsewhere) {
  BackupHistory history =
      Open({{"SET SESSION *", {}},
            {"CREATE DATABASE IF NOT EXISTS PERCONA_SCHEMA", {}},
            {"CREATE TABLE IF NOT EXISTS PERCONA_SCHEMA.xtrabackup_history (uuid *", {}},
            {"INSERT INTO PERCONA_SCHEMA.xtrabackup_history SELECT *", {}}},
           "10.5.29-MariaDB");
  ASSERT_THAT(history.Prepare({}), IsOk());
}

TEST_F(BackupHistoryTest, AMissingRightIsNamed) {
  BackupHistory history = Open({{"SET SESSION *", SqlError(kAccessDenied, "denied")}});
  const Status status = history.Prepare({});
  EXPECT_THAT(status, StatusIs(StatusCode::kMissingPrivilege, HasSubstr("--history")));
  EXPECT_THAT(status.hint(), HasSubstr("BINLOG ADMIN"));
}

TEST_F(BackupHistoryTest, ARowHasWhatMariadbBackupWrites) {
  BackupHistory history = Open(
      {{"SET SESSION *", {}}, {"INSERT INTO mysql.mariadb_backup_history (uuid, name, *", {}}});
  HistoryRow row;
  row.uuid = "u-1";
  row.name = "it's";
  row.tool_name = "hbk";
  row.start_time = 100;
  row.end_time = 200;
  row.from_lsn = 7;
  row.to_lsn = 9;
  row.is_incremental = true;

  ASSERT_THAT(history.Add(row, {}), IsOk());

  EXPECT_THAT(log_.statements[1],
              AllOf(HasSubstr("'u-1', 'it''s', 'hbk'"),
                    HasSubstr("FROM_UNIXTIME(100), FROM_UNIXTIME(200), 0, '', 7, 9, 'N', 'Y'")));
}

TEST_F(BackupHistoryTest, TheBaseIsFoundByNameAndUuid) {
  BackupHistory history = Open(
      {{"SELECT innodb_to_lsn FROM mysql.mariadb_backup_history WHERE name = 'n' *",
        SqlRows({{"77"}})},
       {"SELECT innodb_to_lsn FROM mysql.mariadb_backup_history WHERE uuid = 'u' *", SqlRows({})},
       {"SELECT *", SqlError(kNoSuchTable, "no table")},
       {"SELECT *", SqlRows({{"x"}})}});
  EXPECT_THAT(history.FindByName("n", {}), IsOkAndHolds(std::optional<uint64_t>(77)));
  EXPECT_THAT(history.FindByUuid("u", {}), IsOkAndHolds(std::optional<uint64_t>()));
  EXPECT_THAT(history.FindByUuid("u", {}), IsOkAndHolds(std::optional<uint64_t>()));
  EXPECT_THAT(history.FindByUuid("u", {}), StatusIs(StatusCode::kUnsupported, HasSubstr("'x'")));
}

}  // namespace
}  // namespace hbk::server
