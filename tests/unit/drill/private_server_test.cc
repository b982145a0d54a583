// With scripts in the place of a server: they end, crash or stay silent. One that answers is in
// tests/integration/drill_test.cc.
#include "private_server.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::drill {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using hbk::testing::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PrivateServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<PrivateServer> Start(const std::string& script, uint32_t start_timeout_s = 20) {
    const std::string program = dir_.path() + "/mariadbd";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    auto server =
        PrivateServer::Start(io::PosixFileSystem(), {.program = program,
                                                     .config_path = dir_.path() + "/server.cnf",
                                                     .config = Secret("[mariadbd]\n"),
                                                     .socket = dir_.path() + "/server.sock",
                                                     .error_log = dir_.path() + "/error.log",
                                                     .writable = {dir_.path()},
                                                     .start_timeout_s = start_timeout_s,
                                                     .answer_timeout_s = 20});
    HBK_CHECK(server.ok());
    return std::move(*server);
  }

  void AwaitFirstWord() {
    while (TailOf(io::PosixFileSystem(), dir_.path() + "/error.log", 1000).empty())
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  TemporaryDirectory dir_;
};

TEST_F(PrivateServerTest, OneThatEndsAtItsStartIsToldWithItsExitCode) {
  const auto server = Start("echo '[ERROR] no such key' >&2; exit 7");

  EXPECT_THAT(server->AwaitAnswer({}),
              StatusIs(StatusCode::kDrillFailed,
                       HasSubstr("the server ended with exit code 7 before it answered")));
  EXPECT_THAT(TailOf(io::PosixFileSystem(), dir_.path() + "/error.log", 1000),
              HasSubstr("no such key"));
}

TEST_F(PrivateServerTest, ACrashIsToldWithItsSignal) {
  const auto server = Start("kill -SEGV $$");

  EXPECT_THAT(server->AwaitAnswer({}), StatusIs(StatusCode::kDrillFailed, HasSubstr("signal 11")));
}

TEST_F(PrivateServerTest, OneThatStaysSilentIsGivenUp) {
  const auto server = Start("exec sleep 1000", /*start_timeout_s=*/1);

  EXPECT_THAT(server->AwaitAnswer({}),
              StatusIs(StatusCode::kDrillFailed, HasSubstr("did not answer within 1 s")));
  server->Kill();
  EXPECT_TRUE(server->HowItEnded().has_value());
}

TEST_F(PrivateServerTest, AStopIsHeardWhileItStarts) {
  const auto server = Start("exec sleep 1000");
  std::stop_source stop;
  stop.request_stop();

  EXPECT_EQ(server->AwaitAnswer(stop.get_token()).code(), StatusCode::kInterrupted);
}

TEST_F(PrivateServerTest, AShutdownThatGoesWrongIsToldApartFromAGoodOne) {
  const auto good = Start("trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done");
  AwaitFirstWord();
  EXPECT_THAT(good->Stop(), IsOk());

  std::filesystem::remove(dir_.path() + "/server.cnf");
  std::filesystem::remove(dir_.path() + "/error.log");
  const auto bad = Start("trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done");
  AwaitFirstWord();
  EXPECT_THAT(bad->Stop(), StatusIs(StatusCode::kDrillFailed, HasSubstr("exit code 5")));
}

TEST_F(PrivateServerTest, ALostConnectionIsExplainedByTheEndOfTheServer) {
  const auto server = Start("kill -ABRT $$");

  EXPECT_THAT(server->Explain(Status(StatusCode::kConnectionLost, "CHECK TABLE `a`.`t`: lost")),
              StatusIs(StatusCode::kDrillFailed,
                       AllOf(HasSubstr("signal 6"), HasSubstr("CHECK TABLE `a`.`t`"))));
  EXPECT_EQ(server->Explain(FailedError("other")).code(), StatusCode::kFailed);
}

TEST(ErrorLogTest, TheTailBeginsWithALine) {
  MemFileSystem fs;
  fs.PutFile("/log", "first line\nsecond\nthird\n");

  EXPECT_EQ(TailOf(fs, "/log", 10), "third\n");
  EXPECT_EQ(TailOf(fs, "/log", 1000), "first line\nsecond\nthird\n");
  EXPECT_EQ(TailOf(fs, "/none", 10), "");
}

TEST(ErrorLogTest, DumpsOfPagesAreLeftOut) {
  EXPECT_EQ(
      WithoutPageDumps("1 [Note] InnoDB: a\n1 [Note] InnoDB: " + std::string(64, 'a') + "\nb"),
      "1 [Note] InnoDB: a\nb\n");
}

TEST(ErrorLogTest, ErrorsAreListedOnceEach) {
  EXPECT_THAT(ErrorLines("2026-01-31 16:55:30 0 [Note] fine\n"
                         "2026-01-31 16:55:31 0 [ERROR] InnoDB: broken\n"
                         "2026-01-31 16:55:32 0 [ERROR] InnoDB: broken\n"
                         "2026-01-31 16:55:33 0 [ERROR] other",
                         20),
              ElementsAre("InnoDB: broken", "other"));
  EXPECT_THAT(ErrorLines("[Warning] x\n", 20), IsEmpty());
  EXPECT_THAT(ErrorLines("[ERROR] a\n[ERROR] b\n", 1), ElementsAre("a"));
}

}  // namespace
}  // namespace hbk::drill
