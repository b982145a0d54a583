#include "posix_whole_sync.h"

#include <string>

#include <sys/vfs.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using hbk::testing::TemporaryDirectory;
using ::testing::_;

TEST(PosixWholeSyncTest, SyncsWhatItsKindCan) {
  const TemporaryDirectory directory;
  struct statfs kind {};
  ASSERT_EQ(statfs(directory.path().c_str(), &kind), 0);
  WriteBehindQueue queue;
  const auto sync = BeginPosixWholeSync(directory.path(), queue);
  ASSERT_THAT(sync, IsOk());
  // ext4: the kernels that tests run on tell of errors.
  if (kind.f_type == 0xEF53) {
    ASSERT_NE(*sync, nullptr);
  }
  if (*sync == nullptr) GTEST_SKIP() << "not on this file system, or kernel";
  ASSERT_THAT(WriteNewFile(PosixFileSystem(), directory.path() + "/f", "bytes", 0600), IsOk());

  EXPECT_THAT((*sync)->Sync(), IsOk());
}

TEST(PosixWholeSyncTest, IsNotThereForOtherKindsOfFileSystems) {
  WriteBehindQueue queue;
  const auto sync = BeginPosixWholeSync("/proc", queue);

  ASSERT_THAT(sync, IsOk());
  EXPECT_EQ(*sync, nullptr);
}

TEST(PosixWholeSyncTest, AMissingDirectoryIsAnError) {
  WriteBehindQueue queue;
  EXPECT_THAT(BeginPosixWholeSync("/nowhere/at/all", queue), StatusIs(StatusCode::kNotFound, _));
}

}  // namespace
}  // namespace hbk::io
