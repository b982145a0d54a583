#include "work_plan.h"

#include <gtest/gtest.h>

namespace hbk::verify {
namespace {

TEST(WorkPlanTest, FilesAreCutIntoParts) {
  WorkPlan plan;
  plan.AddFile(0, true);
  plan.AddFile(kPartBytes + 1, true);

  EXPECT_EQ(plan.total_bytes(), kPartBytes + 1);
  EXPECT_EQ(plan.Take()->size, 0U);
  EXPECT_EQ(plan.Take()->size, kPartBytes);
  const auto last = plan.Take();
  EXPECT_EQ(last->file, 1U);
  EXPECT_EQ(last->offset, kPartBytes);
  EXPECT_EQ(last->size, 1U);
  EXPECT_FALSE(plan.Take());
}

TEST(WorkPlanTest, ASampleIsTheSameForTheSameSeed) {
  const auto count = [](double share, uint64_t seed) {
    WorkPlan plan;
    plan.AddFile(1000 * kPartBytes, true);
    plan.Sample(share, seed);
    uint64_t sum = 0;
    while (const auto part = plan.Take())
      sum += part->offset;
    return std::pair(plan.PartsOf(0), sum);
  };
  EXPECT_EQ(count(0.1, 7), count(0.1, 7));
  EXPECT_NE(count(0.1, 7), count(0.1, 8));
  EXPECT_GT(count(0.1, 7).first, 50U);
  EXPECT_LT(count(0.1, 7).first, 150U);
}

TEST(WorkPlanTest, AWholeFileIsOnePartAndInEverySample) {
  WorkPlan plan;
  plan.AddWholeFile(3 * kPartBytes);
  plan.AddFile(1000 * kPartBytes, true);
  plan.Sample(0, 7);

  EXPECT_EQ(plan.total_bytes(), 3 * kPartBytes);
  EXPECT_TRUE(plan.IsWhole(0));
  const auto part = plan.Take();
  ASSERT_TRUE(part);
  EXPECT_EQ(part->file, 0U);
  EXPECT_EQ(part->size, 3 * kPartBytes);
  EXPECT_FALSE(plan.Take());
  EXPECT_EQ(plan.NextOpen()->offset, 0U);
}

TEST(WorkPlanTest, TheFirstOpenPartIsWhereTheNextRunGoesOn) {
  WorkPlan plan;
  plan.AddFile(2 * kPartBytes, true);
  plan.AddFile(3 * kPartBytes, true);
  plan.Take();
  const auto second = plan.Take();
  plan.Done({.index = 0, .file = 0, .offset = 0, .size = 0});
  const auto third = plan.Take();
  plan.Done(*third);
  EXPECT_EQ(plan.NextOpen()->offset, second->offset);

  plan.Done(*second);
  plan.Close();
  EXPECT_FALSE(plan.Take());
  ASSERT_TRUE(plan.NextOpen());
  EXPECT_EQ(plan.NextOpen()->file, 1U);
  EXPECT_EQ(plan.NextOpen()->offset, kPartBytes);
}

TEST(WorkPlanTest, AFileThatCannotBeSplitIsBegunAgain) {
  WorkPlan plan;
  plan.AddFile(3 * kPartBytes, false);
  plan.Done(*plan.Take());

  EXPECT_EQ(plan.NextOpen()->offset, 0U);
}

TEST(WorkPlanTest, WhatIsSkippedMakesAFileIncomplete) {
  WorkPlan plan;
  plan.AddFile(2 * kPartBytes, true);
  plan.AddFile(2 * kPartBytes, true);
  plan.SkipTo(0, kPartBytes);

  EXPECT_FALSE(plan.IsWhole(0));
  EXPECT_TRUE(plan.IsWhole(1));
  EXPECT_EQ(plan.Take()->offset, kPartBytes);
}

}  // namespace
}  // namespace hbk::verify
