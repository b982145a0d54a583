#include "scratch_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::drill {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class ScratchPlaceTest : public ::testing::Test {
 protected:
  ScratchPlaceTest() {
    fs_.PutDirectory("/backup/monday");
    fs_.PutDirectory("/tmp");
  }
  Result<std::unique_ptr<ScratchPlace>> Make(const std::string& dir, bool is_kept = false) {
    return ScratchPlace::Make(fs_, {.dir = dir, .backups = {"/backup/monday"}, .is_kept = is_kept});
  }

  MemFileSystem fs_;
};

TEST_F(ScratchPlaceTest, NothingIsLeftOfIt) {
  {
    const auto place = Make("/backup/monday.drill");
    ASSERT_THAT(place, IsOk());
    fs_.PutFile((*place)->data_dir() + "/db/t.ibd", "rows");
    fs_.PutFile((*place)->error_log(), "lines");
    fs_.PutSymlink((*place)->dir() + "/link", "/backup/monday");
  }

  EXPECT_THAT(io::Exists(fs_, "/backup/monday.drill"), IsOkAndHolds(false));
  EXPECT_THAT(io::Exists(fs_, "/backup/monday"), IsOkAndHolds(true));
}

TEST_F(ScratchPlaceTest, OneThatIsKeptStays) {
  { ASSERT_THAT(Make("/backup/monday.drill", /*is_kept=*/true), IsOk()); }

  EXPECT_THAT(io::Exists(fs_, "/backup/monday.drill/tmp"), IsOkAndHolds(true));
}

TEST_F(ScratchPlaceTest, WhatIsThereIsNotTaken) {
  fs_.PutFile("/backup/monday.drill/precious", "bytes");

  EXPECT_THAT(Make("/backup/monday.drill").status(),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("it holds precious")));
  EXPECT_EQ(fs_.Contents("/backup/monday.drill/precious"), "bytes");
}

TEST_F(ScratchPlaceTest, ItIsNeverInABackup) {
  EXPECT_THAT(Make("/backup/monday/scratch").status(),
              StatusIs(StatusCode::kUsage, HasSubstr("lies inside, the backup /backup/monday")));
  EXPECT_THAT(Make("/backup/monday").status(), StatusIs(StatusCode::kUsage, HasSubstr("backup")));
}

TEST_F(ScratchPlaceTest, TheSocketOfALongPathIsBelowTmp) {
  const std::string dir = "/" + std::string(60, 'a') + "/" + std::string(60, 'b');
  std::string socket;
  {
    const auto place = Make(dir);
    ASSERT_THAT(place, IsOk());
    socket = (*place)->socket_path();

    EXPECT_LE(socket.size(), 107U);
    EXPECT_THAT(socket, HasSubstr("/tmp/hbk-drill-"));
    const auto info = fs_.Stat(io::DirName(socket), /*follow=*/false);
    ASSERT_THAT(info, IsOk());
    EXPECT_EQ(info->mode, 0700U);
    EXPECT_EQ((*place)->writable().size(), 2U);
  }
  EXPECT_THAT(io::Exists(fs_, io::DirName(socket)), IsOkAndHolds(false));
}

TEST_F(ScratchPlaceTest, AShortPathHoldsTheSocketItself) {
  const auto place = Make("/backup/monday.drill");
  ASSERT_THAT(place, IsOk());

  EXPECT_EQ((*place)->socket_path(), "/backup/monday.drill/server.sock");
  EXPECT_EQ((*place)->writable(), std::vector<std::string>{"/backup/monday.drill"});
}

}  // namespace
}  // namespace hbk::drill
