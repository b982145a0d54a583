#include "file_sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::file_sizes_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr uint32_t kPageSize = 4096;

class FileSizesTest : public ::testing::Test {
 protected:
  FileSizesTest() {
    set_.dir = "/b";
    set_.system_files = {"ibdata1"};
    fs_.PutFile("/b/ibdata1", "");
  }

  // A tablespace of one file that has `file_pages`, and `header_pages` by its header.
  Tablespace& Add(innodb::SpaceId id, const std::string& name, uint32_t file_pages,
                  uint32_t header_pages) {
    const uint64_t size = uint64_t{file_pages} * kPageSize;
    fs_.PutFile("/b/" + name, std::string(size, 'x'));
    Tablespace& space = table_.spaces[id];
    space.id = id;
    space.segments.push_back({.name = name, .first_page = 0, .size = size});
    space.header.flags = innodb::TablespaceFlags::FullCrc32(kPageSize);
    space.header.size_pages = header_pages;
    return space;
  }
  uint64_t SizeOf(const std::string& name) { return fs_.Contents("/b/" + name).size(); }

  MemFileSystem fs_;
  BackupSet set_;
  TablespaceTable table_;
  SpaceLogs logs_;
  std::set<std::string> changed_;
};

TEST_F(FileSizesTest, ShortFileGrowsAndLongOneStays) {
  Add(5, "db/short.ibd", 4, 6);
  Add(6, "db/long.ibd", 4, 3);

  ASSERT_THAT(GrowFiles(fs_, set_, table_, changed_), IsOk());

  EXPECT_EQ(fs_.Contents("/b/db/short.ibd"),
            std::string(4 * kPageSize, 'x') + std::string(2 * kPageSize, '\0'));
  EXPECT_EQ(SizeOf("db/long.ibd"), 4 * kPageSize);
  EXPECT_THAT(changed_, ElementsAre("db/short.ibd"));
  EXPECT_EQ(table_.spaces[5].segments[0].size, 6 * kPageSize);
}

TEST_F(FileSizesTest, MissingFileIsMadeWithItsDatabaseAndTheModeOfTheOthers) {
  Tablespace& space = table_.spaces[9];
  space.segments.push_back({.name = "newdb/t.ibd"});
  space.exists = false;
  space.header.flags = innodb::TablespaceFlags::FullCrc32(kPageSize);
  space.header.size_pages = 5;

  ASSERT_THAT(GrowFiles(fs_, set_, table_, changed_), IsOk());

  const auto info = fs_.Stat("/b/newdb/t.ibd", false);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->size, 5 * kPageSize);
  EXPECT_EQ(info->mode, fs_.Stat("/b/ibdata1", false)->mode);
  EXPECT_TRUE(table_.spaces[9].exists);
  EXPECT_THAT(changed_, ElementsAre("newdb/t.ibd"));
}

TEST_F(FileSizesTest, FileIsAtLeastAsLargeAsTheEmptyOneInItsPlace) {
  Add(5, "db/t.ibd", 0, 2).size_min = 4 * kPageSize;

  ASSERT_THAT(GrowFiles(fs_, set_, table_, changed_), IsOk());

  EXPECT_EQ(SizeOf("db/t.ibd"), 4 * kPageSize);
}

TEST_F(FileSizesTest, SmallPagesFillWholeBlocksOnly) {
  Tablespace& space = Add(5, "db/z.ibd", 0, 11);
  space.header.flags = *innodb::TablespaceFlags::Decode(0xE3);  // pages of 1 KiB

  ASSERT_THAT(GrowFiles(fs_, set_, table_, changed_), IsOk());

  EXPECT_EQ(SizeOf("db/z.ibd"), 8192U);
}

TEST_F(FileSizesTest, OnlyTheLastFileOfTheSystemTablespaceGrows) {
  Tablespace& space = Add(0, "ibdata1", 4, 10);
  fs_.PutFile("/b/ibdata2", std::string(2 * kPageSize, 'x'));
  space.segments.push_back({.name = "ibdata2", .first_page = 4, .size = 2 * kPageSize});

  ASSERT_THAT(GrowFiles(fs_, set_, table_, changed_), IsOk());

  EXPECT_EQ(SizeOf("ibdata1"), 4 * kPageSize);
  EXPECT_EQ(SizeOf("ibdata2"), 6 * kPageSize);
}

TEST_F(FileSizesTest, SizeThatEndsBeforeTheLastFileIsRefused) {
  Tablespace& space = Add(0, "ibdata1", 4, 3);
  space.segments.push_back({.name = "ibdata2", .first_page = 4, .size = 2 * kPageSize});

  EXPECT_THAT(GrowFiles(fs_, set_, table_, changed_),
              StatusIs(StatusCode::kCorruption, HasSubstr("ibdata2")));
}

TEST_F(FileSizesTest, SecondGrowthChangesNothing) {
  Add(5, "db/t.ibd", 4, 6);
  ASSERT_THAT(GrowFiles(fs_, set_, table_, changed_), IsOk());
  changed_.clear();
  testing::FaultyFileSystem counting(fs_);

  ASSERT_THAT(GrowFiles(counting, set_, table_, changed_), IsOk());

  EXPECT_EQ(counting.change_count(), 0U);
  EXPECT_THAT(changed_, IsEmpty());
}

TEST_F(FileSizesTest, OnlyWhatTheRedoTrimmedIsCut) {
  Add(1, "undo001", 9, 4);
  Add(2, "undo002", 9, 4);
  logs_.trims[1].push_back({.start_lsn = 100, .page_count = 4});
  logs_.trims[77].push_back({.start_lsn = 100, .page_count = 4});  // has no file

  ASSERT_THAT(TruncateFiles(fs_, set_, table_, logs_, changed_), IsOk());

  EXPECT_EQ(SizeOf("undo001"), 4 * kPageSize);
  EXPECT_EQ(SizeOf("undo002"), 9 * kPageSize);
  EXPECT_THAT(changed_, ElementsAre("undo001"));
}

// The tablespace has grown again since: its header counts, not the record of the truncation.
TEST_F(FileSizesTest, TrimmedFileGetsTheSizeInItsHeader) {
  Add(1, "undo001", 9, 7);
  logs_.trims[1].push_back({.start_lsn = 100, .page_count = 4});

  ASSERT_THAT(TruncateFiles(fs_, set_, table_, logs_, changed_), IsOk());

  EXPECT_EQ(SizeOf("undo001"), 7 * kPageSize);
}

}  // namespace
}  // namespace hbk::prepare::file_sizes_test
