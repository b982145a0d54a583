#include "partition_applier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "redo_entry.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::partition_applier_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::kSmallBackupPageLsn;
using testing::kSmallBackupPageSize;
using testing::MemFileSystem;
using testing::MtrBuilder;
using testing::StatusIs;

constexpr innodb::SpaceId kSpace = 5;
constexpr innodb::Lsn kStart = 100000;
constexpr innodb::Lsn kEnd = 200000;

class PartitionApplierTest : public ::testing::Test {
 protected:
  PartitionApplierTest() {
    set_.dir = "/b";
    Tablespace& space = table_.spaces[kSpace];
    space.id = kSpace;
    space.segments = {{.name = "db/a.ibd"}};
    space.header.flags = innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize);
    fs_.PutFile("/b/db/a.ibd", testing::MakeSmallTablespace(kSpace, 8));
  }

  void Add(innodb::PageId page, innodb::Lsn lsn, const MtrBuilder& mtr, bool is_rebuild = false,
           bool is_free = false) {
    RedoEntryHeader header;
    header.start_lsn = lsn;
    header.mtr_bytes = 50;
    header.space = page.space;
    header.page = page.page;
    header.length = static_cast<uint32_t>(mtr.body().size()) & 0x3FFFFFFF;
    header.is_rebuild = is_rebuild;
    header.is_free = is_free;
    ASSERT_THAT(store_.section(0).Append(0, HeaderBytes(header), AsBytes(mtr.body())), IsOk());
  }
  void AddWrite(innodb::PageNo page, innodb::Lsn lsn, std::string_view text) {
    Add({kSpace, page}, lsn, MtrBuilder().Write({kSpace, page}, 1000, text));
  }

  Result<ApplyCounts> Apply(const std::stop_token& stop = {}) {
    const ApplyInput input{.fs = fs_,
                           .set = set_,
                           .store = store_,
                           .logs = logs_,
                           .table = table_,
                           .plan = plan_,
                           .start_lsn = kStart,
                           .end_lsn = kEnd,
                           .stop = stop,
                           .damaged = &damaged_};
    PartitionApplier applier(input, 0);
    HBK_RETURN_IF_ERROR(applier.Apply(0, done_bytes_));
    return applier.Finish();
  }

  std::string Page(innodb::PageNo page) {
    return fs_.Contents("/b/db/a.ibd")
        .substr(size_t{page} * kSmallBackupPageSize, kSmallBackupPageSize);
  }
  void ReplacePage(innodb::PageNo page, const std::string& image) {
    std::string file = fs_.Contents("/b/db/a.ibd");
    file.replace(size_t{page} * kSmallBackupPageSize, kSmallBackupPageSize, image);
    fs_.PutFile("/b/db/a.ibd", file);
  }
  // A page that is whole and says this LSN.
  std::string SealedPage(innodb::PageNo page, innodb::Lsn lsn) {
    std::string image =
        testing::MakePage(kSmallBackupPageSize, {kSpace, page}, lsn, innodb::kPageBlob);
    innodb::SealPage(testing::MutableBytes(image), table_.spaces.at(kSpace).header.flags,
                     {kSpace, page});
    return image;
  }
  innodb::PageVerdict Verdict(innodb::PageNo page) {
    return innodb::CheckPage(AsBytes(Page(page)), table_.spaces.at(kSpace).header.flags,
                             {kSpace, page});
  }
  bool HasJournal() { return fs_.Tree("/b").count("/b/hbk_prepare.journal.0") != 0; }

  MemFileSystem fs_;
  BackupSet set_;
  SpaceLogs logs_;
  TablespaceTable table_;
  MemoryPlan plan_ = *PlanMemory(kUseMemoryBytesMin, 1, 0);
  PartitionStore store_{
      fs_,
      {.partition_count = 1, .block_bytes = 1 << 20, .block_count = 16, .spill_path = "/spill"}};
  std::atomic<uint64_t> done_bytes_{0};
  manifest::DamagedPageList damaged_;
};

