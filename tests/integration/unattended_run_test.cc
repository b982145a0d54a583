// What a backup leaves behind for whoever did not watch it: nothing on stderr, a log, metrics, and
// a command for failures; on success, on failures, and when a signal ends it.

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/process.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class UnattendedRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch.status(), IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(*scratch));
    auto server = Mariadbd::Start({.base_dir = scratch_->Sub("server")});
    ASSERT_THAT(server.status(), IsOk());
    server_ = std::move(*server);
  }

  [[nodiscard]] std::string Sub(const std::string& name) const { return scratch_->Sub(name); }
  std::string Read(const std::string& name) {
    const auto text = ReadWholeFile(Sub(name));
    EXPECT_THAT(text.status(), IsOk());
    return text.ok() ? *text : "";
  }
  [[nodiscard]] bool IsThere(const std::string& name) const {
    return std::filesystem::exists(Sub(name));
  }

  [[nodiscard]] std::vector<std::string> Command(const std::string& target,
                                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> argv = BackupCommand(
        BackupTool::kHbk, {.socket_path = server_->socket_path(), .target_dir = Sub(target)});
    for (const std::string& each :
         {std::string("--quiet"), "--log-file=" + Sub("log"), "--metrics-file=" + Sub("hbk.prom"),
          "--on-failure=echo \"$HBK_COMMAND,$HBK_EXIT_CODE,$HBK_TARGET_DIR,$HBK_MESSAGE\" >> " +
              Sub("failed")})
      argv.push_back(each);
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  ProcessEnd RunHbk(const std::vector<std::string>& argv) {
    auto end = RunProcess(argv, {.output_path = Sub("out")});
    EXPECT_THAT(end.status(), IsOk());
    return end.ok() ? *end : ProcessEnd();
  }

  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
};

// The value behind a metric's labels; empty if it is not there.
std::string MetricOf(const std::string& text, const std::string& name) {
  const size_t at = text.find("\n" + name);
  if (at == std::string::npos) return {};
  const size_t end = text.find('\n', at + 1);
  const std::string line = text.substr(at + 1, end - at - 1);
  return line.substr(line.rfind(' ') + 1);
}

