#include "space_log.h"

#include <gtest/gtest.h>

#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::MtrBuilder;
using testing::StatusIs;

TEST(NameFromRedoPathTest, LastTwoComponentsAreTheName) {
  EXPECT_THAT(NameFromRedoPath("./db/t.ibd"), IsOkAndHolds("db/t.ibd"));
  EXPECT_THAT(NameFromRedoPath("db/t.ibd"), IsOkAndHolds("db/t.ibd"));
  EXPECT_THAT(NameFromRedoPath("/far/away/db/t#P#p0.ibd"), IsOkAndHolds("db/t#P#p0.ibd"));
  EXPECT_THAT(NameFromRedoPath("./db/#sql-ib24.ibd"), IsOkAndHolds("db/#sql-ib24.ibd"));
}

TEST(NameFromRedoPathTest, WhatIsNoTableIsCorruption) {
  for (const std::string_view path :
       {"", "t.ibd", "/t.ibd", "./t.ibd", "../t.ibd", "./db/../t.ibd", "./db/t", "./db/.ibd",
        "./db/a.b.ibd", "./db/", "./..db/t.ibd", "//t.ibd"}) {
    EXPECT_THAT(NameFromRedoPath(path), StatusIs(StatusCode::kCorruption, HasSubstr("names")))
        << path;
  }
  EXPECT_THAT(NameFromRedoPath(std::string_view("./db\0/t.ibd", 11)),
              StatusIs(StatusCode::kCorruption, HasSubstr("names")));
}

TEST(IsTrimmedTest, UndoTablespaceForgetsAllThatIsOlder) {
  const Trim trim{.start_lsn = 500, .page_count = 640};

  EXPECT_TRUE(IsTrimmed(trim, {3, 10}, 499));
  EXPECT_TRUE(IsTrimmed(trim, {3, 1000}, 499));
  EXPECT_FALSE(IsTrimmed(trim, {3, 10}, 500));  // the new pages follow in the same mtr
}

TEST(IsTrimmedTest, SystemTablespaceForgetsOnlyPagesCutOff) {
  const Trim trim{.start_lsn = 500, .page_count = 768};

  EXPECT_FALSE(IsTrimmed(trim, {0, 767}, 499));
  EXPECT_TRUE(IsTrimmed(trim, {0, 768}, 500));
  EXPECT_FALSE(IsTrimmed(trim, {0, 768}, 501));
}

TEST(SpaceLogsTest, TruncationOfALaterBackupTakesOnlyWhatItCutsOff) {
  SpaceLogs logs;
  logs.part_starts = {0, 400, 600};
  logs.oldest_parts[3] = 0;
  logs.trims[3] = {{.start_lsn = 500, .page_count = 640}};

  EXPECT_FALSE(logs.IsGone({3, 10}, 399));
  EXPECT_TRUE(logs.IsGone({3, 640}, 399));
  EXPECT_TRUE(logs.IsGone({3, 10}, 400));
  EXPECT_FALSE(logs.IsGone({3, 640}, 500));
  EXPECT_FALSE(logs.IsGone({3, 640}, 600));
}

TEST(SpaceLogsTest, RedoOfWhatABackupHasFirstIsOfThatBackup) {
  SpaceLogs logs;
  EXPECT_EQ(logs.PartOf(3, 1000), 0U);

  logs.part_starts = {0, 400, 600};
  logs.oldest_parts = {{3, 0}, {4, 1}};

  EXPECT_EQ(logs.PartOf(3, 399), 0U);
  EXPECT_EQ(logs.PartOf(3, 400), 1U);
  EXPECT_EQ(logs.PartOf(4, 399), 1U);
  EXPECT_EQ(logs.PartOf(4, 600), 2U);
  EXPECT_EQ(logs.PartOf(5, 100), 2U);
}

TEST(SpaceLogsTest, NameAfterADeletionIsAReturn) {
  MtrBuilder mtr;
  mtr.FileDelete(7, "./db/a.ibd");
  mtr.FileModify(7, "./db/a.ibd");
  mtr.FileDelete(8, "./db/b.ibd");
  SpaceLogs logs;
  redo::RecordReader reader(AsBytes(mtr.body()));
  redo::RedoRecord record;
  while (*reader.Next(record))
    ASSERT_THAT(logs.AddFileRecord(record, 500), testing::IsOk());

  EXPECT_TRUE(logs.spaces[7].has_returned);
  EXPECT_FALSE(logs.spaces[7].is_deleted);
  EXPECT_FALSE(logs.spaces[8].has_returned);
  EXPECT_TRUE(logs.spaces[8].is_deleted);
}

TEST(SpaceLogsTest, SecondDeletionIsTheEnd) {
  MtrBuilder mtr;
  mtr.FileDelete(7, "./db/a.ibd");
  mtr.FileModify(7, "./db/a.ibd");
  mtr.FileDelete(7, "./db/a.ibd");
  SpaceLogs logs;
  redo::RecordReader reader(AsBytes(mtr.body()));
  redo::RedoRecord record;
  while (*reader.Next(record))
    ASSERT_THAT(logs.AddFileRecord(record, 500), testing::IsOk());

  EXPECT_TRUE(logs.spaces[7].is_deleted);
  EXPECT_FALSE(logs.spaces[7].has_returned);
}

TEST(SpaceLogsTest, RedoBeforeADeletionIsGone) {
  SpaceLogs logs;
  logs.deletions[7] = 500;

  EXPECT_TRUE(logs.IsGone({7, 3}, 499));
  EXPECT_FALSE(logs.IsGone({7, 3}, 501));
  EXPECT_FALSE(logs.IsGone({8, 3}, 499));
}

TEST(SpaceLogsTest, LatestNameCounts) {
  MtrBuilder mtr;
  mtr.FileCreate(7, "./db/a.ibd");
  mtr.FileRename(7, "./db/a.ibd", "./db/b.ibd");
  SpaceLogs logs;
  redo::RecordReader reader(AsBytes(mtr.body()));
  redo::RedoRecord record;
  while (*reader.Next(record))
    ASSERT_THAT(logs.AddFileRecord(record, 500), testing::IsOk());

  EXPECT_EQ(logs.spaces[7].last_name, "db/b.ibd");
  EXPECT_TRUE(logs.spaces[7].is_created);
  EXPECT_FALSE(logs.spaces[7].is_deleted);
}

}  // namespace
}  // namespace hbk::prepare
