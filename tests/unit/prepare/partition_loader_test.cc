#include "partition_loader.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;

enum Kind { kChange, kRebuild, kFree };

class PartitionLoaderTest : public ::testing::Test {
 protected:
  void Add(innodb::Lsn lsn, innodb::PageNo page, Kind kind, size_t size = 10) {
    RedoEntryHeader header;
    header.start_lsn = lsn;
    header.mtr_bytes = 50;
    header.space = 7;
    header.page = page;
    header.length = static_cast<uint32_t>(size) & 0x3FFFFFFF;
    header.is_rebuild = kind != kChange;
    header.is_free = kind == kFree;
    const std::string body(size, 'r');
    ASSERT_THAT(store_.section(0).Append(0, HeaderBytes(header), AsBytes(body)), IsOk());
  }

  // "page:lsn,lsn* ..." of all batches, with | between them; * marks a rebuild.
  std::string LoadAll() {
    PartitionLoader loader(store_, logs_, *PlanMemory(kUseMemoryBytesMin, 1, 0));
    std::string text;
    EXPECT_THAT(loader.Begin(0), IsOk());
    for (;;) {
      const auto has_batch = loader.NextBatch();
      EXPECT_THAT(has_batch, IsOk());
      if (!has_batch.ok() || !*has_batch) return text;
      PageRedo redo;
      while (loader.NextPage(redo)) {
        text += std::to_string(redo.page.page) + (redo.is_rebuildable ? "r" : "") + ":";
        for (const auto& item : redo.items) {
          text += std::to_string(redo.Header(item).start_lsn);
          text += redo.Header(item).is_rebuild != 0 ? "*," : ",";
        }
        text += redo.ends_free ? "f " : " ";
      }
      text += "| ";
    }
  }

  MemFileSystem fs_;
  SpaceLogs logs_;
  PartitionStore store_{
      fs_,
      {.partition_count = 1, .block_bytes = 1 << 20, .block_count = 64, .spill_path = "/spill"}};
};

TEST_F(PartitionLoaderTest, PagesComeInOrderWithTheirRedoInOrder) {
  Add(100, 9, kChange);
  Add(100, 3, kChange);
  Add(200, 9, kChange);

  EXPECT_EQ(LoadAll(), "3:100, 9:100,200, | ");
}

TEST_F(PartitionLoaderTest, RedoBeforeARebuildDoesNotCount) {
  Add(100, 3, kChange);
  Add(200, 3, kRebuild);
  Add(300, 3, kChange);
  Add(400, 4, kChange);

  EXPECT_EQ(LoadAll(), "3r:200*,300, 4:400, | ");
}

TEST_F(PartitionLoaderTest, ChangeBeforeARebuildInOneMtrDoesNotCount) {
  Add(200, 3, kChange);
  Add(200, 3, kRebuild);
  Add(200, 3, kChange);

  EXPECT_EQ(LoadAll(), "3r:200*,200, | ");
}

TEST_F(PartitionLoaderTest, TruncatedRedoDoesNotCount) {
  logs_.trims[7].push_back({.start_lsn = 250, .page_count = 4});
  Add(100, 3, kRebuild);
  Add(200, 3, kChange);
  Add(300, 5, kRebuild);

  EXPECT_EQ(LoadAll(), "5r:300*, | ");
}

TEST_F(PartitionLoaderTest, RedoBeforeADeletionDoesNotCount) {
  logs_.deletions[7] = 250;
  Add(100, 3, kRebuild);
  Add(200, 3, kChange);
  Add(300, 3, kChange);

  EXPECT_EQ(LoadAll(), "3:300, | ");
}

TEST_F(PartitionLoaderTest, LargePartitionIsCutBetweenMtrsAndKnowsLaterRebuilds) {
  constexpr size_t kLarge = 360 << 10;  // three of them fill the 1.125 MiB of the smallest plan
  Add(100, 3, kChange, kLarge);
  Add(100, 4, kChange, kLarge);
  Add(200, 4, kChange, kLarge);
  Add(200, 5, kChange, kLarge);
  Add(300, 3, kRebuild, kLarge);
  Add(400, 3, kChange, kLarge);

  EXPECT_EQ(LoadAll(), "4:100, | 3r:300*, 4:200, 5:200, | 3r:400, | ");
}

TEST_F(PartitionLoaderTest, FreedPageHasNoRedo) {
  Add(100, 3, kChange);
  Add(200, 3, kFree);
  Add(300, 4, kFree);
  Add(400, 4, kRebuild);

  EXPECT_EQ(LoadAll(), "3:f 4r:400*, | ");
}

TEST_F(PartitionLoaderTest, PageFreedInALaterBackupKeepsTheRedoOfOlderOnes) {
  logs_.part_starts = {0, 150, 250};
  logs_.oldest_parts[7] = 0;
  Add(100, 3, kChange);
  Add(110, 4, kFree);
  Add(120, 4, kRebuild);
  Add(130, 5, kChange);
  Add(200, 3, kChange);
  Add(210, 3, kFree);
  Add(220, 4, kFree);
  Add(300, 4, kRebuild);
  Add(310, 4, kFree);
  Add(320, 5, kChange);

  EXPECT_EQ(LoadAll(), "3:100,f 4r:120*,f 5:130,320, | ");
}

TEST_F(PartitionLoaderTest, PageFreedInALaterBackupIsKnownInALargePartition) {
  constexpr size_t kLarge = 360 << 10;
  logs_.part_starts = {0, 150, 250};
  logs_.oldest_parts[7] = 0;
  Add(100, 3, kChange, kLarge);
  Add(110, 4, kRebuild, kLarge);
  Add(120, 4, kChange, kLarge);
  Add(200, 3, kChange, kLarge);
  Add(210, 3, kFree, kLarge);
  Add(220, 4, kFree, kLarge);
  Add(300, 4, kRebuild, kLarge);
  Add(310, 4, kFree, kLarge);

  EXPECT_EQ(LoadAll(), "3:100, 4r:110*,120, | 3:f | 4r:f | ");
}

TEST_F(PartitionLoaderTest, MtrThatDoesNotFitIsAnError) {
  for (int i = 0; i < 4; ++i)
    Add(100, 3, kChange, 900 << 10);
  PartitionLoader loader(store_, logs_, *PlanMemory(kUseMemoryBytesMin, 1, 0));

  EXPECT_THAT(loader.Begin(0),
              testing::StatusIs(StatusCode::kFailed, ::testing::HasSubstr("too large")));
}

}  // namespace
}  // namespace hbk::prepare
