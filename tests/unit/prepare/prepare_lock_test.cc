#include "prepare_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr const char* kLockPath = "/b/hbk_prepare.lock";

class PrepareLockTest : public ::testing::Test {
 protected:
  PrepareLockTest() { fs_.PutDirectory("/b"); }

  MemFileSystem fs_;
};

TEST_F(PrepareLockTest, SecondPrepareIsRefusedWhileTheFirstRuns) {
  auto first = PrepareLock::Take(fs_, "/b");
  ASSERT_THAT(first, IsOk());

  EXPECT_THAT(PrepareLock::Take(fs_, "/b"),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("another prepare works on /b")));

  first->reset();
  EXPECT_THAT(PrepareLock::Take(fs_, "/b"), IsOk());
}

TEST_F(PrepareLockTest, RefusedPrepareLeavesTheLockToItsHolder) {
  const auto first = PrepareLock::Take(fs_, "/b");
  ASSERT_THAT(first, IsOk());
  (void)PrepareLock::Take(fs_, "/b").ok();

  EXPECT_THAT(io::Exists(fs_, kLockPath), IsOkAndHolds(true));
}

TEST_F(PrepareLockTest, FileIsGoneIfNothingWasChanged) {
  {
    const auto lock = PrepareLock::Take(fs_, "/b");
    ASSERT_THAT(lock, IsOk());
    EXPECT_FALSE((*lock)->was_interrupted());
    EXPECT_THAT(io::Exists(fs_, kLockPath), IsOkAndHolds(true));
  }

  EXPECT_THAT(io::Exists(fs_, kLockPath), IsOkAndHolds(false));
}

TEST_F(PrepareLockTest, PowerCutAfterTheFirstChangeIsKnownToTheNextRun) {
  auto lock = PrepareLock::Take(fs_, "/b");
  ASSERT_THAT(lock, IsOk());
  ASSERT_THAT((*lock)->BeginChanges(), IsOk());

  fs_.Crash(0);

  const auto next = PrepareLock::Take(fs_, "/b");
  ASSERT_THAT(next, IsOk());
  EXPECT_TRUE((*next)->was_interrupted());
}

TEST_F(PrepareLockTest, RunThatFailedAfterTheFirstChangeIsKnownToTheNextOnes) {
  {
    const auto lock = PrepareLock::Take(fs_, "/b");
    ASSERT_THAT(lock, IsOk());
    ASSERT_THAT((*lock)->BeginChanges(), IsOk());
  }
  for (int run = 0; run < 2; ++run) {
    // Neither of these comes to a change of its own.
    const auto next = PrepareLock::Take(fs_, "/b");
    ASSERT_THAT(next, IsOk());
    EXPECT_TRUE((*next)->was_interrupted()) << run;
  }
}

TEST_F(PrepareLockTest, FinishedRunLeavesNoTraceEvenAfterAPowerCut) {
  {
    const auto lock = PrepareLock::Take(fs_, "/b");
    ASSERT_THAT(lock, IsOk());
    ASSERT_THAT((*lock)->BeginChanges(), IsOk());
    ASSERT_THAT((*lock)->Finish(), IsOk());
  }
  fs_.Crash(0);

  EXPECT_TRUE(fs_.Tree("/b").empty());
}

TEST_F(PrepareLockTest, EmptyFileOfAKilledRunSaysNothing) {
  fs_.PutFile(kLockPath, "");

  const auto lock = PrepareLock::Take(fs_, "/b");

  ASSERT_THAT(lock, IsOk());
  EXPECT_FALSE((*lock)->was_interrupted());
}

TEST(CheckNoServerTest, ServerThatHasTheSystemTablespaceIsNamed) {
  MemFileSystem fs;
  fs.PutFile("/b/ibdata1", "");
  BackupSet set;
  set.dir = "/b";
  set.system_files = {"ibdata1"};
  EXPECT_THAT(CheckNoServer(fs, set), IsOk());

  fs.SetLockHolder("/b/ibdata1", 4711);

  EXPECT_THAT(CheckNoServer(fs, set), StatusIs(StatusCode::kTargetInUse, HasSubstr("4711")));
}

TEST(CheckNoServerTest, MissingSystemTablespaceHasNoServer) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  BackupSet set;
  set.dir = "/b";
  set.system_files = {"ibdata1"};

  EXPECT_THAT(CheckNoServer(fs, set), IsOk());
}

}  // namespace
}  // namespace hbk::prepare
