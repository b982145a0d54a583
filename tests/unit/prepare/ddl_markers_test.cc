#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "file_moves.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::ElementsAre;
using testing::FaultKind;
using testing::FaultyFileSystem;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using ::testing::Pair;
using testing::StatusIs;

class DdlMarkersTest : public ::testing::Test {
 protected:
  DdlMarkersTest() { set_.dir = "/b"; }

  MemFileSystem fs_;
  BackupSet set_;
};

TEST_F(DdlMarkersTest, OrdinaryFilesAreNoMarkers) {
  fs_.PutFile("/b/db/t.ibd", "table");
  fs_.PutFile("/b/db/t.frm", "definition");
  fs_.PutFile("/b/t.del", "not in a database");

  EXPECT_THAT(HasDdlMarkers(fs_, set_), IsOkAndHolds(false));
}

TEST_F(DdlMarkersTest, EachKindOfMarkerCounts) {
  for (const std::string name : {"t.del", "t.ren", "t.new", "t.ibd.hbk-renaming"}) {
    MemFileSystem fs;
    fs.PutFile("/b/db/" + name, "");

    EXPECT_THAT(HasDdlMarkers(fs, set_), IsOkAndHolds(true)) << name;
  }
}

TEST_F(DdlMarkersTest, DroppedTableGoesWithItsMarker) {
  fs_.PutFile("/b/db/t.ibd", "dropped");
  fs_.PutFile("/b/db/t.del", "");
  fs_.PutFile("/b/db/u.ibd", "stays");
  fs_.PutFile("/b/db/v.ibd.del", "");  // there was no time to copy v

  ASSERT_THAT(ApplyDdlMarkers(fs_, set_), IsOk());
  fs_.Crash(0);

  EXPECT_THAT(fs_.Tree("/b"), ElementsAre(Pair("/b/db/u.ibd", "stays")));
}

TEST_F(DdlMarkersTest, RenamedTableGoesToAnotherDatabase) {
  fs_.PutFile("/b/db/t.ibd", "table");
  fs_.PutFile("/b/db/t.ren", "other/u.ibd\n");

  ASSERT_THAT(ApplyDdlMarkers(fs_, set_), IsOk());
  fs_.Crash(0);

  EXPECT_THAT(fs_.Tree("/b"), ElementsAre(Pair("/b/other/u.ibd", "table")));
}

TEST_F(DdlMarkersTest, CompleteCopyReplacesTheFile) {
  fs_.PutFile("/b/db/t.ibd", "half a copy");
  fs_.PutFile("/b/db/t.new", "complete");
  fs_.PutFile("/b/db/u.ibd.new", "made while copying");

  ASSERT_THAT(ApplyDdlMarkers(fs_, set_), IsOk());

  EXPECT_THAT(fs_.Tree("/b"), ElementsAre(Pair("/b/db/t.ibd", "complete"),
                                          Pair("/b/db/u.ibd", "made while copying")));
}

TEST_F(DdlMarkersTest, NewTableTakesTheNameOfARenamedOne) {
  fs_.PutFile("/b/db/t.ibd", "old");
  fs_.PutFile("/b/db/t.ren", "db/t_old");
  fs_.PutFile("/b/db/t.new", "new");

  ASSERT_THAT(ApplyDdlMarkers(fs_, set_), IsOk());

  EXPECT_THAT(fs_.Tree("/b"),
              ElementsAre(Pair("/b/db/t.ibd", "new"), Pair("/b/db/t_old.ibd", "old")));
}

// The next run finds what the killed one left, and ends it.
TEST_F(DdlMarkersTest, SwapThatWasCutOffAnywhereCanBeEnded) {
  for (uint64_t k = 1;; ++k) {
    MemFileSystem fs;
    fs.PutFile("/b/db/x.ibd", "x");
    fs.PutFile("/b/db/y.ibd", "y");
    fs.PutFile("/b/db/x.ren", "db/y");
    fs.PutFile("/b/db/y.ren", "db/x");
    FaultyFileSystem faulty(fs);
    faulty.Arm(FaultKind::kCrash, k);
    (void)ApplyDdlMarkers(faulty, set_).ok();

    ASSERT_THAT(ApplyDdlMarkers(fs, set_), IsOk()) << k;

    ASSERT_THAT(fs.Tree("/b"), ElementsAre(Pair("/b/db/x.ibd", "y"), Pair("/b/db/y.ibd", "x")))
        << k;
    if (!faulty.has_fired()) {
      EXPECT_GT(k, 6U);
      break;
    }
  }
}

TEST_F(DdlMarkersTest, NewNameOutsideTheBackupIsRefused) {
  for (const std::string name : {"../../etc/passwd", "t", "", "/db/t.ibd", "a/b/t.ibd"}) {
    MemFileSystem fs;
    fs.PutFile("/b/db/t.ibd", "table");
    fs.PutFile("/b/db/t.ren", name);

    EXPECT_THAT(ApplyDdlMarkers(fs, set_),
                StatusIs(StatusCode::kCorruption, HasSubstr("/b/db/t.ren")))
        << name;
    EXPECT_EQ(fs.Contents("/b/db/t.ibd"), "table") << name;
  }
}

TEST_F(DdlMarkersTest, RenameOverAnotherTableIsRefused) {
  fs_.PutFile("/b/db/t.ibd", "table");
  fs_.PutFile("/b/db/t.ren", "db/u");
  fs_.PutFile("/b/db/u.ibd", "in the way");

  EXPECT_THAT(ApplyDdlMarkers(fs_, set_),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/db/u.ibd")));
  EXPECT_EQ(fs_.Contents("/b/db/u.ibd"), "in the way");
}

}  // namespace
}  // namespace hbk::prepare
