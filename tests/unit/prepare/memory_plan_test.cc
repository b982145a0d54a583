#include "memory_plan.h"

#include <gtest/gtest.h>

#include "redo_entry.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr uint64_t kMiB = 1 << 20;

TEST(MemoryPlanTest, StaysWithinTheMemoryWhateverTheRedo) {
  for (const uint64_t memory :
       {8 * kMiB, 9 * kMiB, 32 * kMiB, 127 * kMiB, 256 * kMiB, 100000 * kMiB}) {
    for (const uint32_t workers : {1U, 2U, 7U, 64U, 100000U}) {
      for (const uint64_t redo : {uint64_t{0}, kMiB, 1000 * kMiB, 1000000 * kMiB}) {
        const auto plan = PlanMemory(memory, workers, redo);

        ASSERT_THAT(plan, IsOk());
        EXPECT_LE(plan->TotalBytes(), memory) << memory << ' ' << workers << ' ' << redo;
      }
    }
  }
}

TEST(MemoryPlanTest, EveryPartHasRoomForTheLargestThing) {
  for (const uint64_t memory : {8 * kMiB, 33 * kMiB, 256 * kMiB}) {
    for (const uint32_t workers : {1U, 4U, 64U}) {
      const auto plan = PlanMemory(memory, workers, 1000 * kMiB);

      ASSERT_THAT(plan, IsOk());
      EXPECT_GE(plan->entry_bytes, kRedoEntryBytesMax);
      EXPECT_GE(plan->index_bytes,
                plan->entry_bytes / kRedoEntryBytesMin * (kIndexItemBytes + kIndexPageBytes));
      EXPECT_GE(plan->frame_bytes, 4U * 65536);
      EXPECT_GE(plan->journal_bytes, 65536U);
      EXPECT_GT(plan->block_count, plan->partition_count + 1);
      EXPECT_GE(plan->worker_count, 1U);
    }
  }
}

TEST(MemoryPlanTest, ManyReadersStayWithinTheMemoryToo) {
  for (const uint64_t memory : {8 * kMiB, 9 * kMiB, 64 * kMiB, 256 * kMiB, 100000 * kMiB}) {
    for (const uint32_t readers : {1U, 2U, 3U, 8U, 64U}) {
      for (const uint64_t redo : {uint64_t{0}, 64 * kMiB, 1500 * kMiB, 1000000 * kMiB}) {
        const auto plan = PlanMemory(memory, readers, redo, readers);

        ASSERT_THAT(plan, IsOk());
        const auto place = ::testing::Message() << memory << ' ' << readers << ' ' << redo;
        EXPECT_LE(plan->TotalBytes(), memory) << place;
        EXPECT_GE(plan->section_count, 1U) << place;
        EXPECT_LE(plan->section_count, readers) << place;
        EXPECT_GT(plan->block_count, (plan->partition_count + 1) * plan->section_count) << place;
        EXPECT_GT(plan->window_bytes, redo::kMiniTransactionBytesMax) << place;
      }
    }
  }
}

TEST(MemoryPlanTest, LittleRedoIsReadByOne) {
  EXPECT_EQ(PlanMemory(256 * kMiB, 8, 7 * kMiB, 8)->section_count, 1U);
  EXPECT_EQ(PlanMemory(256 * kMiB, 8, 1500 * kMiB, 8)->section_count, 8U);
  EXPECT_EQ(PlanMemory(256 * kMiB, 8, 1500 * kMiB, 8)->partition_count,
            PlanMemory(256 * kMiB, 8, 1500 * kMiB, 1)->partition_count);
}

TEST(MemoryPlanTest, MoreRedoMeansMorePartitions) {
  const auto small = PlanMemory(256 * kMiB, 2, kMiB);
  const auto large = PlanMemory(256 * kMiB, 2, 4000 * kMiB);

  EXPECT_LT(small->partition_count, large->partition_count);
}

TEST(MemoryPlanTest, TooLittleIsUsage) {
  EXPECT_THAT(PlanMemory(kUseMemoryBytesMin - 1, 1, 0),
              StatusIs(StatusCode::kUsage, HasSubstr("too few")));
}

}  // namespace
}  // namespace hbk::prepare
