#include "header_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"

#include "redo_entry.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::header_plan_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::MemFileSystem;
using testing::MtrBuilder;
using ::testing::Not;
using testing::StatusIs;

constexpr uint32_t kPageSize = 4096;
constexpr innodb::Lsn kPageLsn = 500;
constexpr uint32_t kPlainFlags = 0x13;  // full_crc32, 4 KiB
constexpr uint32_t kZipFlags = 0xE3;    // 4 KiB pages, compressed to 1 KiB
constexpr uint32_t kLargeFlags = 0x15;  // full_crc32, 16 KiB

std::string Be32(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(testing::MutableBytes(bytes), 0, value);
  return bytes;
}

MtrBuilder MakeAnew(innodb::SpaceId space, uint32_t size, uint32_t flags) {
  const innodb::PageId page{.space = space, .page = 0};
  MtrBuilder mtr;
  mtr.InitPage(page).Write(page, innodb::kFilType, std::string("\0\x08", 2));
  mtr.Write(page, innodb::kFspSpaceId, Be32(space)).Write(page, innodb::kFspSize, Be32(size));
  mtr.Write(page, innodb::kFspFlags, Be32(flags));
  return mtr;
}

class PlanHeadersTest : public ::testing::Test {
 protected:
  PlanHeadersTest() {
    fs_.PutDirectory("/b/db");
    set_.dir = "/b";
    set_.page_size = kPageSize;
  }

  // A table of 8 pages, whose file has page 0.
  void PutTable(innodb::SpaceId space) {
    Tablespace& table = AddTable(space);
    table.header.size_pages = 8;
    table.header.flags = innodb::TablespaceFlags::FullCrc32(kPageSize);
    std::string file = testing::MakeFirstPage(table.header.flags, space, 8, kPageLsn);
    file.resize(size_t{8} * kPageSize);
    fs_.PutFile(set_.Path(table.name()), file);
  }
  void AddNewTable(innodb::SpaceId space) { AddTable(space).is_new = true; }

  // Redo of page 0.
  void Add(innodb::SpaceId space, innodb::Lsn lsn, const MtrBuilder& mtr, bool is_rebuild = false,
           bool is_free = false) {
    RedoEntryHeader header;
    header.start_lsn = lsn;
    header.mtr_bytes = 50;
    header.space = space;
    header.length = static_cast<uint32_t>(mtr.body().size()) & 0x3FFFFFFF;
    header.is_rebuild = is_rebuild;
    header.is_free = is_free;
    ASSERT_THAT(store_.section(0).Append(1, HeaderBytes(header), AsBytes(mtr.body())), IsOk());
  }
  void AddResize(innodb::SpaceId space, innodb::Lsn lsn, uint32_t size) {
    Add(space, lsn, MtrBuilder().Write({space, 0}, innodb::kFspSize, Be32(size)));
  }
  // Redo that changes nothing, but does not fit into the memory together with anything else.
  void AddLarge(innodb::SpaceId space, innodb::Lsn lsn) {
    Add(space, lsn, MtrBuilder().Option({space, 0}, std::string(900 << 10, 'x')));
  }

  Status Plan() {
    return PlanHeaders(fs_, set_, store_, logs_, *PlanMemory(kUseMemoryBytesMin, 1, 0), table_);
  }
  const innodb::TablespaceHeader& Header(innodb::SpaceId space) {
    return table_.spaces.at(space).header;
  }

  MemFileSystem fs_;
  BackupSet set_;
  SpaceLogs logs_;
  TablespaceTable table_;
  // Partition 1 is that of first pages.
  PartitionStore store_{
      fs_,
      {.partition_count = 2, .block_bytes = 1 << 20, .block_count = 16, .spill_path = "/spill"}};

 private:
  Tablespace& AddTable(innodb::SpaceId space) {
    Tablespace& table = table_.spaces[space];
    table.id = space;
    table.final_name = "db/t" + std::to_string(space) + ".ibd";
    table.segments = {{.name = table.final_name}};
    return table;
  }
};

TEST_F(PlanHeadersTest, HeaderSaysWhatTheLastRedoOfPageZeroSays) {
  PutTable(5);
  PutTable(6);
  AddResize(5, 600, 12);
  AddResize(5, 700, 16);

  ASSERT_THAT(Plan(), IsOk());

  EXPECT_EQ(Header(5).size_pages, 16U);
  EXPECT_EQ(Header(6).size_pages, 8U);
}

