#include "hbk/server/backup_stage.h"

#include <memory>
#include <utility>
#include <vector>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::server {
namespace {

using hbk::testing::IsOk;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupStageTest : public ::testing::Test {
 protected:
  // A ladder whose set-up has been said; `script` is what follows.
  std::unique_ptr<BackupStageLadder> MakeLadder(std::vector<ScriptedStatement> script) {
    std::vector<ScriptedStatement> whole = {
        {"SET SESSION wait_timeout=*", {}},
        {"SET SESSION wsrep_sync_wait=0", SqlError(1193, "Unknown system variable")},
        {"SELECT CONNECTION_ID()", SqlRows({{"42"}})},
    };
    whole.insert(whole.end(), script.begin(), script.end());
    auto ladder =
        BackupStageLadder::Create(std::make_unique<ScriptedSqlClient>(std::move(whole), log_), 7,
                                  [this](uint64_t id) { killed_.push_back(id); });
    EXPECT_THAT(ladder, IsOk());
    return std::move(ladder).value();
  }

  ScriptLog log_;
  std::vector<uint64_t> killed_;
};

TEST_F(BackupStageTest, SetsTheLockWaitTimeout) {
  const auto ladder = MakeLadder({});
  EXPECT_THAT(log_.statements.front(), HasSubstr("lock_wait_timeout=7"));
  EXPECT_EQ(ladder->connection_id(), 42U);
}

TEST_F(BackupStageTest, ClimbsAllStagesAndVerifiesBeforeTheEnd) {
  const auto ladder = MakeLadder({{"BACKUP STAGE START", {}},
                                  {"BACKUP STAGE FLUSH", {}},
                                  {"BACKUP STAGE BLOCK_DDL", {}},
                                  {"BACKUP STAGE BLOCK_COMMIT", {}},
                                  {"SELECT CONNECTION_ID()", SqlRows({{"42"}})},
                                  {"BACKUP STAGE END", {}}});

  for (const BackupStage stage : {BackupStage::kStart, BackupStage::kFlush, BackupStage::kBlockDdl,
                                  BackupStage::kBlockCommit})
    EXPECT_THAT(ladder->Begin(stage, {}), IsOk());
  EXPECT_THAT(ladder->End(), IsOk());

  EXPECT_EQ(ladder->times().size(), 4U);
  EXPECT_EQ(ladder->times()[2].stage, BackupStage::kBlockDdl);
}

TEST_F(BackupStageTest, EndIsSaidWhenTheLadderIsDropped) {
  {
    const auto ladder = MakeLadder({{"BACKUP STAGE START", {}}, {"BACKUP STAGE END", {}}});
    EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}), IsOk());
  }
  EXPECT_EQ(log_.statements.back(), "BACKUP STAGE END");
  EXPECT_TRUE(log_.is_closed);
}

TEST_F(BackupStageTest, NothingIsEndedThatWasNotBegun) {
  {
    const auto ladder =
        MakeLadder({{"BACKUP STAGE START", SqlError(1205, "Lock wait timeout exceeded")}});
    EXPECT_FALSE(ladder->Begin(BackupStage::kStart, {}).ok());
    EXPECT_THAT(ladder->End(), IsOk());
  }
  EXPECT_EQ(log_.statements.back(), "BACKUP STAGE START");
}

TEST_F(BackupStageTest, TimeoutNamesTheStageAndWhatItWaitsFor) {
  const auto ladder = MakeLadder({{"BACKUP STAGE START", {}},
                                  {"BACKUP STAGE FLUSH", {}},
                                  {"BACKUP STAGE BLOCK_DDL", SqlError(1205, "Lock wait timeout")},
                                  {"BACKUP STAGE END", {}}});
  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}), IsOk());
  EXPECT_THAT(ladder->Begin(BackupStage::kFlush, {}), IsOk());

  const Status status = ladder->Begin(BackupStage::kBlockDdl, {});

  EXPECT_THAT(status, StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("BACKUP STAGE BLOCK_DDL")));
  EXPECT_THAT(status.hint(), HasSubstr("long write to a table"));
  EXPECT_THAT(killed_, IsEmpty());  // The session is still in FLUSH: END releases it.
}

// Where it waits in a circle with others, the server lets it give way; seen on 10.11 under DDL.
TEST_F(BackupStageTest, DeadlockCanBeTriedAgain) {
  const auto ladder = MakeLadder({{"BACKUP STAGE START", {}},
                                  {"BACKUP STAGE FLUSH", {}},
                                  {"BACKUP STAGE BLOCK_DDL", SqlError(1213, "Deadlock found")},
                                  {"BACKUP STAGE BLOCK_DDL", {}},
                                  {"BACKUP STAGE END", {}}});
  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}), IsOk());
  EXPECT_THAT(ladder->Begin(BackupStage::kFlush, {}), IsOk());

  const Status status = ladder->Begin(BackupStage::kBlockDdl, {});

  EXPECT_THAT(status, StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("Deadlock found")));
  EXPECT_TRUE(ladder->can_retry());
  EXPECT_THAT(ladder->Begin(BackupStage::kBlockDdl, {}), IsOk());
}

