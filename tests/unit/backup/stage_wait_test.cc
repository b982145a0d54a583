#include "stage_wait.h"

#include <deque>
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
using hbk::testing::StatusIs;
using server::BackupStage;
using server::ListedSession;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class InfoReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view /*name*/, const report::Facts& /*facts*/) override {}
  void Progress(uint64_t /*done_bytes*/, uint64_t /*total_bytes*/) override {}
  void Info(std::string_view message, const report::Facts& /*facts*/) override {
    lines.emplace_back(message);
  }
  void Warning(std::string_view /*message*/, const report::Facts& /*facts*/) override {}
  void Finish(const Status& /*status*/, const report::Facts& /*facts*/) override {}
  [[nodiscard]] uint64_t warning_count() const override { return 0; }

  std::vector<std::string> lines;
};

ListedSession Writer(uint64_t id) {
  return {.id = id,
          .query_id = id + 100,
          .user = "app",
          .host = "localhost",
          .command = "Query",
          .time_ms = 40'000,
          .state = "Sending data",
          .statement = "DROP TABLE t"};
}

// A server on a clock of its own: a stage is granted once `free_after` has passed.
class StageWaitTest : public ::testing::Test {
 protected:
  StageWait MakeWait(const LockWaitOptions& options) {
    StageWaitPorts ports;
    ports.begin = [this, options](BackupStage stage, const server::StageAttempt& attempt) {
      return Answer(stage, attempt, attempt.wait_s.value_or(options.timeout_s));
    };
    ports.can_retry = [this] {
      return can_retry_;
    };
    ports.look = [this]() -> Result<ServerView> {
      ++look_count_;
      ServerView view;
      if (clock_ < free_after_) view.sessions = sessions_;
      return view;
    };
    ports.kill = [this](uint64_t query_id) -> Result<bool> {
      killed_.push_back(query_id);
      if (kill_works_) free_after_ = {};
      return true;
    };
    ports.check = [this] {
      return clock_ < bad_after_ ? OkStatus() : Status(StatusCode::kRedoOverrun, "overrun");
    };
    ports.now = [this] {
      return std::chrono::steady_clock::time_point() + seconds(1000) + clock_;
    };
    ports.pause = [this](milliseconds duration, const std::stop_token& /*stop*/) {
      clock_ += duration;
      paused_ += duration;
    };
    return StageWait(std::move(ports), options, /*start_waits_for_ddl=*/true, {1, 2}, reporter_);
  }

  Status Answer(BackupStage stage, const server::StageAttempt& attempt, uint32_t wait_s) {
    attempts_.push_back(wait_s);
    const milliseconds until = clock_ + seconds(wait_s);
    while (clock_ < free_after_) {
      if (clock_ >= until) {
        return Status(StatusCode::kLockWaitTimeout, server::BackupStageStatement(stage) +
                                                        " was not granted within " +
                                                        std::to_string(wait_s) + " s")
            .WithHint("a general hint");
      }
      clock_ += milliseconds(100);
      attempt.meanwhile();
      if (attempt.stop.stop_requested()) return InterruptedError();
    }
    return OkStatus();
  }

  milliseconds clock_{0};
  milliseconds free_after_{0};
  milliseconds bad_after_ = std::chrono::hours(24);
  milliseconds paused_{0};
  std::vector<ListedSession> sessions_ = {Writer(7)};
  bool can_retry_ = true;
  bool kill_works_ = true;
  int look_count_ = 0;
  std::vector<uint32_t> attempts_;
  std::vector<uint64_t> killed_;
  InfoReporter reporter_;
};

TEST_F(StageWaitTest, StageThatIsFreeIsTakenWithoutAWord) {
  StageWait wait = MakeWait({});
  EXPECT_THAT(wait.Begin(BackupStage::kStart, {}), IsOk());
  EXPECT_THAT(reporter_.lines, IsEmpty());
  EXPECT_EQ(look_count_, 0);
}

TEST_F(StageWaitTest, WhoHoldsItUpIsSaidOnce) {
  free_after_ = seconds(30);
  StageWait wait = MakeWait({});
  EXPECT_THAT(wait.Begin(BackupStage::kStart, {}), IsOk());
  EXPECT_THAT(
      reporter_.lines,
      ElementsAre("waiting for BACKUP STAGE START: held up, as far as the process list tells, "
                  "by session 7 of app@localhost (40 s, Sending data: DROP TABLE t)"));
}

