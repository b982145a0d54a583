// The clock of the wall jumps by weeks, forth and back, again and again, while hbk works: what it
// makes is as good as ever, and no wait is longer or shorter for it.

#include <chrono>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/process.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::HasSubstr;

constexpr milliseconds kLimit{60'000};

class ClockJumpTest : public ::testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch.status(), IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(*scratch));
    auto server = Mariadbd::Start({.base_dir = Sub("server"), .extra = {"--log-bin=binlog"}});
    ASSERT_THAT(server.status(), IsOk());
    server_ = std::move(*server);
    Execute({"CREATE DATABASE d", "USE d", "CREATE TABLE d.t (i INT PRIMARY KEY, s TEXT)",
             "CREATE TABLE d.m (i INT) ENGINE=MyISAM", "INSERT INTO d.m VALUES (1)",
             "INSERT INTO d.t SELECT seq, REPEAT('x', 500) FROM seq_1_to_2000"});
  }

  [[nodiscard]] std::string Sub(const std::string& name) const { return scratch_->Sub(name); }
  void Execute(const std::vector<std::string>& statements) {
    auto client = server_->Connect();
    ASSERT_THAT(client.status(), IsOk());
    for (const std::string& statement : statements)
      ASSERT_THAT(client->Execute(statement), IsOk());
  }

  [[nodiscard]] ProcessOptions JumpingClock() const {
    return {.output_path = Sub("out"),
            .environment = {"LD_PRELOAD=" HBK_JUMPING_CLOCK,
                            "HBK_CLOCK_JUMP=" + std::to_string(GetParam()), "HBK_CLOCK_EVERY=3"}};
  }
  // Each line begins with a date: without the library all would have the same.
  static void ExpectJumps(const std::string& output) {
    std::set<std::string> days;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("20")) days.insert(line.substr(0, 10));
    EXPECT_GT(days.size(), 1U) << "the clock did not jump:\n" << output;
  }
  void Run(const std::vector<std::string>& argv) {
    const auto end = RunProcess(argv, JumpingClock(), kLimit);
    ASSERT_THAT(end.status(), IsOk());
    ASSERT_TRUE(end->succeeded()) << end->Describe();
    EXPECT_THAT(end->output, HasSubstr("completed OK!"));
    ExpectJumps(end->output);
  }
  [[nodiscard]] std::vector<std::string> Backup(const std::string& target,
                                                std::vector<std::string> more = {}) const {
    return BackupCommand(BackupTool::kHbk, {.socket_path = server_->socket_path(),
                                            .target_dir = Sub(target),
                                            .extra = std::move(more)});
  }

  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
};

TEST_P(ClockJumpTest, AChainIsRestoredWithAllItsRows) {
  Run(Backup("base"));
  Execute({"UPDATE d.t SET s = REPEAT('y', 500) WHERE i % 7 = 0", "INSERT INTO d.m VALUES (2)"});
  Run(Backup("increment", {"--incremental-basedir=" + Sub("base"), "--trust-file-times"}));
  Run(PrepareCommand(BackupTool::kHbk, Sub("base"), {"--incremental-dir=" + Sub("increment")}));
  ASSERT_THAT(MakeDirectory(Sub("restored/data")), IsOk());
  Run(CopyBackCommand(BackupTool::kHbk, Sub("base"), Sub("restored/data")));

  const auto restored =
      Mariadbd::Start({.base_dir = Sub("restored"), .has_data = true, .server_id = 2});
  ASSERT_THAT(restored.status(), IsOk());
  auto expected = server_->Connect();
  auto actual = (*restored)->Connect();
  ASSERT_THAT(expected.status(), IsOk());
  ASSERT_THAT(actual.status(), IsOk());
  EXPECT_THAT(CompareTables(*expected, *actual), IsOk());
}

// Its timeout of 30 s is not over when three seconds have passed, whatever the clock says.
TEST_P(ClockJumpTest, ALockIsWaitedForAsLongAsWasSaid) {
  auto blocker = server_->Connect();
  ASSERT_THAT(blocker.status(), IsOk());
  ASSERT_THAT(blocker->Execute("LOCK TABLES d.m WRITE"), IsOk());
  const auto process = Process::Start(
      Backup("base", {"--lock-wait-timeout=30", "--lock-retry-time=0"}), JumpingClock());
  ASSERT_THAT(process.status(), IsOk());
  EXPECT_FALSE((*process)->HasEndedWithin(milliseconds(3000)));
  ASSERT_THAT(blocker->Execute("UNLOCK TABLES"), IsOk());
  const ProcessEnd end = (*process)->Wait(kLimit);
  EXPECT_TRUE(end.succeeded()) << end.Describe();
  ExpectJumps(end.output);
}

// One of one second is over after about that.
TEST_P(ClockJumpTest, AndNotLonger) {
  auto blocker = server_->Connect();
  ASSERT_THAT(blocker.status(), IsOk());
  ASSERT_THAT(blocker->Execute("LOCK TABLES d.m WRITE"), IsOk());
  const auto end = RunProcess(Backup("base", {"--lock-wait-timeout=1", "--lock-retry-time=0"}),
                              JumpingClock(), kLimit);
  ASSERT_THAT(end.status(), IsOk());
  EXPECT_EQ(end->exit_code, 16) << end->Describe();
}

INSTANTIATE_TEST_SUITE_P(Weeks, ClockJumpTest, ::testing::Values(40 * 86400, -40 * 86400),
                         [](const auto& jump) { return jump.param > 0 ? "Forth" : "Back"; });

}  // namespace
}  // namespace hbk::testing