TEST_F(BackupStageTest, InterruptedWaitKillsTheConnection) {
  const auto ladder =
      MakeLadder({{"BACKUP STAGE START", SqlError(kErrorInterrupted, "interrupted")}});

  const Status status = ladder->Begin(BackupStage::kStart, {});

  EXPECT_THAT(status, StatusIs(StatusCode::kInterrupted, HasSubstr("interrupted")));
  EXPECT_THAT(killed_, ElementsAre(42));
}

TEST_F(BackupStageTest, ServerThatDoesNotAnswerInTimeIsALockWaitTimeout) {
  const auto ladder = MakeLadder({{"BACKUP STAGE START", SqlError(kErrorBoundReached, "bound")}});

  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}),
              StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("within 7 s")));
  EXPECT_THAT(killed_, ElementsAre(42));
  EXPECT_FALSE(ladder->can_retry());
}

TEST_F(BackupStageTest, TimedOutStageIsTriedAgainFromTheStageBefore) {
  const auto ladder = MakeLadder({{"BACKUP STAGE START", {}},
                                  {"BACKUP STAGE FLUSH", {}},
                                  {"BACKUP STAGE BLOCK_DDL", SqlError(1205, "Lock wait timeout")},
                                  {"SET SESSION lock_wait_timeout=2", {}},
                                  {"BACKUP STAGE BLOCK_DDL", {}},
                                  {"BACKUP STAGE END", {}}});
  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}), IsOk());
  EXPECT_THAT(ladder->Begin(BackupStage::kFlush, {}), IsOk());
  EXPECT_FALSE(ladder->Begin(BackupStage::kBlockDdl, {}).ok());

  EXPECT_TRUE(ladder->can_retry());
  EXPECT_THAT(ladder->Begin(BackupStage::kBlockDdl, {.wait_s = 2}), IsOk());
  EXPECT_EQ(ladder->times().size(), 3U);
}

TEST_F(BackupStageTest, ShorterWaitIsNamed) {
  const auto ladder = MakeLadder({{"SET SESSION lock_wait_timeout=2", {}},
                                  {"BACKUP STAGE START", SqlError(1205, "Lock wait timeout")}});
  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {.wait_s = 2}),
              StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("within 2 s")));
}

TEST_F(BackupStageTest, LostConnectionIsFoundByVerify) {
  const auto ladder = MakeLadder(
      {{"BACKUP STAGE START", {}}, {"SELECT CONNECTION_ID()", SqlError(2006, "gone away")}});
  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}), IsOk());

  const Status status = ladder->Verify();

  EXPECT_THAT(status, StatusIs(StatusCode::kConnectionLost, HasSubstr("START still holds")));
  EXPECT_THAT(status.hint(), HasSubstr("run the backup again"));
}

TEST_F(BackupStageTest, AnotherConnectionIdIsALostStage) {
  const auto ladder =
      MakeLadder({{"BACKUP STAGE START", {}}, {"SELECT CONNECTION_ID()", SqlRows({{"43"}})}});
  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}), IsOk());

  EXPECT_THAT(ladder->End(), StatusIs(StatusCode::kConnectionLost, HasSubstr("another")));
}

TEST_F(BackupStageTest, KilledStatementIsALostConnection) {
  const auto ladder =
      MakeLadder({{"BACKUP STAGE START", SqlError(1317, "Query execution was interrupted")}});

  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}),
              StatusIs(StatusCode::kConnectionLost, HasSubstr("killed")));
}

TEST_F(BackupStageTest, MissingPrivilegeIsSaid) {
  const auto ladder = MakeLadder({{"BACKUP STAGE START", SqlError(1227, "Access denied; RELOAD")}});

  EXPECT_THAT(ladder->Begin(BackupStage::kStart, {}),
              StatusIs(StatusCode::kMissingPrivilege, HasSubstr("RELOAD")));
}

TEST(BackupStageLadderTest, OtherFailureOfTheSetUpIsAnError) {
  ScriptLog log;
  const auto ladder = BackupStageLadder::Create(
      std::make_unique<ScriptedSqlClient>(
          std::vector<ScriptedStatement>{{"SET SESSION wait_timeout=*", SqlError(2013, "lost")}},
          log),
      60, [](uint64_t) {});
  EXPECT_THAT(ladder, StatusIs(StatusCode::kConnectionLost, HasSubstr("setting up")));
}

}  // namespace
}  // namespace hbk::server