TEST_F(PlanHeadersTest, NothingIsWritten) {
  PutTable(5);
  AddResize(5, 600, 12);
  AddLarge(5, 700);
  AddLarge(5, 800);
  const auto before = fs_.Tree("/");

  ASSERT_THAT(Plan(), IsOk());

  EXPECT_EQ(fs_.Tree("/"), before);
}

TEST_F(PlanHeadersTest, RedoOlderThanThePageDoesNotCount) {
  PutTable(5);
  AddResize(5, kPageLsn - 50, 12);

  ASSERT_THAT(Plan(), IsOk());

  EXPECT_EQ(Header(5).size_pages, 8U);
}

TEST_F(PlanHeadersTest, NewTablespaceGetsItsFormatFromTheRedo) {
  AddNewTable(9);
  AddNewTable(10);
  Add(9, 600, MakeAnew(9, 6, kPlainFlags), true);
  AddResize(9, 700, 7);
  Add(10, 800, MakeAnew(10, 9, kZipFlags), true);

  ASSERT_THAT(Plan(), IsOk());

  EXPECT_EQ(Header(9).size_pages, 7U);
  EXPECT_EQ(Header(9).flags, innodb::TablespaceFlags::FullCrc32(kPageSize));
  EXPECT_EQ(Header(10).size_pages, 9U);
  EXPECT_EQ(Header(10).flags.physical_size(), 1024U);
}

TEST_F(PlanHeadersTest, RedoInSeveralBatchesAddsUp) {
  PutTable(5);
  AddNewTable(9);
  Add(9, 600, MakeAnew(9, 6, kPlainFlags), true);
  AddResize(5, 700, 12);
  AddLarge(5, 800);
  AddLarge(9, 900);
  // What is known of page 0 at the second of these comes from the first.
  Add(5, 1000, MtrBuilder().Write({5, 0}, innodb::kFspFreeLimit, Be32(11)));
  Add(9, 1100, MtrBuilder().Write({9, 0}, innodb::kFspFreeLimit, Be32(5)));

  ASSERT_THAT(Plan(), IsOk());

  EXPECT_EQ(Header(5).size_pages, 12U);
  EXPECT_EQ(Header(5).free_limit, 11U);
  EXPECT_EQ(Header(9).size_pages, 6U);
  EXPECT_EQ(Header(9).free_limit, 5U);
}

TEST_F(PlanHeadersTest, FreedFirstPageLeavesTheHeader) {
  PutTable(5);
  AddResize(5, 600, 12);
  Add(5, 700, MtrBuilder().FreePage({5, 0}), true, true);

  ASSERT_THAT(Plan(), IsOk());

  EXPECT_EQ(Header(5).size_pages, 8U);
}

TEST_F(PlanHeadersTest, RedoOfUnknownTablespacesIsPassedOver) {
  AddResize(77, 600, 12);

  EXPECT_THAT(Plan(), IsOk());
}

TEST_F(PlanHeadersTest, PageSizeOfAnotherInstanceIsCorruption) {
  AddNewTable(9);
  Add(9, 600, MakeAnew(9, 6, kLargeFlags), true);

  EXPECT_THAT(Plan(),
              StatusIs(StatusCode::kCorruption, AllOf(HasSubstr("page 0 of db/t9.ibd"),
                                                      HasSubstr("16384"), HasSubstr("4096"))));
}

TEST_F(PlanHeadersTest, SizeThatNoTablespaceHasIsCorruption) {
  PutTable(5);
  AddResize(5, 600, 3);

  EXPECT_THAT(Plan(), StatusIs(StatusCode::kCorruption,
                               AllOf(HasSubstr("db/t5.ibd"), HasSubstr("no valid header"))));
}

TEST_F(PlanHeadersTest, FileOfAnotherTablespaceIsCorruption) {
  PutTable(5);
  fs_.PutFile("/b/db/t5.ibd", testing::MakeFirstPage(Header(5).flags, 6, 8, kPageLsn));
  AddResize(5, 600, 12);

  EXPECT_THAT(Plan(), StatusIs(StatusCode::kCorruption, HasSubstr("finds page 6:0")));
}

TEST_F(PlanHeadersTest, FileThatEndsWithinPageZeroIsCorruption) {
  PutTable(5);
  fs_.PutFile("/b/db/t5.ibd", std::string(1000, '\0'));
  AddResize(5, 600, 12);

  EXPECT_THAT(Plan(), StatusIs(StatusCode::kCorruption, HasSubstr("ends within the page")));
}

}  // namespace
}  // namespace hbk::prepare::header_plan_test