TEST_F(PartitionApplierTest, ChangedPagesAreWrittenWholeAndOthersNotAtAll) {
  const std::string before = fs_.Contents("/b/db/a.ibd");
  AddWrite(3, 150000, "three");
  AddWrite(2, 160000, "two");

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->pages_written, 2U);
  EXPECT_EQ(counts->foreign_pages, 0U);
  EXPECT_THAT(counts->changed_files, ElementsAre("db/a.ibd"));
  EXPECT_EQ(Page(2).substr(1000, 3), "two");
  EXPECT_EQ(Page(3).substr(1000, 5), "three");
  EXPECT_EQ(innodb::PageLsn(AsBytes(Page(3))), 150050U);
  EXPECT_EQ(Verdict(2), innodb::PageVerdict::kGood);
  EXPECT_EQ(Verdict(3), innodb::PageVerdict::kGood);
  const std::string after = fs_.Contents("/b/db/a.ibd");
  EXPECT_EQ(after.substr(0, 2 * kSmallBackupPageSize), before.substr(0, 2 * kSmallBackupPageSize));
  EXPECT_EQ(after.substr(4 * kSmallBackupPageSize), before.substr(4 * kSmallBackupPageSize));
  EXPECT_EQ(done_bytes_, store_.bytes(0));
}

TEST_F(PartitionApplierTest, TornPageIsMendedByTheJournal) {
  AddWrite(3, 150000, "three");
  const std::string old_page = Page(3);
  ASSERT_THAT(Apply(), IsOk());
  const std::string new_page = Page(3);
  ReplacePage(3, new_page.substr(0, 512) + old_page.substr(512));
  ASSERT_NE(Verdict(3), innodb::PageVerdict::kGood);

  EXPECT_THAT(ReplayJournals(fs_, "/b"), IsOkAndHolds(true));

  EXPECT_EQ(Page(3), new_page);
}

TEST_F(PartitionApplierTest, PageMadeByTheRedoNeedsNoJournal) {
  ReplacePage(3, std::string(kSmallBackupPageSize, '\xEE'));
  Add({kSpace, 3}, 150000, MtrBuilder().InitPage({kSpace, 3}), true);

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_EQ(Verdict(3), innodb::PageVerdict::kGood);
  EXPECT_FALSE(HasJournal());
}

TEST_F(PartitionApplierTest, FirstPageIsInTheJournalEvenIfTheRedoMakesIt) {
  Add({kSpace, 0}, 150000, MtrBuilder().InitPage({kSpace, 0}), true);

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_TRUE(HasJournal());
}

TEST_F(PartitionApplierTest, PageThatHasItsRedoIsLeftAlone) {
  ReplacePage(3, SealedPage(3, 150050));
  AddWrite(3, 150000, "three");
  const auto before = fs_.Tree("/b");

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->pages_written, 0U);
  EXPECT_THAT(counts->changed_files, IsEmpty());
  EXPECT_EQ(fs_.Tree("/b"), before);
}

TEST_F(PartitionApplierTest, FreedPageIsNotEvenRead) {
  ReplacePage(3, std::string(kSmallBackupPageSize, '\xEE'));  // damaged
  AddWrite(3, 150000, "three");
  Add({kSpace, 3}, 160000, MtrBuilder().FreePage({kSpace, 3}), true, true);

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->pages_written, 0U);
}

TEST_F(PartitionApplierTest, RedoOfADroppedTablespaceIsPassedOver) {
  Add({9, 3}, 150000, MtrBuilder().Write({9, 3}, 1000, "gone"));
  AddWrite(3, 150000, "three");

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->pages_written, 1U);
}