TEST_F(StageWaitTest, OneAttemptWithoutRetries) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 0});

  const Status status = wait.Begin(BackupStage::kStart, {});

  EXPECT_THAT(status, StatusIs(StatusCode::kLockWaitTimeout,
                               AllOf(HasSubstr("BACKUP STAGE START was not granted within 10 s"),
                                     HasSubstr("session 7 of app@localhost"))));
  EXPECT_THAT(status.hint(), HasSubstr("KILL QUERY 7"));
  EXPECT_THAT(attempts_, ElementsAre(10));
}

TEST_F(StageWaitTest, AttemptsAndPausesEndWithTheRetryTime) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 40});

  const Status status = wait.Begin(BackupStage::kStart, {});

  EXPECT_THAT(status,
              StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("in 3 attempts within 40 s")));
  EXPECT_THAT(attempts_, ElementsAre(10, 10, 10));
  EXPECT_EQ(clock_, seconds(40));
}

TEST_F(StageWaitTest, LastAttemptIsShortened) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 33});
  EXPECT_FALSE(wait.Begin(BackupStage::kStart, {}).ok());
  EXPECT_THAT(attempts_, ElementsAre(10, 10, 3));
  EXPECT_EQ(clock_, seconds(33));
}

TEST_F(StageWaitTest, LaterAttemptSucceeds) {
  free_after_ = seconds(25);
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 300});
  EXPECT_THAT(wait.Begin(BackupStage::kStart, {}), IsOk());
  EXPECT_THAT(attempts_, SizeIs(2));
  EXPECT_THAT(reporter_.lines.back(), HasSubstr("within 10 s; trying again in 5 s"));
}

TEST_F(StageWaitTest, PausesUnderAStageAreShort) {
  free_after_ = seconds(25);
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 300});
  EXPECT_THAT(wait.Begin(BackupStage::kBlockDdl, {}), IsOk());
  EXPECT_EQ(paused_, seconds(2));
}

TEST_F(StageWaitTest, LostConnectionIsNotTriedAgain) {
  free_after_ = seconds(3600);
  can_retry_ = false;
  StageWait wait = MakeWait({.timeout_s = 10});
  EXPECT_THAT(wait.Begin(BackupStage::kStart, {}),
              StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("START")));
  EXPECT_THAT(attempts_, SizeIs(1));
}

TEST_F(StageWaitTest, ReasonToStopEndsTheWait) {
  free_after_ = seconds(3600);
  bad_after_ = seconds(5);
  StageWait wait = MakeWait({});
  EXPECT_THAT(wait.Begin(BackupStage::kStart, {}),
              StatusIs(StatusCode::kRedoOverrun, HasSubstr("overrun")));
  EXPECT_LE(clock_, seconds(7));
}

TEST_F(StageWaitTest, StopRequestEndsTheWait) {
  free_after_ = seconds(3600);
  std::stop_source stop;
  stop.request_stop();
  StageWait wait = MakeWait({});
  EXPECT_THAT(wait.Begin(BackupStage::kStart, stop.get_token()),
              StatusIs(StatusCode::kInterrupted, HasSubstr("interrupted")));
}

TEST_F(StageWaitTest, StatementIsEndedAfterItsTimeAndOnce) {
  free_after_ = seconds(3600);
  kill_works_ = false;
  StageWait wait = MakeWait(
      {.timeout_s = 10, .retry_time_s = 0, .kill_after_s = 5, .kill_type = KillQueryType::kUpdate});
  EXPECT_FALSE(wait.Begin(BackupStage::kStart, {}).ok());
  EXPECT_THAT(killed_, ElementsAre(107));
  EXPECT_THAT(reporter_.lines.back(), HasSubstr("ended the statement of session 7"));
}

TEST_F(StageWaitTest, EndedStatementMakesWay) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.kill_after_s = 5, .kill_type = KillQueryType::kAll});
  EXPECT_THAT(wait.Begin(BackupStage::kStart, {}), IsOk());
  EXPECT_LE(clock_, seconds(7));
}

TEST_F(StageWaitTest, StatementOfAnotherTypeIsLeftAlone) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 0, .kill_after_s = 5});

  const Status status = wait.Begin(BackupStage::kStart, {});

  EXPECT_THAT(killed_, IsEmpty());
  EXPECT_THAT(status.hint(), HasSubstr("--kill-long-query-type=select left it alone"));
}

