#include "tablespace_io.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::tablespace_io_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::MemFileSystem;
using testing::MutableBytes;
using testing::StatusIs;

constexpr uint32_t kPageSize = 4096;

std::string Pages(std::string_view letters) {
  std::string bytes;
  for (const char letter : letters)
    bytes += std::string(kPageSize, letter);
  return bytes;
}

class TablespaceIoTest : public ::testing::Test {
 protected:
  TablespaceIoTest() {
    set_.dir = "/b";
    space_.header.flags = innodb::TablespaceFlags::FullCrc32(kPageSize);
    space_.segments = {{.name = "ibdata1", .first_page = 0}, {.name = "ibdata2", .first_page = 3}};
    fs_.PutFile("/b/ibdata1", Pages("abc"));
    fs_.PutFile("/b/ibdata2", Pages("de"));
  }

  std::string Read(innodb::PageNo page, size_t page_count) {
    std::string out(page_count * kPageSize, '?');
    EXPECT_THAT(io_.Read(space_, page, MutableBytes(out)), IsOk());
    return out;
  }

  MemFileSystem fs_;
  BackupSet set_;
  Tablespace space_;
  TablespaceIo io_{fs_, set_};
};

TEST_F(TablespaceIoTest, PageBelongsToTheFileThatBeginsBeforeIt) {
  EXPECT_EQ(TablespaceIo::SegmentOf(space_, 0).name, "ibdata1");
  EXPECT_EQ(TablespaceIo::SegmentOf(space_, 2).name, "ibdata1");
  EXPECT_EQ(TablespaceIo::SegmentOf(space_, 3).name, "ibdata2");
  EXPECT_EQ(TablespaceIo::SegmentOf(space_, UINT32_MAX).name, "ibdata2");
}

TEST_F(TablespaceIoTest, OffsetsBeyondFourGigabytesAreRight) {
  EXPECT_EQ(TablespaceIo::OffsetOf(space_, space_.segments[1], 3 + (2U << 20)), 8ULL << 30);
}

TEST_F(TablespaceIoTest, OffsetsCountInPagesOnDisk) {
  space_.header.flags = *innodb::TablespaceFlags::Decode(0xE3);  // pages of 1 KiB

  EXPECT_EQ(TablespaceIo::OffsetOf(space_, space_.segments[0], 2), 2048U);
}

TEST_F(TablespaceIoTest, PagesAreReadFromTheirFile) {
  EXPECT_EQ(Read(1, 2), Pages("bc"));
  EXPECT_EQ(Read(4, 1), Pages("e"));
}

TEST_F(TablespaceIoTest, PageBehindTheEndIsZeros) {
  EXPECT_EQ(Read(4, 2), Pages("e") + std::string(kPageSize, '\0'));
}

TEST_F(TablespaceIoTest, WrittenPageIsInItsFileAndNowhereElse) {
  ASSERT_THAT(io_.Write(space_, 4, AsBytes(Pages("W"))), IsOk());

  EXPECT_EQ(fs_.Contents("/b/ibdata1"), Pages("abc"));
  EXPECT_EQ(fs_.Contents("/b/ibdata2"), Pages("dW"));
}

TEST_F(TablespaceIoTest, ChangedFilesAreThoseWrittenSinceTheLastCall) {
  (void)Read(0, 1);
  ASSERT_THAT(io_.Write(space_, 4, AsBytes(Pages("W"))), IsOk());

  EXPECT_THAT(io_.TakeChangedFiles(), ElementsAre("ibdata2"));
  EXPECT_THAT(io_.TakeChangedFiles(), IsEmpty());
}

TEST_F(TablespaceIoTest, SyncedFileSurvivesAPowerCutAndAnotherDoesNot) {
  ASSERT_THAT(io_.Write(space_, 0, AsBytes(Pages("W"))), IsOk());
  ASSERT_THAT(io_.Write(space_, 3, AsBytes(Pages("W"))), IsOk());
  ASSERT_THAT(io_.SyncFile("ibdata2"), IsOk());

  fs_.Crash(0);

  EXPECT_EQ(fs_.Contents("/b/ibdata1"), Pages("abc"));
  EXPECT_EQ(fs_.Contents("/b/ibdata2"), Pages("We"));
}

TEST_F(TablespaceIoTest, FileStaysOpenBetweenPages) {
  (void)Read(0, 1);
  (void)Read(2, 1);

  EXPECT_THAT(fs_.opened(), ElementsAre("/b/ibdata1"));
}

TEST_F(TablespaceIoTest, MoreFilesThanStayOpenCanBeWritten) {
  for (int number = 0; number < 200; ++number) {
    const std::string name = fmt::format("t{}.ibd", number);
    fs_.PutFile("/b/" + name, Pages("x"));
    Tablespace space;
    space.header = space_.header;
    space.segments = {{.name = name}};
    ASSERT_THAT(io_.Write(space, 0, AsBytes(Pages("W"))), IsOk());
  }
  ASSERT_THAT(io_.Close(), IsOk());

  EXPECT_EQ(io_.TakeChangedFiles().size(), 200U);
  for (int number = 0; number < 200; ++number)
    EXPECT_EQ(fs_.Contents(fmt::format("/b/t{}.ibd", number)), Pages("W")) << number;
}

TEST_F(TablespaceIoTest, MissingFileIsNamed) {
  ASSERT_THAT(fs_.Remove("/b/ibdata2"), IsOk());

  EXPECT_THAT(io_.Write(space_, 3, AsBytes(Pages("W"))),
              StatusIs(StatusCode::kNotFound, HasSubstr("/b/ibdata2")));
}

TEST_F(TablespaceIoTest, AShortImageFillsWholeBlocksAndLeavesAHole) {
  space_.header.flags = innodb::TablespaceFlags::FullCrc32(16384);
  space_.segments = {{.name = "t.ibd"}};
  fs_.PutFile("/b/t.ibd", std::string(size_t{3} * 16384, 'a'));
  std::string image(16384, '\0');
  image.replace(0, 5000, 5000, 'n');

  ASSERT_THAT(io_.WriteShort(space_, 1, AsBytes(image), 5000), IsOk());

  EXPECT_EQ(fs_.Contents("/b/t.ibd"), std::string(16384, 'a') + image + std::string(16384, 'a'));
  EXPECT_EQ(fs_.Stat("/b/t.ibd", false)->allocated_bytes, 2U * 16384 + 8192);
  EXPECT_THAT(io_.TakeChangedFiles(), ElementsAre("t.ibd"));
}

TEST_F(TablespaceIoTest, AnImageOfNothingIsAHole) {
  space_.segments = {{.name = "t.ibd"}};
  fs_.PutFile("/b/t.ibd", Pages("abc"));

  ASSERT_THAT(io_.WriteShort(space_, 1, AsBytes(std::string(kPageSize, 'x')), 0), IsOk());

  EXPECT_EQ(fs_.Contents("/b/t.ibd"), Pages("a") + std::string(kPageSize, '\0') + Pages("c"));
  EXPECT_EQ(fs_.Stat("/b/t.ibd", false)->allocated_bytes, 2U * kPageSize);
}

}  // namespace
}  // namespace hbk::prepare::tablespace_io_test
