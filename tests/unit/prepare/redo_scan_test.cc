#include "redo_scan.h"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quiet_reporter.h"
#include "redo_entry.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::redo_scan_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::LogBuilder;
using testing::MemFileSystem;
using testing::MtrBuilder;
using testing::StatusIs;

constexpr redo::Lsn kFirstLsn = 100000;

TEST(PartitionOfTest, FirstPagesHaveTheLastPartitionToThemselves) {
  for (innodb::SpaceId space = 0; space < 200; ++space) {
    EXPECT_EQ(PartitionOf({space, 0}, 5), 4U);
    for (innodb::PageNo page = 1; page < 1000; page += 37)
      EXPECT_LT(PartitionOf({space, page}, 5), 4U);
  }
}

TEST(PartitionOfTest, NeighboursShareAPartition) {
  for (innodb::PageNo page = 64; page < 6400; ++page)
    EXPECT_EQ(PartitionOf({7, page}, 9), PartitionOf({7, page / 64 * 64}, 9)) << page;
}

TEST(PartitionOfTest, OnePartitionTakesAll) {
  EXPECT_EQ(PartitionOf({7, 0}, 1), 0U);
  EXPECT_EQ(PartitionOf({7, 123}, 1), 0U);
}

TEST(PartitionOfTest, NoPartitionHasMoreThanTwiceItsShare) {
  constexpr uint32_t kGroups = 8000;
  std::map<uint32_t, uint32_t> one_large_table;
  std::map<uint32_t, uint32_t> many_small_tables;
  for (uint32_t i = 1; i <= kGroups; ++i) {
    ++one_large_table[PartitionOf({7, i * 64}, 9)];
    ++many_small_tables[PartitionOf({i, 3}, 9)];
  }
  for (uint32_t partition = 0; partition < 8; ++partition) {
    EXPECT_LT(one_large_table[partition], 2 * kGroups / 8) << partition;
    EXPECT_LT(many_small_tables[partition], 2 * kGroups / 8) << partition;
  }
}

class ScanRedoTest : public ::testing::Test {
 protected:
  Result<RedoScan> Scan(const std::stop_token& stop = {}) {
    fs_.PutFile("/b/ib_logfile0", log_.file());
    HBK_ASSIGN_OR_RETURN(const auto reader, RedoReader::Open(fs_, "/b/ib_logfile0", 0));
    QuietReporter reporter;
    RedoScan scan;
    ScanWatch watch(reporter, log_.end_lsn() - kFirstLsn, stop);
    HBK_RETURN_IF_ERROR(ScanRedo(*reader, {}, store_.section(0), scan, watch));
    return scan;
  }

  // "page@start+mtr_bytes:length" of each entry, with r for a rebuild and f for a free.
  std::vector<std::string> Entries() {
    EXPECT_THAT(store_.Finish(), IsOk());
    std::string bytes(store_.bytes(0), '\0');
    EXPECT_THAT(store_.Read(0, 0, testing::MutableBytes(bytes)), IsOk());
    std::vector<std::string> entries;
    for (size_t at = 0; at < bytes.size();) {
      const RedoEntryHeader header = LoadRedoEntryHeader(AsBytes(bytes), at);
      const uint32_t length = header.length;
      records_.push_back(bytes.substr(at + kRedoEntryHeaderBytes, length));
      entries.push_back(fmt::format(
          "{}@{}+{}{}{}", ToString(innodb::PageId{header.space, header.page}), header.start_lsn,
          header.mtr_bytes, header.is_rebuild != 0 ? "r" : "", header.is_free != 0 ? "f" : ""));
      at += kRedoEntryHeaderBytes + length;
    }
    return entries;
  }

  MemFileSystem fs_;
  LogBuilder log_{kFirstLsn, 1 << 20};
  PartitionStore store_{
      fs_,
      {.partition_count = 1, .block_bytes = 1 << 20, .block_count = 8, .spill_path = "/spill"}};
  std::vector<std::string> records_;  // after Entries()
};

TEST_F(ScanRedoTest, RecordsOfOnePageInOneMtrAreOneEntry) {
  const MtrBuilder mtr = MtrBuilder().Write({5, 3}, 100, "a").Write({5, 3}, 200, "b");
  const redo::Lsn end = log_.Append(mtr);
  log_.Append(MtrBuilder().Write({5, 3}, 300, "c"));

  const auto scan = Scan();

  ASSERT_THAT(scan, IsOk());
  EXPECT_EQ(scan->mtr_count, 2U);
  EXPECT_EQ(scan->entry_count, 2U);
  EXPECT_EQ(scan->end_lsn, log_.end_lsn());
  EXPECT_THAT(Entries(), ElementsAre(fmt::format("5:3@{}+{}", kFirstLsn, end - kFirstLsn),
                                     fmt::format("5:3@{}+{}", end, log_.end_lsn() - end)));
  EXPECT_EQ(records_[0], mtr.body());
}

