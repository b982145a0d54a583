#include "stage_blockers.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using server::BackupStage;
using server::ListedSession;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Locks = std::vector<server::HeldBackupLock>;

ListedSession Running(uint64_t id, std::string statement, std::string state = "Sending data") {
  return {.id = id,
          .query_id = id + 100,
          .user = "app",
          .host = "localhost",
          .command = "Query",
          .time_ms = 12'000,
          .state = std::move(state),
          .statement = std::move(statement)};
}

ListedSession Idle(uint64_t id, uint64_t time_ms) {
  ListedSession session = Running(id, "", "");
  session.command = "Sleep";
  session.time_ms = time_ms;
  return session;
}

std::vector<uint64_t> Ids(const std::vector<StageBlocker>& blockers) {
  std::vector<uint64_t> ids;
  for (const StageBlocker& blocker : blockers)
    ids.push_back(blocker.session.id);
  return ids;
}

std::vector<uint64_t> Find(const ServerView& view, const StageWaitFacts& facts) {
  return Ids(FindBlockers(view, facts));
}

StageBlocker Guess(const ListedSession& session) {
  return {.session = session, .kind = ClassifyStatement(session.statement), .lock_modes = {}};
}

TEST(ClassifyStatementTest, TheFirstWordsTell) {
  const std::pair<std::string_view, StatementKind> cases[] = {
      {"", StatementKind::kNone},
      {"select 1", StatementKind::kSelect},
      {" (SELECT 1) UNION (SELECT 2)", StatementKind::kSelect},
      {"WITH x AS (SELECT 1) SELECT * FROM x", StatementKind::kSelect},
      {"insert into t values(1)", StatementKind::kWrite},
      {"/* from a pool */ UPDATE t SET a=1", StatementKind::kWrite},
      {"-- note\nDELETE FROM t", StatementKind::kWrite},
      {"LOAD DATA INFILE 'x' INTO TABLE t", StatementKind::kWrite},
      {"SET STATEMENT max_statement_time=9 FOR INSERT INTO t VALUES(1)", StatementKind::kWrite},
      {"ALTER TABLE t FORCE", StatementKind::kDdl},
      {"create or replace table t(a int)", StatementKind::kDdl},
      {"CREATE TEMPORARY TABLE t(a int)", StatementKind::kOther},
      {"DROP USER u", StatementKind::kOther},
      {"DROP TABLE t", StatementKind::kDdl},
      {"LOCK TABLES t WRITE", StatementKind::kDdl},
      {"SET @a=1", StatementKind::kOther},
      {"CALL p()", StatementKind::kOther},
      {"/* never closed", StatementKind::kNone},
      {"{}", StatementKind::kOther},
  };
  for (const auto& [text, kind] : cases)
    EXPECT_EQ(ClassifyStatement(text), kind) << text;
}

TEST(ShownStatementTest, IsCutAfterAHundredCharactersNotBytes) {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "\xc3\xa4";
  EXPECT_EQ(ShownStatement(text), text);
  EXPECT_EQ(ShownStatement(text + "b"), text + "...");
}

TEST(ShownStatementTest, ControlCharactersAreHarmless) {
  EXPECT_EQ(ShownStatement("SELECT\n\t'\x1b[2J'"), "SELECT  '?[2J'");
}

TEST(ShownStatementTest, PasswordsAreNotShown) {
  EXPECT_EQ(ShownStatement("CREATE USER u Identified BY 'secret'"), "CREATE USER u Identified...");
  EXPECT_EQ(ShownStatement("CHANGE MASTER TO master_password='secret'"),
            "CHANGE MASTER TO master_password...");
}

