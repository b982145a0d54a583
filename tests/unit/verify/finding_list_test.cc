#include "finding_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::verify {
namespace {

Finding At(const std::string& file, uint64_t offset) {
  return {.kind = FindingKind::kPage,
          .backup_dir = "/b",
          .file = file,
          .what = "bad",
          .page = offset,
          .offset = offset};
}

TEST(FindingListTest, OfAFileOnlySoManyAreKeptAndAllAreCounted) {
  FindingList list(2);
  for (uint64_t offset = 0; offset < 5; ++offset)
    list.Add(At("a", offset));
  list.Add(At("b", 0));

  EXPECT_EQ(list.count(), 6U);
  EXPECT_EQ(list.FileCount(), 2U);
  EXPECT_EQ(list.Take().size(), 3U);
}

TEST(FindingListTest, TheyComeByFileAndOffset) {
  FindingList list(9);
  list.Add(At("b", 1));
  list.Add(At("a", 7));
  list.Add(At("a", 3));

  const auto findings = list.Take();

  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].offset, 3U);
  EXPECT_EQ(findings[1].offset, 7U);
  EXPECT_EQ(findings[2].file, "b");
}

}  // namespace
}  // namespace hbk::verify
