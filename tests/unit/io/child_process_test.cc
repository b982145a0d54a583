#include "hbk/io/child_process.h"

#include <chrono>
#include <cstdlib>
#include <stop_token>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::io {
namespace {

using hbk::testing::StatusIs;
using ::testing::HasSubstr;

Result<ChildResult> Shell(const std::string& command,
                          const std::vector<std::string>& arguments = {},
                          const ChildLimits& limits = {}) {
  return RunShellCommand(command, arguments, limits, {});
}

TEST(ChildProcessTest, OutputsAndExitCodeAreTaken) {
  const Result<ChildResult> result = Shell("sh -c 'echo out; echo err >&2; exit 7'");

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->out.Reveal(), "out\n");
  EXPECT_EQ(result->err, "err\n");
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->signal_number, 0);
}

TEST(ChildProcessTest, ArgumentsFollowTheCommandUnchanged) {
  const Result<ChildResult> result = Shell("printf '<%s>' first", {"a b", "$(echo c);\"'"});

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->out.Reveal(), "<first><a b><$(echo c);\"'>");
}

TEST(ChildProcessTest, InputIsEmpty) {
  const Result<ChildResult> result = Shell("cat; echo end");

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->out.Reveal(), "end\n");
}

TEST(ChildProcessTest, WithoutArgumentsNothingNeedBeAbleToFollow) {
  const Result<ChildResult> result = Shell("if true; then echo yes; fi");

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->out.Reveal(), "yes\n");
}

TEST(ChildProcessTest, TheEnvironmentIsInheritedAndAddedTo) {
  ASSERT_EQ(setenv("HBK_TEST_OLD", "old", 1), 0);
  ASSERT_EQ(setenv("HBK_TEST_BOTH", "old", 1), 0);
  ChildLimits limits;
  limits.environment = {"HBK_TEST_BOTH=new", "HBK_TEST_NEW=a=b\nc"};

  const Result<ChildResult> result =
      Shell("printf '%s,%s,%s' \"$HBK_TEST_OLD\" \"$HBK_TEST_BOTH\" \"$HBK_TEST_NEW\"", {}, limits);

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->out.Reveal(), "old,new,a=b\nc");
}

TEST(ChildProcessTest, WhatNobodyWantsMayBeLong) {
  ChildLimits limits;
  limits.discards_stdout = true;

  const Result<ChildResult> result = Shell("head -c 1000000 /dev/zero; exit 3", {}, limits);

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_TRUE(result->out.empty());
}

TEST(ChildProcessTest, ASignalIsSeen) {
  const Result<ChildResult> result = Shell("kill -9 $$; true");

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->signal_number, 9);
}

TEST(ChildProcessTest, AMissingProgramIsExitCode127) {
  const Result<ChildResult> result = Shell("/nowhere/no-such-program");

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->exit_code, 127);
}

TEST(ChildProcessTest, AHangingCommandIsKilledWithItsChildren) {
  ChildLimits limits;
  limits.timeout_ms = 100;
  const auto begin = std::chrono::steady_clock::now();

  EXPECT_THAT(Shell("sleep 100; echo", {}, limits),
              StatusIs(StatusCode::kFailed, HasSubstr("did not end within")));

  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(ChildProcessTest, AStopEndsTheWait) {
  std::stop_source stop;
  stop.request_stop();

  EXPECT_THAT(RunShellCommand("sleep 100; echo", {}, {}, stop.get_token()),
              StatusIs(StatusCode::kInterrupted, HasSubstr("")));
}

TEST(ChildProcessTest, AnEndlessPrinterIsStopped) {
  EXPECT_THAT(Shell("sh -c 'while :; do echo 0123456789; done'"),
              StatusIs(StatusCode::kFailed, HasSubstr("prints more than 4096 bytes")));
}

TEST(ChildProcessTest, OnlyTheBeginningOfErrorsIsKept) {
  const Result<ChildResult> result =
      Shell("sh -c 'i=0; while [ $i -lt 9999 ]; do echo 0123456789; i=$((i+1)); done >&2'");

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->err.size(), ChildLimits().stderr_bytes_kept);
}

TEST(ChildProcessTest, AProcessLeftBehindIsNotWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();

  const Result<ChildResult> result = Shell("sh -c 'sleep 3 & echo key'");

  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->out.Reveal(), "key\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace hbk::io
