#include "hbk/server/server_session.h"

#include <memory>
#include <utility>
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
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Script = std::vector<ScriptedStatement>;
const SqlAnswer kDenied = SqlError(1227, "Access denied");

class ServerSessionTest : public ::testing::Test {
 protected:
  std::unique_ptr<ServerSession> MakeSession(std::vector<ScriptedStatement> script) {
    std::vector<ScriptedStatement> whole = {
        {"SET SESSION wait_timeout=*", {}},
        {"SET SESSION wsrep_sync_wait=0", SqlError(1193, "Unknown system variable")},
    };
    whole.insert(whole.end(), script.begin(), script.end());
    auto session =
        ServerSession::Create(std::make_unique<ScriptedSqlClient>(std::move(whole), log_));
    EXPECT_THAT(session, IsOk());
    return std::move(session).value();
  }

  ScriptLog log_;
};

TEST_F(ServerSessionTest, FactsAreReadInFourStatements) {
  const auto session = MakeSession({
      {"SHOW GLOBAL VARIABLES", SqlRows({{"datadir", "/d/"}, {"log_bin", "ON"}})},
      {"SELECT VERSION(), *", SqlRows({{"10.11.19-MariaDB-log", "Debian 12", "hbk@localhost"}})},
      {"SELECT PLUGIN_NAME, *",
       SqlRows({{"InnoDB", "STORAGE ENGINE", "ACTIVE", {}},
                {"ROCKSDB", "STORAGE ENGINE", "DISABLED", "ha_rocksdb.so"}})},
      {"SHOW GLOBAL STATUS LIKE 'Uptime'", SqlRows({{"Uptime", "77"}})},
  });

  const auto facts = session->ReadFacts();

  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ(facts->Variable("datadir"), "/d/");
  EXPECT_TRUE(facts->IsOn("log_bin"));
  EXPECT_TRUE(facts->HasActivePlugin("innodb"));
  EXPECT_FALSE(facts->HasActivePlugin("rocksdb"));
  EXPECT_EQ(facts->current_user, "hbk@localhost");
  EXPECT_EQ(facts->uptime_s, 77U);
}

TEST_F(ServerSessionTest, LsnsComeFromOneStatement) {
  const auto session = MakeSession({{"SHOW GLOBAL STATUS LIKE 'Innodb_lsn%'",
                                     SqlRows({{"Innodb_lsn_current", "300"},
                                              {"Innodb_lsn_flushed", "200"},
                                              {"Innodb_lsn_last_checkpoint", "100"}})}});

  const auto lsn = session->ReadLsn();

  ASSERT_THAT(lsn, IsOk());
  EXPECT_EQ(lsn->current, 300U);
  EXPECT_EQ(lsn->flushed, 200U);
  EXPECT_EQ(lsn->last_checkpoint, 100U);
}

TEST_F(ServerSessionTest, MissingFlushedLsnIsUnsupported) {
  const auto session = MakeSession(
      {{"SHOW GLOBAL STATUS LIKE 'Innodb_lsn%'", SqlRows({{"Innodb_lsn_current", "300"}})}});
  EXPECT_THAT(session->ReadLsn(), StatusIs(StatusCode::kUnsupported, HasSubstr("log positions")));
}

TEST_F(ServerSessionTest, EmptyMasterStatusMeansNoBinlog) {
  const auto session = MakeSession({{"SHOW MASTER STATUS", {}}});
  EXPECT_THAT(session->ReadBinlogPosition(), IsOkAndHolds(Eq(std::optional<BinlogCoordinates>())));
}

TEST_F(ServerSessionTest, BinlogPositionIsFileAndOffset) {
  const auto session =
      MakeSession({{"SHOW MASTER STATUS", SqlRows({{"binlog.000008", "1382", "", ""}})}});
  EXPECT_THAT(session->ReadBinlogPosition(),
              IsOkAndHolds(Eq(std::optional<BinlogCoordinates>({"binlog.000008", 1382}))));
}

TEST_F(ServerSessionTest, ShortRowsAreNotRead) {
  const auto session = MakeSession({{"SHOW MASTER STATUS", SqlRows({{"binlog.000008"}})}});
  EXPECT_THAT(session->ReadBinlogPosition(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("unexpected form")));
}

