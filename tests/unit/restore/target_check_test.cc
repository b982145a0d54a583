#include "target_check.h"

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

class TargetCheckTest : public ::testing::Test {
 protected:
  TargetCheckTest() {
    PutSampleBackup(fs_);
    options_.datadir = "/d";
    options_.innodb_data_file_path = "ibdata1:1M:autoextend";
  }

  datadir::Layout Layout() { return datadir::MakeLayout(options_).value(); }
  RestoreSource Source() { return OpenRestoreSource(fs_, "/b").value(); }
  RestorePlan Plan() { return MakeRestorePlan(fs_, Source(), Layout(), {}).value(); }

  MemFileSystem fs_;
  datadir::LayoutOptions options_;
};

TEST_F(TargetCheckTest, AbsentAndEmptyRootsAreFine) {
  options_.innodb_undo_directory = "undo/deep";
  EXPECT_THAT(CheckRootsEmpty(fs_, Layout()), IsOk());

  fs_.PutDirectory("/d/lost+found");
  fs_.PutDirectory("/d/undo/deep");
  EXPECT_THAT(CheckRootsEmpty(fs_, Layout()), IsOk());
}

TEST_F(TargetCheckTest, WhateverIsInARootIsInTheWay) {
  options_.innodb_undo_directory = "/undo";
  fs_.PutFile("/undo/.hidden", "x");
  EXPECT_THAT(CheckRootsEmpty(fs_, Layout()),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/undo is not empty")));

  fs_.PutFile("/d/stray/x", "x");
  EXPECT_THAT(CheckRootsEmpty(fs_, Layout()),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("(stray)")));
}

TEST_F(TargetCheckTest, AFileOnTheWayToARootIsInTheWay) {
  options_.innodb_undo_directory = "a/undo";
  fs_.PutFile("/d/a/stray", "x");

  EXPECT_THAT(CheckRootsEmpty(fs_, Layout()),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/d/a is not empty")));
}

TEST_F(TargetCheckTest, AServerOnTheTargetIsSeen) {
  options_.innodb_data_home_dir = "/innodb";
  options_.aria_log_dir_path = "/aria";
  EXPECT_THAT(CheckNotInUse(fs_, Source(), Layout()), IsOk());

  fs_.PutFile("/aria/aria_log_control", "x");
  fs_.SetLockHolder("/aria/aria_log_control", 4711);
  EXPECT_THAT(CheckNotInUse(fs_, Source(), Layout()),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("4711")));
  fs_.SetLockHolder("/aria/aria_log_control", 0);

  fs_.PutFile("/innodb/ibdata1", "x");
  fs_.SetLockHolder("/innodb/ibdata1", 4712);
  EXPECT_THAT(CheckNotInUse(fs_, Source(), Layout()),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/innodb/ibdata1")));
}

TEST_F(TargetCheckTest, AServerOnTheBackupIsSeen) {
  fs_.SetLockHolder("/b/ibdata1", 4711);

  EXPECT_THAT(CheckNotInUse(fs_, Source(), Layout()),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/b/ibdata1")));
}

TEST_F(TargetCheckTest, BackupAndTargetAreApart) {
  for (const char* datadir : {"/b", "/b/data", "/"}) {
    options_.datadir = datadir;
    EXPECT_THAT(CheckNotInUse(fs_, Source(), Layout()),
                StatusIs(StatusCode::kUsage, HasSubstr("lie in each other")))
        << datadir;
  }
  options_.datadir = "/b2";
  EXPECT_THAT(CheckNotInUse(fs_, Source(), Layout()), IsOk());
}

TEST_F(TargetCheckTest, NoFileIsOverwritten) {
  EXPECT_THAT(CheckNothingInTheWay(fs_, Plan()), IsOk());

  fs_.PutSymlink("/d/shop/t.frm", "/nowhere");
  EXPECT_THAT(CheckNothingInTheWay(fs_, Plan()),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/d/shop/t.frm exists")));
}

TEST_F(TargetCheckTest, EveryFileSystemNeedsRoom) {
  EXPECT_THAT(CheckSpace(fs_, Plan(), /*move=*/false), IsOk());

  fs_.SetFreeBytes(60000);
  EXPECT_THAT(CheckSpace(fs_, Plan(), /*move=*/false),
              StatusIs(StatusCode::kNoSpace, HasSubstr("/ has 60000 bytes free")));
  EXPECT_THAT(CheckSpace(fs_, Plan(), /*move=*/true), IsOk());
}

TEST_F(TargetCheckTest, AFileInPlaceOfADirectoryIsInTheWay) {
  fs_.PutFile("/d", "x");

  EXPECT_THAT(CheckSpace(fs_, Plan(), /*move=*/false),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/d is not a directory")));
}

TEST_F(TargetCheckTest, TheNearestExistingDirectoryIsFound) {
  fs_.PutDirectory("/x/y");

  EXPECT_THAT(NearestExisting(fs_, "/x/y/z/w"), IsOkAndHolds(std::string("/x/y")));
  EXPECT_THAT(NearestExisting(fs_, "/x/y"), IsOkAndHolds(std::string("/x/y")));
  EXPECT_THAT(NearestExisting(fs_, "/nothing"), IsOkAndHolds(std::string("/")));
}

}  // namespace
}  // namespace hbk::restore
