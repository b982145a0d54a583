#include "moved_backup.h"

#include <gmock/gmock.h>

#include "backup_sample.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class MovedBackupTest : public ::testing::Test {
 protected:
  MovedBackupTest() {
    PutMariadbBackup(fs_, "log-applied");
    PutManifest(fs_, SampleManifest());
    fs_.PutFile("/b/xtrabackup_info", SampleFiles().at("xtrabackup_info"));
    source_ = OpenRestoreSource(fs_, "/b").value();
  }

  MemFileSystem fs_;
  RestoreSource source_;
  MovedBackup moved_;
};

TEST_F(MovedBackupTest, TheDirectoryStopsToBeABackup) {
  ASSERT_THAT(moved_.Begin(fs_, source_, "/d"), IsOk());

  EXPECT_THAT(io::Exists(fs_, "/b/hbk_manifest.json"), IsOkAndHolds(false));
  EXPECT_THAT(io::Exists(fs_, "/b/xtrabackup_checkpoints"), IsOkAndHolds(false));
  EXPECT_THAT(fs_.Contents("/b/hbk_incomplete"), HasSubstr("/d"));
  EXPECT_THAT(OpenRestoreSource(fs_, "/b"), StatusIs(StatusCode::kFailed, HasSubstr("moved")));
}

TEST_F(MovedBackupTest, UndoMakesItABackupAgain) {
  const auto before = fs_.Tree("/b");
  ASSERT_THAT(moved_.Begin(fs_, source_, "/d"), IsOk());

  ASSERT_THAT(moved_.Undo(fs_, source_), IsOk());

  EXPECT_TRUE(fs_.Tree("/b") == before);
}

TEST_F(MovedBackupTest, UndoOfNothingChangesNothing) {
  const auto before = fs_.Tree("/b");

  ASSERT_THAT(moved_.Undo(fs_, source_), IsOk());

  EXPECT_TRUE(fs_.Tree("/b") == before);
}

TEST_F(MovedBackupTest, EmptyDirectoriesGoAndOthersStay) {
  fs_.PutFile("/b/shop/unknown", "x");
  ASSERT_THAT(moved_.Begin(fs_, source_, "/d"), IsOk());

  ASSERT_THAT(moved_.RemoveLeftovers(fs_, source_, {"/b/shop/t.ibd"}), IsOk());

  EXPECT_THAT(io::Exists(fs_, "/b/empty"), IsOkAndHolds(false));
  EXPECT_THAT(io::Exists(fs_, "/b/shop/t.ibd"), IsOkAndHolds(false));
  EXPECT_THAT(io::Exists(fs_, "/b/hbk_moved_hbk_manifest.json"), IsOkAndHolds(false));
  EXPECT_EQ(fs_.Contents("/b/shop/unknown"), "x");
}

}  // namespace
}  // namespace hbk::restore