TEST_F(PartitionApplierTest, PagesGoToTheSegmentThatHoldsThem) {
  Tablespace& space = table_.spaces[0];
  space.segments = {{.name = "ibdata1"}, {.name = "ibdata2", .first_page = 4}};
  space.header.flags = innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize);
  const std::string whole = testing::MakeSmallTablespace(0, 8);
  fs_.PutFile("/b/ibdata1", whole.substr(0, 4 * kSmallBackupPageSize));
  fs_.PutFile("/b/ibdata2", whole.substr(4 * kSmallBackupPageSize));
  for (const innodb::PageNo page : {3U, 4U})
    Add({0, page}, 150000, MtrBuilder().Write({0, page}, 1000, "here"));

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_THAT(counts->changed_files, ElementsAre("ibdata1", "ibdata2"));
  EXPECT_EQ(fs_.Contents("/b/ibdata1").substr(3 * kSmallBackupPageSize + 1000, 4), "here");
  EXPECT_EQ(fs_.Contents("/b/ibdata2").substr(1000, 4), "here");
  EXPECT_EQ(fs_.Contents("/b/ibdata1").size(), 4U * kSmallBackupPageSize);
}

TEST_F(PartitionApplierTest, MorePagesThanMemoryForThemAreAllChanged) {
  constexpr innodb::PageNo kCount = 600;
  ASSERT_GT(size_t{kCount} * kSmallBackupPageSize, 2 * plan_.frame_bytes);
  fs_.PutFile("/b/db/a.ibd", testing::MakeSmallTablespace(kSpace, kCount));
  for (innodb::PageNo page = 1; page < kCount; ++page)
    AddWrite(page, 150000, "page " + std::to_string(page) + ".");

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->pages_written, kCount - 1);
  for (innodb::PageNo page = 1; page < kCount; ++page)
    EXPECT_THAT(Page(page).substr(1000, 9), HasSubstr("page " + std::to_string(page) + "."));
}

TEST_F(PartitionApplierTest, PageChangedByOthersIsCounted) {
  ReplacePage(3, SealedPage(3, 150000));
  AddWrite(3, 140000, "one");  // ends at 140050, the page says 150000
  AddWrite(3, 160000, "two");

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->foreign_pages, 1U);
}

TEST_F(PartitionApplierTest, DamagedPageIsCorruptionAndNothingIsWritten) {
  std::string damaged = Page(3);
  damaged[2000] = 'x';
  ReplacePage(3, damaged);
  AddWrite(2, 150000, "two");
  AddWrite(3, 150000, "three");
  const auto before = fs_.Tree("/b");

  EXPECT_THAT(Apply(),
              StatusIs(StatusCode::kCorruption,
                       AllOf(HasSubstr("db/a.ibd, page 3"), HasSubstr("bad checksum"),
                             HasSubstr(std::to_string(kSmallBackupPageLsn)), HasSubstr("150000"))));
  EXPECT_EQ(fs_.Tree("/b"), before);
}

TEST_F(PartitionApplierTest, RedoOfAPageThatWasDamagedOnTheServerIsLeftOut) {
  std::string damaged = Page(3);
  damaged[2000] = 'x';
  ReplacePage(3, damaged);
  AddWrite(2, 150000, "two");
  AddWrite(3, 150000, "three");
  damaged_ = manifest::ParseDamagedPageList("db/a 5\n3\n").value();

  const auto counts = Apply();

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->skipped_pages, 1U);
  EXPECT_EQ(counts->pages_written, 1U);
  EXPECT_EQ(Page(3), damaged);
  EXPECT_EQ(Page(2).substr(1000, 3), "two");
}

TEST_F(PartitionApplierTest, PageNewerThanTheLogIsCorruption) {
  ReplacePage(3, SealedPage(3, kEnd + 1));
  AddWrite(3, 150000, "three");

  EXPECT_THAT(Apply(), StatusIs(StatusCode::kCorruption,
                                AllOf(HasSubstr("db/a.ibd, page 3"), HasSubstr("LSN 200001"),
                                      HasSubstr("ends at LSN 200000"))));
}

TEST_F(PartitionApplierTest, StopIsHeardBeforeAnythingIsDone) {
  AddWrite(3, 150000, "three");
  std::stop_source stop;
  stop.request_stop();
  const auto before = fs_.Tree("/b");

  EXPECT_THAT(Apply(stop.get_token()), StatusIs(StatusCode::kInterrupted, ::testing::_));
  EXPECT_EQ(fs_.Tree("/b"), before);
}

}  // namespace
}  // namespace hbk::prepare::partition_applier_test