TEST_F(ScanRedoTest, PagesOfOneMtrAreEntriesOfTheirOwn) {
  MtrBuilder mtr;
  mtr.Write({5, 3}, 100, "a").InitPage({6, 4}).Write({6, 4}, 200, "b").FreePage({5, 9});
  log_.Append(mtr);

  ASSERT_THAT(Scan(), IsOk());

  const std::string place = fmt::format("@{}+{}", kFirstLsn, log_.end_lsn() - kFirstLsn);
  EXPECT_THAT(Entries(), ElementsAre("5:3" + place, "6:4" + place + "r", "5:9" + place + "rf"));
  EXPECT_EQ(records_[0] + records_[1] + records_[2], mtr.body());
}

TEST_F(ScanRedoTest, RebuildBeginsAnEntryEvenBehindTheSamePage) {
  log_.Append(MtrBuilder().Write({5, 3}, 100, "a").InitPage({5, 3}).Write({5, 3}, 200, "b"));

  ASSERT_THAT(Scan(), IsOk());

  const std::string place = fmt::format("@{}+{}", kFirstLsn, log_.end_lsn() - kFirstLsn);
  EXPECT_THAT(Entries(), ElementsAre("5:3" + place, "5:3" + place + "r"));
}

TEST_F(ScanRedoTest, SpaceLogKnowsNamesFirstRedoAndRebuiltFirstPage) {
  log_.Append(MtrBuilder().FileCreate(6, "./db/b.ibd"));
  const redo::Lsn first = log_.end_lsn();
  log_.Append(MtrBuilder().InitPage({6, 0}).Write({6, 0}, 100, "made"));
  log_.Append(MtrBuilder().Write({6, 1}, 100, "x").Write({5, 0}, 100, "y"));
  log_.Append(MtrBuilder().FreePage({7, 0}));

  const auto scan = Scan();

  ASSERT_THAT(scan, IsOk());
  const SpaceLog& made = scan->logs.spaces.at(6);
  EXPECT_EQ(made.last_name, "db/b.ibd");
  EXPECT_TRUE(made.is_created);
  EXPECT_TRUE(made.has_first_page);
  EXPECT_EQ(made.first_page_lsn, first);
  EXPECT_EQ(made.entry_count, 2U);
  EXPECT_FALSE(scan->logs.spaces.at(5).has_first_page);  // only changed
  EXPECT_FALSE(scan->logs.spaces.at(7).has_first_page);  // only freed
}

TEST_F(ScanRedoTest, TrimIsNotedAndIsNoEntry) {
  log_.Append(MtrBuilder().TrimPages(1, 640).InitPage({1, 0}));

  const auto scan = Scan();

  ASSERT_THAT(scan, IsOk());
  ASSERT_EQ(scan->logs.trims.at(1).size(), 1U);
  EXPECT_EQ(scan->logs.trims.at(1)[0].start_lsn, kFirstLsn);
  EXPECT_EQ(scan->logs.trims.at(1)[0].page_count, 640U);
  EXPECT_EQ(scan->entry_count, 1U);
}

TEST_F(ScanRedoTest, SamePageRecordBehindATrimIsCorruptionAtItsLsn) {
  log_.Append(MtrBuilder().Write({5, 3}, 100, "a"));
  const redo::Lsn bad = log_.end_lsn();
  log_.Append(MtrBuilder().TrimPages(1, 640).Write({1, 640}, 100, "b"));

  EXPECT_THAT(Scan(), StatusIs(StatusCode::kCorruption,
                               AllOf(HasSubstr("TRIM_PAGES"),
                                     HasSubstr("ib_logfile0, LSN " + std::to_string(bad)))));
}

TEST_F(ScanRedoTest, RecordThatNoServerWritesIsCorruptionAtItsLsn) {
  log_.Append(MtrBuilder().Record(0x60, "\x05\x03"));  // a reserved type

  EXPECT_THAT(Scan(),
              StatusIs(StatusCode::kCorruption, HasSubstr("LSN " + std::to_string(kFirstLsn))));
}

TEST_F(ScanRedoTest, StopsWhenAskedTo) {
  for (int i = 0; i < 5000; ++i)
    log_.Append(MtrBuilder().Write({5, 3}, 100, "a"));
  std::stop_source stop;
  stop.request_stop();

  EXPECT_THAT(Scan(stop.get_token()), StatusIs(StatusCode::kInterrupted, ::testing::_));
}

}  // namespace
}  // namespace hbk::prepare::redo_scan_test
