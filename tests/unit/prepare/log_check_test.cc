#include "hbk/prepare/log_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/prepare/prepare_runner.h"

#include "quiet_reporter.h"
#include "tests/support/chain_server.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

class LogCheckTest : public ::testing::Test {
 protected:
  LogCheckTest() {
    testing::ChainServer server(3);
    server.Work(60);
    const size_t base = server.TakeFull(fs_, "/base");
    server.Work(60);
    const size_t first = server.TakeIncrement(fs_, "/inc", base);
    server.Work(30);
    server.TakeIncrement(fs_, "/inc2", first);
  }

  testing::MemFileSystem fs_;
};

TEST_F(LogCheckTest, LogsThatReachTheirEndAreRight) {
  for (const char* dir : {"/base", "/inc", "/inc2"}) {
    const auto log = CheckBackupLog(fs_, dir, nullptr, {});
    ASSERT_THAT(log.status(), IsOk()) << dir;
    EXPECT_GE(log->end_lsn, log->needed_lsn);
  }
  EXPECT_GT(CheckBackupLog(fs_, "/base", nullptr, {})->record_count, 0U);
}

TEST_F(LogCheckTest, ALogThatEndsTooEarlyIsDamaged) {
  for (const char* dir : {"/base", "/inc"}) {
    const std::string path = std::string(dir) + "/ib_logfile0";
    std::string bytes = fs_.Contents(path);
    bytes[bytes.size() - bytes.size() / 4] ^= 1;
    fs_.PutFile(path, bytes.substr(0, bytes.size() / 2));
    EXPECT_THAT(CheckBackupLog(fs_, dir, nullptr, {}).status(),
                StatusIs(StatusCode::kCorruption, HasSubstr(path)));
    ASSERT_THAT(fs_.Remove(path), IsOk());
    EXPECT_THAT(CheckBackupLog(fs_, dir, nullptr, {}).status(),
                StatusIs(StatusCode::kCorruption, HasSubstr("is missing")));
  }
}

TEST_F(LogCheckTest, TheLogOfAPreparedBackupIsEmpty) {
  QuietReporter reporter;
  const auto prepared = RunPrepare(
      {.target_dir = "/base", .use_memory_bytes = 8 << 20, .parallel = 1}, fs_, reporter, {});
  ASSERT_THAT(prepared.status(), IsOk());

  const auto log = CheckBackupLog(fs_, "/base", nullptr, {});

  ASSERT_THAT(log.status(), IsOk());
  EXPECT_EQ(log->end_lsn, prepared->end_lsn);
  EXPECT_EQ(log->mtr_count, 0U);
}

TEST_F(LogCheckTest, IncrementsMustFollowOneAnother) {
  EXPECT_THAT(CheckChainOrder(fs_, "/base", {"/inc", "/inc2"}), IsOk());
  EXPECT_THAT(CheckChainOrder(fs_, "/base", {"/inc2"}), StatusIs(StatusCode::kChainBroken, _));
  EXPECT_THAT(CheckChainOrder(fs_, "/base", {"/inc2", "/inc"}),
              StatusIs(StatusCode::kChainBroken, _));
}

TEST_F(LogCheckTest, FilesOfAnIncrementAreReadWithEachChecksum) {
  EXPECT_THAT(CheckIncrementFiles(fs_, "/inc", 1, {}), IsOk());
  std::string bytes = fs_.Contents("/inc/ib_logfile0");
  bytes[bytes.size() / 2] ^= 1;
  fs_.PutFile("/inc/ib_logfile0", bytes);
  EXPECT_THAT(CheckIncrementFiles(fs_, "/inc", 1, {}), StatusIs(StatusCode::kCorruption, _));
}

}  // namespace
}  // namespace hbk::prepare