TEST_F(ServerSessionTest, EveryMissingPrivilegeIsFound) {
  const auto session = MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", kDenied},
                                    {"SHOW ENGINE INNODB STATUS", kDenied},
                                    {"SHOW MASTER STATUS", kDenied}});

  const auto missing = session->ProbePrivileges({.has_binlog = true});

  ASSERT_THAT(missing, IsOk());
  ASSERT_EQ(missing->size(), 3U);
  EXPECT_EQ((*missing)[0].privilege, "RELOAD");
  EXPECT_EQ((*missing)[1].privilege, "PROCESS");
  EXPECT_EQ((*missing)[2].privilege, "BINLOG MONITOR");
}

TEST_F(ServerSessionTest, WithoutBinlogItsPrivilegeIsNotNeeded) {
  const auto session =
      MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}},
                   {"SHOW ENGINE INNODB STATUS", SqlRows({{"InnoDB", "", "..."}})}});
  EXPECT_THAT(session->ProbePrivileges({}), IsOkAndHolds(IsEmpty()));
}

TEST_F(ServerSessionTest, ACheckpointOfMyrocksNeedsSuper) {
  const auto session =
      MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}},
                   {"SHOW ENGINE INNODB STATUS", SqlRows({{"InnoDB", "", "..."}})},
                   {"SET GLOBAL rocksdb_checksums_pct=@@GLOBAL.rocksdb_checksums_pct", kDenied}});

  const auto missing = session->ProbePrivileges({.makes_rocksdb_checkpoint = true});

  ASSERT_THAT(missing, IsOk());
  ASSERT_EQ(missing->size(), 1U);
  EXPECT_EQ((*missing)[0].privilege, "SUPER");
}

TEST_F(ServerSessionTest, TheLockOfMyrocksCheckpointsIsSharedWithOtherTools) {
  const auto session = MakeSession(
      {{"SELECT GET_LOCK('mariabackup_rocksdb_checkpoint', 7)", SqlRows({{"1"}})},
       {"SELECT GET_LOCK('mariabackup_rocksdb_checkpoint', 7)", SqlRows({{"0"}})},
       {"SELECT GET_LOCK('mariabackup_rocksdb_checkpoint', 7)", SqlRows({{std::nullopt}})},
       {"SELECT RELEASE_LOCK('mariabackup_rocksdb_checkpoint')", SqlRows({{"1"}})}});
  EXPECT_THAT(session->LockRocksdbCheckpoint(7), IsOkAndHolds(true));
  EXPECT_THAT(session->LockRocksdbCheckpoint(7), IsOkAndHolds(false));
  EXPECT_THAT(session->LockRocksdbCheckpoint(7), IsOkAndHolds(false));
  EXPECT_THAT(session->UnlockRocksdbCheckpoint(), IsOk());
}

TEST_F(ServerSessionTest, ThePlaceOfACheckpointIsQuoted) {
  const auto session =
      MakeSession({{"SET GLOBAL rocksdb_force_flush_memtable_now=ON", {}},
                   {"SET GLOBAL rocksdb_create_checkpoint='/d''x/\\\\y'", {}},
                   {"SET GLOBAL rocksdb_remove_mariabackup_checkpoint=ON", kDenied}});
  EXPECT_THAT(session->FlushRocksdb(), IsOk());
  EXPECT_THAT(session->CreateRocksdbCheckpoint("/d'x/\\y"), IsOk());
  EXPECT_THAT(session->RemoveRocksdbCheckpoint(),
              StatusIs(StatusCode::kMissingPrivilege, HasSubstr("MyRocks")));
}

TEST_F(ServerSessionTest, RightToKillIsProbedWhereItIsNeeded) {
  const auto session =
      MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}},
                   {"SHOW ENGINE INNODB STATUS", {}},
                   {"SET GLOBAL slow_launch_time=@@GLOBAL.slow_launch_time", kDenied}});

  const auto missing = session->ProbePrivileges({.kills_queries = true});

  ASSERT_THAT(missing, IsOk());
  ASSERT_EQ(missing->size(), 1U);
  EXPECT_EQ((*missing)[0].privilege, "CONNECTION ADMIN");
}

TEST_F(ServerSessionTest, BackupLocksComeFromPerformanceSchema) {
  const auto session = MakeSession({{"SELECT t.PROCESSLIST_ID*", SqlRows({{"5", "BACKUP_DDL"}})}});

  const auto locks = session->ListBackupLocks();

  ASSERT_THAT(locks, IsOk());
  ASSERT_TRUE(locks->has_value());
  EXPECT_EQ((*locks)->at(0).session_id, 5U);
}

