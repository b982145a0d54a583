#include "space_log.h"

#include <random>

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

bool IsSame(const SpaceLog& a, const SpaceLog& b) {
  return a.last_name == b.last_name && a.last_path == b.last_path && a.is_created == b.is_created &&
         a.is_deleted == b.is_deleted && a.has_returned == b.has_returned &&
         a.last_file_lsn == b.last_file_lsn && a.has_first_page == b.has_first_page &&
         a.entry_count == b.entry_count && a.first_page_lsn == b.first_page_lsn &&
         a.extents == b.extents;
}

// What redo may say of three tablespaces, in any order; every cut of it.
TEST(SpaceLogsTest, WhatIsReadInTwoSectionsIsTheSame) {
  std::minstd_rand random(3);
  for (int round = 0; round < 300; ++round) {
    struct Event {
      uint32_t kind;
      innodb::SpaceId space;
      size_t extent;
    };
    std::vector<Event> events(12);
    for (Event& event : events)
      event = {static_cast<uint32_t>(random() % 6), static_cast<innodb::SpaceId>(random() % 3 + 1),
               random() % 100};
    const auto play = [&](SpaceLogs& logs, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const Event& event = events[i];
        const innodb::Lsn lsn = 1000 + i * 100;
        const std::string path = "./db/t" + std::to_string(i) + ".ibd";
        MtrBuilder mtr;
        if (event.kind == 0) mtr.FileCreate(event.space, path);
        if (event.kind == 1) mtr.FileModify(event.space, path);
        if (event.kind == 2) mtr.FileDelete(event.space, path);
        if (event.kind < 3) {
          redo::RecordReader reader(AsBytes(mtr.body()));
          redo::RedoRecord record;
          ASSERT_THAT(reader.Next(record), IsOkAndHolds(true));
          ASSERT_THAT(logs.AddFileRecord(record, lsn), testing::IsOk());
        } else if (event.kind == 3) {
          logs.trims[event.space].push_back({lsn, 64});
        } else {
          SpaceLog& space = logs.spaces[event.space];
          if (space.entry_count++ == 0) space.first_page_lsn = lsn;
          if (event.kind == 4) space.has_first_page = true;
          space.extents.resize(std::max(space.extents.size(), event.extent + 1));
          space.extents[event.extent] = true;
        }
      }
    };
    SpaceLogs whole;
    whole.part_starts = {0, 1600};
    whole.oldest_parts = {{1, 0}, {2, 0}};
    const SpaceLogs empty = whole;
    play(whole, 0, events.size());
    for (size_t cut = 0; cut <= events.size(); ++cut) {
      SpaceLogs first = empty;
      SpaceLogs second = empty;
      play(first, 0, cut);
      play(second, cut, events.size());

      first.Append(std::move(second));

      EXPECT_EQ(first.deletions, whole.deletions);
      EXPECT_TRUE(first.trims == whole.trims);
      ASSERT_EQ(first.spaces.size(), whole.spaces.size());
      for (const auto& [id, space] : whole.spaces)
        EXPECT_TRUE(IsSame(first.spaces.at(id), space)) << round << ", cut " << cut << ", " << id;
    }
  }
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
