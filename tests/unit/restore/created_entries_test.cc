#include "created_entries.h"

#include <gmock/gmock.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr FileOwner kOwner = {.uid = 7, .gid = 8};

TEST(CreatedEntriesTest, WhatWasMadeIsTakenBackAndNothingElse) {
  MemFileSystem fs;
  fs.PutFile("/was/there", "x");
  CreatedEntries created(fs);
  ASSERT_THAT(created.MakeDirectories("/was/a/b", kOwner), IsOk());
  ASSERT_THAT(created.MakeDirectories("/was", kOwner), IsOk());
  fs.PutFile("/was/a/b/f", "x");
  created.AddFile("/was/a/b/f");
  fs.PutFile("/was/there2", "moved");
  created.AddMove("/was/back", "/was/there2");

  EXPECT_THAT(created.TakeBack(), IsEmpty());

  EXPECT_EQ(fs.Tree("/").size(), 2U);
  EXPECT_EQ(fs.Contents("/was/back"), "moved");
  EXPECT_THAT(io::Exists(fs, "/was/a"), IsOkAndHolds(false));
  EXPECT_THAT(created.TakeBack(), IsEmpty());
}

TEST(CreatedEntriesTest, DirectoriesAreGivenToTheOwner) {
  MemFileSystem fs;
  CreatedEntries created(fs);

  ASSERT_THAT(created.MakeDirectories("/a/b", kOwner), IsOk());

  for (const char* path : {"/a", "/a/b"}) {
    const auto info = fs.Stat(path, /*follow=*/false);
    ASSERT_THAT(info, IsOk());
    EXPECT_EQ(info.value().uid, 7U);
    EXPECT_EQ(info.value().mode, 0700U);
  }
}

TEST(CreatedEntriesTest, WhatCannotBeTakenBackIsTold) {
  MemFileSystem fs;
  CreatedEntries created(fs);
  ASSERT_THAT(created.MakeDirectories("/a", kOwner), IsOk());
  fs.PutFile("/a/stranger", "x");
  created.AddFile("/a/vanished");

  EXPECT_THAT(created.TakeBack(), ElementsAre(HasSubstr("/a")));
  EXPECT_EQ(fs.Contents("/a/stranger"), "x");
}

TEST(CreatedEntriesTest, AFileInPlaceOfADirectoryIsInTheWay) {
  MemFileSystem fs;
  fs.PutFile("/a", "x");
  CreatedEntries created(fs);

  EXPECT_THAT(created.MakeDirectories("/a", kOwner),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/a is not a directory")));
}

TEST(CreatedEntriesTest, EveryDirectoryThatGotAnEntryIsSynced) {
  MemFileSystem fs;
  fs.PutDirectory("/from");
  CreatedEntries created(fs);
  ASSERT_THAT(created.MakeDirectories("/a/empty", kOwner), IsOk());
  created.AddMove("/from/f", "/a/f");

  ASSERT_THAT(created.SyncDirectories(), IsOk());

  for (const char* path : {"/", "/a", "/a/empty", "/from"})
    EXPECT_THAT(fs.synced(), Contains(path));
}

}  // namespace
}  // namespace hbk::restore