TEST_F(ServerSessionTest, PluginWithoutRowsKnowsThatNobodyHoldsALock) {
  const auto session =
      MakeSession({{"SELECT t.PROCESSLIST_ID*", {}}, {"SELECT THREAD_ID, LOCK_MODE*", {}}});
  const auto locks = session->ListBackupLocks();
  ASSERT_THAT(locks, IsOk());
  ASSERT_TRUE(locks->has_value());
  EXPECT_THAT(**locks, IsEmpty());
}

TEST_F(ServerSessionTest, WithoutBothSourcesLocksAreNotKnown) {
  const auto session =
      MakeSession({{"SELECT t.PROCESSLIST_ID*", SqlError(1142, "denied")},
                   {"SELECT THREAD_ID, LOCK_MODE*", SqlError(1109, "Unknown table")}});
  EXPECT_THAT(session->ListBackupLocks(), IsOkAndHolds(std::nullopt));
}

TEST_F(ServerSessionTest, LostConnectionIsNotAnUnknownLockList) {
  const auto session = MakeSession({{"SELECT t.PROCESSLIST_ID*", SqlError(2013, "lost")}});
  EXPECT_THAT(session->ListBackupLocks(), StatusIs(StatusCode::kConnectionLost, HasSubstr("")));
}

TEST_F(ServerSessionTest, StatementThatHasEndedIsNotKilled) {
  const auto session = MakeSession(
      {{"KILL QUERY ID 9", {}}, {"KILL QUERY ID 9", SqlError(1957, "Unknown query id: 9")}});
  EXPECT_THAT(session->KillQuery(9), IsOkAndHolds(true));
  EXPECT_THAT(session->KillQuery(9), IsOkAndHolds(false));
}

// One connection, whose SQL thread runs.
ScriptedStatement RunningReplica(const std::string& name) {
  SqlAnswer answer = SqlRows({{name, "db1", "3306", "Yes", "No", "b.1", "4"}});
  answer.columns = {"Connection_name",    "Master_Host", "Master_Port",
                    "Slave_SQL_Running",  "Using_Gtid",  "Relay_Master_Log_File",
                    "Exec_Master_Log_Pos"};
  return {"SHOW ALL SLAVES STATUS", answer};
}

TEST_F(ServerSessionTest, RightsOfReplicationAreTriedWhereTheyAreNeeded) {
  const Script usual = {{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}},
                        {"SHOW ENGINE INNODB STATUS", {}}};
  const auto probe = [&](Script more, const ProbeOptions& needs) {
    Script script = usual;
    script.insert(script.end(), more.begin(), more.end());
    const auto missing = MakeSession(script)->ProbePrivileges(needs);
    EXPECT_THAT(missing, IsOk());
    return missing->empty() ? std::string() : missing->back().privilege;
  };

  EXPECT_EQ(probe({{"SHOW ALL SLAVES STATUS", kDenied}}, {.reads_replica = true}),
            "REPLICA MONITOR");
  EXPECT_EQ(probe({{"SHOW ALL SLAVES STATUS", kDenied}}, {.pauses_replica = true}),
            "REPLICA MONITOR");
  EXPECT_EQ(probe({RunningReplica("east"),
                   RunningReplica("east"),
                   {"START SLAVE 'east' SQL_THREAD", kDenied}},
                  {.pauses_replica = true}),
            "REPLICATION SLAVE ADMIN");
  EXPECT_EQ(
      probe({RunningReplica("east"), RunningReplica("east"), {"START SLAVE 'east' SQL_THREAD", {}}},
            {.reads_replica = true, .pauses_replica = true}),
      "");
  EXPECT_EQ(probe({RunningReplica("east")}, {.reads_replica = true}), "");
}

TEST_F(ServerSessionTest, NamesOfConnectionsAreQuoted) {
  const auto session =
      MakeSession({{"STOP SLAVE 'it''s' SQL_THREAD", {}},
                   {"START SLAVE '' SQL_THREAD", SqlError(1200, "misconfigured")}});
  EXPECT_THAT(session->StopSqlThread("it's", std::chrono::seconds(1)), IsOk());
  EXPECT_THAT(session->StartSqlThread(""),
              StatusIs(StatusCode::kFailed, HasSubstr("SQL thread of the default connection")));
}

