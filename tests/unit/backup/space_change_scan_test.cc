#include "space_change_scan.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"

#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

Status Scan(const MtrBuilder& mtr, Lsn lsn, SpaceChanges& changes) {
  const std::string body = mtr.body();
  redo::MiniTransaction parsed;
  parsed.start_lsn = lsn;
  parsed.body = AsBytes(body);
  return ScanSpaceChanges(parsed, false, changes);
}

TEST(SpaceChangeScanTest, PageRecordsSayNothingOfTheFile) {
  SpaceChanges changes;

  ASSERT_THAT(Scan(MtrBuilder().Write({4, 2}, 100, "x").InitPage({4, 3}), 10, changes), IsOk());

  EXPECT_TRUE(changes.at(4).has_pages);
  EXPECT_FALSE(changes.at(4).has_first_page);
  EXPECT_EQ(changes.at(4).last_lsn, 0U);
}

TEST(SpaceChangeScanTest, InitPageOfPageZeroSaysThatRedoCanRebuildTheFile) {
  SpaceChanges changes;

  ASSERT_THAT(Scan(MtrBuilder().FileCreate(4, "./d/t.ibd").InitPage({4, 0}), 10, changes), IsOk());

  EXPECT_TRUE(changes.at(4).has_first_page);
  EXPECT_TRUE(changes.at(4).is_created);
  EXPECT_EQ(changes.at(4).last_path, "./d/t.ibd");
  EXPECT_EQ(changes.at(4).last_lsn, 10U);
}

TEST(SpaceChangeScanTest, FileCheckpointSaysNothing) {
  SpaceChanges changes;

  ASSERT_THAT(Scan(MtrBuilder().FileCheckpoint(77), 10, changes), IsOk());

  EXPECT_TRUE(changes.empty());
}

TEST(SpaceChangeScanTest, ARecordThatNoServerWritesIsCorruption) {
  SpaceChanges changes;

  EXPECT_THAT(Scan(MtrBuilder().Record(0x60, "abc"), 4711, changes),
              StatusIs(StatusCode::kCorruption, HasSubstr("4711")));
}

TEST(SpaceChangeScanTest, LaterNewsAreAddedToEarlier) {
  SpaceChanges changes;
  SpaceChanges later;
  ASSERT_THAT(Scan(MtrBuilder().FileModify(4, "./d/a.ibd"), 10, changes), IsOk());
  ASSERT_THAT(Scan(MtrBuilder().FileRename(4, "./d/a.ibd", "./d/b.ibd"), 20, later), IsOk());
  ASSERT_THAT(Scan(MtrBuilder().FileDelete(4, "./d/b.ibd"), 30, later), IsOk());

  MergeSpaceChanges(later, changes);

  EXPECT_TRUE(changes.at(4).is_modified && changes.at(4).is_renamed && changes.at(4).is_deleted);
  EXPECT_EQ(changes.at(4).last_path, "./d/b.ibd");
  EXPECT_EQ(changes.at(4).last_lsn, 30U);
}

}  // namespace
}  // namespace hbk::backup