TEST(FindBlockersTest, LockListSaysWhoItIs) {
  ServerView view;
  view.sessions = {Running(1, "ALTER TABLE t FORCE", "copy to tmp table"), Idle(2, 3'000),
                   Running(3, "DROP TABLE t", "Waiting for table metadata lock"),
                   Running(4, "INSERT INTO m SELECT 1")};
  view.locks = Locks{{1, "BACKUP_ALTER_COPY"}, {2, "BACKUP_DDL"}, {4, "BACKUP_DML"}};

  const auto blockers = FindBlockers(view, {.stage = BackupStage::kStart, .waited_ms = 1000});

  ASSERT_THAT(Ids(blockers), ElementsAre(2));
  EXPECT_TRUE(blockers[0].is_certain());
  EXPECT_THAT(Find(view, {.stage = BackupStage::kBlockDdl}), ElementsAre(4, 2));
}

TEST(FindBlockersTest, LockListWithoutBlockersIsBelieved) {
  ServerView view;
  view.sessions = {Running(3, "DROP TABLE t", "Waiting for table metadata lock"), Idle(2, 9'000)};
  view.locks.emplace();
  EXPECT_THAT(Find(view, {.stage = BackupStage::kStart, .waited_ms = 1000}), IsEmpty());
}

TEST(FindBlockersTest, OwnSessionsAreNone) {
  ServerView view;
  view.sessions = {Idle(7, 9'000), Idle(8, 9'000)};
  view.locks = Locks{{7, "BACKUP_START"}, {8, "BACKUP_START"}};
  EXPECT_THAT(Find(view, {.stage = BackupStage::kStart, .own_ids = {7}}), ElementsAre(8));
}

TEST(FindBlockersTest, LongSelectIsNeverInTheWay) {
  ServerView view;
  view.sessions = {Running(1, "SELECT SLEEP(1000)")};
  for (const BackupStage stage : {BackupStage::kStart, BackupStage::kFlush, BackupStage::kBlockDdl,
                                  BackupStage::kBlockCommit})
    EXPECT_THAT(Find(view, {.stage = stage, .waited_ms = 5'000}), IsEmpty());
}

TEST(FindBlockersTest, DdlIsAGuessUnlessItCopiesOrIsHeldUpItself) {
  ServerView view;
  view.sessions = {Running(1, "ALTER TABLE t FORCE", "copy to tmp table"),
                   Running(2, "ALTER TABLE t ADD INDEX(a)", "altering table"),
                   Running(3, "CREATE TABLE u(a INT)", "Waiting for backup lock"),
                   Running(4, "ALTER TABLE t FORCE", "Waiting for table metadata lock"),
                   Running(5, "CREATE TABLE v SELECT * FROM t", "Sending data")};
  for (const BackupStage stage : {BackupStage::kStart, BackupStage::kBlockDdl})
    EXPECT_THAT(Find(view, {.stage = stage}), ElementsAre(4, 5));
}

TEST(FindBlockersTest, OnOldServersStartWaitsForNoDdl) {
  ServerView view;
  view.sessions = {Running(5, "CREATE TABLE v SELECT * FROM t")};
  EXPECT_THAT(Find(view, {.stage = BackupStage::kStart, .start_waits_for_ddl = false}), IsEmpty());
  view.locks = Locks{{5, "BACKUP_DDL"}};
  EXPECT_THAT(Find(view, {.stage = BackupStage::kStart, .start_waits_for_ddl = false}), IsEmpty());
}

TEST(FindBlockersTest, WriterIsAGuessIfItBeganBeforeFlushAndChangesNoInnodbRows) {
  ServerView view;
  view.sessions = {Running(1, "INSERT INTO m SELECT 1"), Running(2, "UPDATE i SET a=1"),
                   Running(3, "INSERT INTO m VALUES(1)")};
  view.sessions[2].time_ms = 2'000;
  view.innodb_writers = {2};
  EXPECT_THAT(Find(view, {.stage = BackupStage::kBlockDdl, .flush_held_ms = 5'000}),
              ElementsAre(1));
}

TEST(FindBlockersTest, SessionsIdleAllTheTimeAreAGuessWhereNoStatementIs) {
  ServerView view;
  view.sessions = {Idle(1, 500), Idle(2, 60'000), Running(3, "DROP TABLE t"), Idle(4, 9'000)};
  view.sessions[3].user = "system user";
  EXPECT_THAT(Find(view, {.stage = BackupStage::kStart, .waited_ms = 1'000}), ElementsAre(3));
  std::erase_if(view.sessions, [](const ListedSession& session) { return session.id == 3; });
  EXPECT_THAT(Find(view, {.stage = BackupStage::kStart, .waited_ms = 1'000}), ElementsAre(2));
  // Before an attempt nobody is known to wait.
  EXPECT_THAT(Find(view, {.stage = BackupStage::kStart}), IsEmpty());
}

TEST(MayKillTest, TypeDecides) {
  const StageBlocker select{.session = Running(1, "SELECT f()"),
                            .kind = StatementKind::kSelect,
                            .lock_modes = {"BACKUP_DML"}};
  const StageBlocker write = Guess(Running(2, "INSERT INTO m SELECT 1"));
  const StageBlocker ddl = Guess(Running(3, "DROP TABLE t"));
  const BackupStage stage = BackupStage::kBlockDdl;
  EXPECT_TRUE(MayKill(select, stage, KillQueryType::kSelect));
  EXPECT_FALSE(MayKill(select, stage, KillQueryType::kUpdate));
  EXPECT_FALSE(MayKill(write, stage, KillQueryType::kSelect));
  for (const StageBlocker& blocker : {write, ddl}) {
    EXPECT_TRUE(MayKill(blocker, stage, KillQueryType::kUpdate));
    EXPECT_TRUE(MayKill(blocker, stage, KillQueryType::kAll));
  }
}

TEST(MayKillTest, ServerAndReplicationAreLeftAlone) {
  StageBlocker blocker = Guess(Running(1, "INSERT INTO m SELECT 1"));
  blocker.lock_modes = {"BACKUP_DML"};
  for (const char* const command :
       {"Slave_SQL", "Slave_worker", "Binlog Dump", "Daemon", "Sleep"}) {
    blocker.session.command = command;
    EXPECT_FALSE(MayKill(blocker, BackupStage::kBlockDdl, KillQueryType::kAll)) << command;
  }
  blocker.session.command = "Query";
  blocker.session.user = "system user";
  EXPECT_FALSE(MayKill(blocker, BackupStage::kBlockDdl, KillQueryType::kAll));
}

TEST(MayKillTest, GuessThatWaitsItselfIsLeftAlone) {
  StageBlocker blocker = Guess(Running(1, "DROP TABLE t", "Waiting for table metadata lock"));
  EXPECT_FALSE(MayKill(blocker, BackupStage::kStart, KillQueryType::kAll));
  blocker.lock_modes = {"BACKUP_DDL"};
  EXPECT_TRUE(MayKill(blocker, BackupStage::kStart, KillQueryType::kAll));
}

TEST(MayKillTest, GuessUnderBlockCommitIsLeftAlone) {
  EXPECT_FALSE(MayKill(Guess(Running(1, "INSERT INTO i VALUES(1)")), BackupStage::kBlockCommit,
                       KillQueryType::kAll));
}

TEST(DescribeBlockerTest, SaysWhoSinceWhenAndWhat) {
  EXPECT_EQ(DescribeBlocker(Guess(Running(7, "DROP TABLE t"))),
            "session 7 of app@localhost (12 s, Sending data: DROP TABLE t)");
  StageBlocker idle = Guess(Idle(8, 90'400));
  EXPECT_EQ(DescribeBlocker(idle), "session 8 of app@localhost (90 s, idle)");
  idle.lock_modes = {"BACKUP_DDL", "BACKUP_DML"};
  EXPECT_EQ(DescribeBlocker(idle),
            "session 8 of app@localhost (90 s, idle, holds BACKUP_DDL and BACKUP_DML)");
}

TEST(StartWaitsForDdlTest, GatesOfTheSeries) {
  for (const server::ServerVersion version : {server::ServerVersion{10, 11, 8},
                                              {11, 0, 6},
                                              {11, 1, 5},
                                              {11, 2, 4},
                                              {11, 4, 2},
                                              {12, 0, 1}})
    EXPECT_TRUE(StartWaitsForDdl(version)) << version.minor << "." << version.patch;
  for (const server::ServerVersion version :
       {server::ServerVersion{10, 5, 29}, {10, 6, 21}, {10, 11, 7}, {11, 3, 9}, {11, 4, 1}})
    EXPECT_FALSE(StartWaitsForDdl(version)) << version.minor << "." << version.patch;
}

TEST(LookAtServerTest, AsksForLocksTransactionsAndSessions) {
  ScriptLog log;
  auto session = server::ServerSession::Create(std::make_unique<ScriptedSqlClient>(
      std::vector<ScriptedStatement>{
          {"SET SESSION *", {}},
          {"SET SESSION wsrep_sync_wait=0", {}},
          {"SELECT t.PROCESSLIST_ID*", SqlError(1142, "denied")},
          {"SELECT THREAD_ID*", SqlRows({{"4", "MDL_BACKUP_DDL"}})},
          {"SELECT trx_mysql_thread_id*", SqlRows({{"9"}})},
          {"SELECT ID,*",
           SqlRows({{"4", "14", "app", "localhost", "Sleep", "1234.567", "", std::nullopt}})}},
      log));
  ASSERT_THAT(session, IsOk());

  const auto view = LookAtServer(**session);

  ASSERT_THAT(view, IsOk());
  ASSERT_TRUE(view->locks.has_value());
  EXPECT_EQ(view->locks->at(0).mode, "BACKUP_DDL");
  EXPECT_THAT(view->innodb_writers, ElementsAre(9));
  ASSERT_EQ(view->sessions.size(), 1U);
  EXPECT_EQ(view->sessions[0].time_ms, 1234U);
  EXPECT_EQ(view->sessions[0].query_id, 14U);
}

}  // namespace
}  // namespace hbk::backup