TEST_F(ServerSessionTest, TemporaryTablesOfReplicationAreCounted) {
  const ScriptedStatement count{"SHOW GLOBAL STATUS LIKE 'Slave_open_temp_tables'",
                                SqlRows({{"Slave_open_temp_tables", "3"}})};
  EXPECT_THAT(MakeSession({count})->ReadReplicaTemporaryTables(), IsOkAndHolds(3U));
  EXPECT_THAT(MakeSession({{count.sql, {}}})->ReadReplicaTemporaryTables(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("temporary tables")));
}

TEST_F(ServerSessionTest, ConnectionKnowsItsId) {
  EXPECT_THAT(MakeSession({{"SELECT CONNECTION_ID()", SqlRows({{"12"}})}})->ReadConnectionId(),
              IsOkAndHolds(12U));
}

TEST_F(ServerSessionTest, OtherErrorOfAProbeIsAnError) {
  const auto session =
      MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", SqlError(2013, "lost")}});
  EXPECT_THAT(session->ProbePrivileges({}), StatusIs(StatusCode::kConnectionLost, HasSubstr("")));
}

TEST_F(ServerSessionTest, TablespacesAreListedWithTheirIds) {
  const auto session =
      MakeSession({{"SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLESPACES *",
                    SqlRows({{"5", "d/a"}, {"6", "d/b"}, {"nonsense", "d/c"}})}});
  const auto spaces = session->ListTablespaces();
  ASSERT_THAT(spaces, IsOk());
  ASSERT_EQ(spaces->size(), 2U);
  EXPECT_EQ((*spaces)[1].space_id, 6U);
  EXPECT_EQ((*spaces)[1].name, "d/b");
}

TEST_F(ServerSessionTest, TheServerDecodesNamesOfTables) {
  const auto session =
      MakeSession({{"SELECT CONVERT(_filename'd' USING utf8mb4), CONVERT(_filename't@0020x' *",
                    SqlRows({{"d", "t x"}})},
                   {"SELECT CONVERT(_filename'd' USING utf8mb4), CONVERT(_filename't' *",
                    SqlRows({{"d", "t`"}})}});
  const auto name = session->DecodeTableName("d/t@0020x#P#p0");
  ASSERT_THAT(name, IsOk());
  EXPECT_EQ(name->ToString(), "`d`.`t x` partition `p0`");
  const auto other = session->DecodeTableName("d/t");
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->ToString(), "`d`.`t```");
}

TEST_F(ServerSessionTest, ErrorsTellWhyATableIsClosed) {
  const struct {
    uint32_t error_number;
    ClosedReason reason;
  } rows[] = {
      {0, ClosedReason::kDiscarded},      {1814, ClosedReason::kDiscarded},
      {1030, ClosedReason::kMissingFile}, {1932, ClosedReason::kMissingFile},
      {1146, ClosedReason::kDropped},     {1142, ClosedReason::kUnknown},
      {1877, ClosedReason::kMissingFile}, {1205, ClosedReason::kUnknown},
  };
  for (const auto& row : rows) {
    SqlAnswer answer;
    answer.error_number = row.error_number;
    const auto session = MakeSession(
        {{"SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM `d`.`t` LIMIT 0", answer}});
    EXPECT_THAT(session->FindClosedReason({"d", "t", ""}), IsOkAndHolds(row.reason))
        << row.error_number;
  }
}

TEST_F(ServerSessionTest, FlushWritesTheLogUnlessTheServerLeavesThatToItsClock) {
  const struct {
    const char* setting;
    bool writes;
  } rows[] = {{"0", false}, {"1", true}, {"2", true}, {"3", true}};
  for (const auto& row : rows) {
    const auto session =
        MakeSession({{"SELECT @@GLOBAL.innodb_flush_log_at_trx_commit", SqlRows({{row.setting}})}});
    EXPECT_THAT(session->DoesFlushWriteLog(), IsOkAndHolds(row.writes)) << row.setting;
  }
}

TEST(ServerSessionSetUpTest, NeverReconnectsOrTimesOut) {
  ScriptLog log;
  const auto session = ServerSession::Create(std::make_unique<ScriptedSqlClient>(
      std::vector<ScriptedStatement>{{"SET SESSION wait_timeout=2147483*", {}},
                                     {"SET SESSION wsrep_sync_wait=0", {}}},
      log));
  EXPECT_THAT(session, IsOk());
  EXPECT_THAT(log.statements.front(), HasSubstr("max_statement_time=0"));
}

}  // namespace
}  // namespace hbk::server
