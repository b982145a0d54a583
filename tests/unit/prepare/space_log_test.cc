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
  const std::vector<Trim> trims = {{.start_lsn = 500, .page_count = 640}};

  EXPECT_TRUE(IsTrimmed(trims, {3, 10}, 499));
  EXPECT_TRUE(IsTrimmed(trims, {3, 1000}, 499));
  EXPECT_FALSE(IsTrimmed(trims, {3, 10}, 500));  // the new pages follow in the same mtr
}

TEST(IsTrimmedTest, SystemTablespaceForgetsOnlyPagesCutOff) {
  const std::vector<Trim> trims = {{.start_lsn = 500, .page_count = 768}};

  EXPECT_FALSE(IsTrimmed(trims, {0, 767}, 499));
  EXPECT_TRUE(IsTrimmed(trims, {0, 768}, 500));
  EXPECT_FALSE(IsTrimmed(trims, {0, 768}, 501));
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