TEST_F(StageWaitTest, NothingIsEndedUnlessAskedFor) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.timeout_s = 10, .kill_type = KillQueryType::kAll});
  EXPECT_FALSE(wait.Begin(BackupStage::kStart, {}).ok());
  EXPECT_THAT(killed_, IsEmpty());
}

TEST_F(StageWaitTest, ThresholdHoldsTheAttemptBack) {
  free_after_ = seconds(20);
  StageWait wait = MakeWait({.threshold_s = 30});
  EXPECT_THAT(wait.Begin(BackupStage::kFlush, {}), IsOk());
  EXPECT_EQ(paused_, seconds(20));
  EXPECT_THAT(reporter_.lines, SizeIs(1));
}

TEST_F(StageWaitTest, YoungerStatementsDoNotHoldItBack) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.timeout_s = 1, .retry_time_s = 0, .threshold_s = 50});
  EXPECT_FALSE(wait.Begin(BackupStage::kStart, {}).ok());
  EXPECT_THAT(attempts_, SizeIs(1));
}

TEST_F(StageWaitTest, ThresholdThatNeverComesIsNoAttempt) {
  free_after_ = seconds(3600);
  StageWait wait = MakeWait({.retry_time_s = 60, .threshold_s = 30});

  const Status status = wait.Begin(BackupStage::kStart, {});

  EXPECT_THAT(status, StatusIs(StatusCode::kLockWaitTimeout,
                               AllOf(HasSubstr("was not asked for"), HasSubstr("session 7"))));
  EXPECT_THAT(status.hint(), HasSubstr("--lock-wait-threshold"));
  EXPECT_THAT(attempts_, IsEmpty());
}

TEST_F(StageWaitTest, UnderBlockDdlNothingIsHeldBack) {
  free_after_ = seconds(5);
  StageWait wait = MakeWait({.threshold_s = 30});
  EXPECT_THAT(wait.Begin(BackupStage::kBlockCommit, {}), IsOk());
  EXPECT_EQ(paused_, seconds(0));
}

TEST_F(StageWaitTest, WithoutAnybodyToNameTheGeneralHintIsKept) {
  free_after_ = seconds(3600);
  sessions_.clear();
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 0});
  EXPECT_EQ(wait.Begin(BackupStage::kStart, {}).hint(), "a general hint");
}

TEST_F(StageWaitTest, IdleSessionsAreNamedAsADoubt) {
  free_after_ = seconds(3600);
  sessions_[0].command = "Sleep";
  sessions_[0].statement = "";
  StageWait wait = MakeWait({.timeout_s = 10, .retry_time_s = 0});
  const Status status = wait.Begin(BackupStage::kStart, {});

  EXPECT_THAT(status, StatusIs(StatusCode::kLockWaitTimeout,
                               HasSubstr("perhaps one of these idle sessions")));
  EXPECT_THAT(status.hint(), HasSubstr("find out which session it is"));
}

TEST(StageWaitPortsTest, SpeakToLadderAndSession) {
  ScriptLog ladder_log;
  ScriptLog session_log;
  auto ladder = server::BackupStageLadder::Create(
      std::make_unique<ScriptedSqlClient>(
          std::vector<ScriptedStatement>{{"SET SESSION wait_timeout=*", {}},
                                         {"SET SESSION wsrep_sync_wait=0", {}},
                                         {"SELECT CONNECTION_ID()", hbk::testing::SqlRows({{"4"}})},
                                         {"BACKUP STAGE START", {}},
                                         {"BACKUP STAGE END", {}}},
          ladder_log),
      60, [](uint64_t) {});
  ASSERT_THAT(ladder, IsOk());
  auto session = server::ServerSession::Create(std::make_unique<ScriptedSqlClient>(
      std::vector<ScriptedStatement>{
          {"SET SESSION *", {}}, {"SET SESSION wsrep_sync_wait=0", {}}, {"KILL QUERY ID 9", {}}},
      session_log));
  ASSERT_THAT(session, IsOk());
  const StageWaitPorts ports = MakeStageWaitPorts(**ladder, **session, [] { return OkStatus(); });

  EXPECT_THAT(ports.begin(BackupStage::kStart, {}), IsOk());
  EXPECT_TRUE(ports.can_retry());
  EXPECT_THAT(ports.kill(9), hbk::testing::IsOkAndHolds(true));
}

}  // namespace
}  // namespace hbk::backup
