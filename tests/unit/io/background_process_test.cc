#include "hbk/io/background_process.h"

#include <chrono>
#include <csignal>
#include <thread>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::TemporaryDirectory;
using ::testing::HasSubstr;

constexpr uint64_t kLongMs = 20000;

std::optional<ProcessEnd> WaitForEnd(BackgroundProcess& process) {
  for (int i = 0; i < 2000; ++i) {
    if (const auto end = process.HasEnded()) return end;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::nullopt;
}

class BackgroundProcessTest : public ::testing::Test {
 protected:
  BackgroundPlan Shell(const std::string& command) {
    return {.words = {"/bin/sh", "-c", command}, .output_path = dir_.path() + "/out"};
  }
  std::string Output() {
    const auto text = ReadFile(PosixFileSystem(), dir_.path() + "/out", 1 << 20);
    return text.ok() ? *text : text.status().ToString();
  }

  TemporaryDirectory dir_;
};

TEST_F(BackgroundProcessTest, WhatItPrintsIsInTheFileAndItsExitCodeIsKnown) {
  auto process = BackgroundProcess::Start(Shell("echo out; echo err >&2; exit 7"));
  ASSERT_TRUE(process.ok()) << process.status().ToString();

  const auto end = WaitForEnd(**process);

  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->ToString(), "ended with exit code 7");
  EXPECT_EQ(Output(), "out\nerr\n");
}

TEST_F(BackgroundProcessTest, ACrashIsTold) {
  auto process = BackgroundProcess::Start(Shell("kill -SEGV $$"));
  ASSERT_TRUE(process.ok());

  const auto end = WaitForEnd(**process);

  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal_number, SIGSEGV);
  EXPECT_THAT(end->ToString(), HasSubstr("signal 11 (Segmentation fault)"));
}

TEST_F(BackgroundProcessTest, AProgramThatIsNotThereIsAnError) {
  const auto process = BackgroundProcess::Start(
      {.words = {"/no/such/program"}, .output_path = dir_.path() + "/out"});

  EXPECT_THAT(process.status(), hbk::testing::StatusIs(StatusCode::kNotFound,
                                                       HasSubstr("starting /no/such/program")));
}

TEST_F(BackgroundProcessTest, StopAsksAndWaits) {
  auto process = BackgroundProcess::Start(
      Shell("trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"));
  ASSERT_TRUE(process.ok());
  while (Output() != "ready\n")
    std::this_thread::sleep_for(std::chrono::milliseconds(10));

  const auto end = (*process)->Stop(kLongMs);

  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 3);
}

TEST_F(BackgroundProcessTest, OneThatDoesNotListenIsKilledWithItsGroup) {
  auto process = BackgroundProcess::Start(
      Shell("trap '' TERM; sleep 1000 & echo $!; while :; do sleep 0.05; done"));
  ASSERT_TRUE(process.ok());
  while (Output().empty() || Output().back() != '\n')
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto of_group = static_cast<pid_t>(std::stol(Output()));

  EXPECT_FALSE((*process)->Stop(100).has_value());
  EXPECT_EQ((*process)->Kill().signal_number, SIGKILL);

  bool is_gone = false;
  for (int i = 0; i < 500 && !is_gone; ++i) {
    // An orphan that was killed may wait for somebody to reap it.
    const auto state =
        ReadFile(PosixFileSystem(), "/proc/" + std::to_string(of_group) + "/stat", 4096);
    is_gone = !state.ok() || state->find(") Z ") != std::string::npos;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(is_gone);
}

TEST_F(BackgroundProcessTest, ItIsToldNothingOfTheServiceManager) {
  setenv("NOTIFY_SOCKET", "/run/x", 1);  // NOLINT(concurrency-mt-unsafe): one thread

  auto process = BackgroundProcess::Start(Shell("echo \"[$NOTIFY_SOCKET]\""));
  unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE(WaitForEnd(**process).has_value());

  EXPECT_EQ(Output(), "[]\n");
}

TEST_F(BackgroundProcessTest, FilesOutsideOfItsDirectoriesItCannotChange) {
  if (LandlockLevel() < 2) GTEST_SKIP() << "this kernel has no Landlock";
  ASSERT_TRUE(PosixFileSystem().MakeDirectory(dir_.path() + "/in", 0700).ok());
  ASSERT_TRUE(WriteNewFile(PosixFileSystem(), dir_.path() + "/live", "live", 0600).ok());
  BackgroundPlan plan =
      Shell("cd " + dir_.path() +
            "; echo a > in/a; echo b > live; rm live; echo c > new; cat live >/dev/null");
  plan.writable = {dir_.path() + "/in"};

  auto process = BackgroundProcess::Start(plan);
  ASSERT_TRUE(process.ok()) << process.status().ToString();
  EXPECT_TRUE((*process)->is_confined());
  const auto end = WaitForEnd(**process);

  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 0) << Output();  // reading is allowed
  EXPECT_EQ(*ReadFile(PosixFileSystem(), dir_.path() + "/in/a", 100), "a\n");
  EXPECT_EQ(*ReadFile(PosixFileSystem(), dir_.path() + "/live", 100), "live");
  EXPECT_FALSE(*Exists(PosixFileSystem(), dir_.path() + "/new"));
}

}  // namespace
}  // namespace hbk::io