TEST_F(UnattendedRunTest, ASuccessSaysNothingAndIsOnRecord) {
  const ProcessEnd end = RunHbk(Command("b"));

  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  EXPECT_EQ(end.output, "");
  EXPECT_FALSE(IsThere("failed"));
  EXPECT_THAT(Read("log"), AllOf(StartsWith("20"), HasSubstr(" hbk 0."),
                                 HasSubstr(" copy innodb files"), EndsWith(" completed OK!\n")));
  EXPECT_EQ(std::filesystem::status(Sub("log")).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(std::filesystem::status(Sub("hbk.prom")).permissions(), std::filesystem::perms(0644));
  const std::string metrics = Read("hbk.prom");
  EXPECT_EQ(MetricOf(metrics, "hbk_last_run_exit_code{command=\"backup\",name=\"hbk\"}"), "0");
  EXPECT_EQ(MetricOf(metrics, "hbk_last_success_timestamp_seconds{"),
            MetricOf(metrics, "hbk_last_run_timestamp_seconds{"));
  for (const char* name : {"hbk_last_run_files{", "hbk_last_run_bytes{", "hbk_backup_stored_bytes{",
                           "hbk_backup_redo_margin_bytes{", "hbk_backup_redo_margin_ratio{",
                           "hbk_backup_last_lsn{", "hbk_last_run_duration_seconds{"}) {
    EXPECT_GT(std::stod("0" + MetricOf(metrics, name)), 0) << name << "\n" << metrics;
  }
  for (const char* stage : {"start", "flush", "block-ddl", "block-commit"}) {
    EXPECT_THAT(metrics, HasSubstr("hbk_backup_stage_held_seconds{command=\"backup\",name=\"hbk\","
                                   "stage=\"" +
                                   std::string(stage) + "\"} "));
  }
}

TEST_F(UnattendedRunTest, FailuresAreOneLineEverywhereAndKeepTheLastSuccess) {
  ASSERT_EQ(RunHbk(Command("b")).exit_code, 0);
  const std::string success = MetricOf(Read("hbk.prom"), "hbk_last_success_timestamp_seconds{");
  auto client = server_->Connect();
  ASSERT_THAT(client.status(), IsOk());
  ASSERT_THAT(client->Execute("CREATE USER other@localhost IDENTIFIED BY 'right'"), IsOk());

  const ProcessEnd password = RunHbk(Command("c", {"--user=other", "--password=s3cret"}));
  EXPECT_EQ(password.exit_code, 15) << password.Describe();
  EXPECT_THAT(password.output,
              AllOf(MatchesRegex("error: [^\n]*denied[^\n]*\n"), Not(HasSubstr("s3cret"))));
  EXPECT_EQ(MetricOf(Read("hbk.prom"), "hbk_last_run_exit_code{"), "15");
  EXPECT_THAT(Read("failed"), StartsWith("backup,15," + Sub("c") + ","));

  const ProcessEnd in_use = RunHbk(Command("b"));
  EXPECT_EQ(in_use.exit_code, 21) << in_use.Describe();
  const std::string metrics = Read("hbk.prom");
  EXPECT_EQ(MetricOf(metrics, "hbk_last_run_exit_code{"), "21");
  EXPECT_EQ(MetricOf(metrics, "hbk_last_success_timestamp_seconds{"), success);
  EXPECT_EQ(MetricOf(metrics, "hbk_last_run_files{"), "");
  EXPECT_THAT(Read("failed"), HasSubstr("\nbackup,21," + Sub("b") + ","));
  const std::string log = Read("log");
  EXPECT_THAT(
      log, AllOf(HasSubstr(" completed OK!\n"), HasSubstr(" error: "), HasSubstr("--password=..."),
                 HasSubstr("--on-failure=..."), Not(HasSubstr("s3cret"))));
}

TEST_F(UnattendedRunTest, ASignalIsAFailureLikeOthers) {
  auto client = server_->Connect();
  ASSERT_THAT(client.status(), IsOk());
  ASSERT_THAT(client->Execute("CREATE DATABASE shop"), IsOk());
  ASSERT_THAT(client->Execute("CREATE TABLE shop.t (a LONGBLOB) ENGINE=InnoDB"), IsOk());
  for (int i = 0; i < 3; ++i)
    ASSERT_THAT(client->Execute("INSERT INTO shop.t VALUES (REPEAT('x', 10000000))"), IsOk());
  auto process = Process::Start(Command("b", {"--throttle=1", "--log-format=json"}),
                                {.output_path = Sub("out")});
  ASSERT_THAT(process.status(), IsOk());
  for (int i = 0; i < 600; ++i) {
    if ((*process)->HasEndedWithin(milliseconds(100))) break;
    if (IsThere("log") && Read("log").find("copy innodb files") != std::string::npos) break;
  }

  (*process)->Signal(SIGTERM);
  const ProcessEnd end = (*process)->Wait(milliseconds(60000));

  EXPECT_EQ(end.exit_code, 143) << end.Describe();
  EXPECT_THAT(end.output, MatchesRegex("error: [^\n]*\n"));
  EXPECT_EQ(MetricOf(Read("hbk.prom"), "hbk_last_run_exit_code{"), "143");
  EXPECT_EQ(MetricOf(Read("hbk.prom"), "hbk_last_success_timestamp_seconds{"), "");
  EXPECT_THAT(Read("failed"), StartsWith("backup,143," + Sub("b") + ","));
  EXPECT_THAT(Read("log"),
              AllOf(HasSubstr(R"("code":"interrupted")"), Not(HasSubstr(R"("event":"progress")"))));
  EXPECT_TRUE(IsThere("b/hbk_incomplete"));
}

}  // namespace
}  // namespace hbk::testing
