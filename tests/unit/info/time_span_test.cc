#include "time_span.h"

#include <gtest/gtest.h>

namespace hbk::info {
namespace {

TEST(TimeSpanTest, SecondsAreCountedAcrossDays) {
  EXPECT_EQ(SecondsBetween("2026-01-31T16:55:30Z", "2026-01-31T16:55:30Z"), 0U);
  EXPECT_EQ(SecondsBetween("2026-02-28T23:59:59Z", "2026-03-01T00:00:01Z"), 2U);
  EXPECT_EQ(SecondsBetween("2024-02-28 23:59:59", "2024-03-01 00:00:01"), 86402U);
}

TEST(TimeSpanTest, WhatIsNoTimeHasNoDuration) {
  const std::string_view good = "2026-01-31T16:55:30Z";
  for (const std::string_view bad :
       {"", "2026-01-31", "2026-02-30T16:55:30Z", "2026-13-01T00:00:00Z", "2026-01-31T24:00:00Z",
        "2026-01-31T16:60:30Z", "2026-01-3x 16:55:30", "garbage garbage garbage"}) {
    EXPECT_EQ(SecondsBetween(bad, good), std::nullopt) << bad;
    EXPECT_EQ(SecondsBetween(good, bad), std::nullopt) << bad;
  }
  EXPECT_EQ(SecondsBetween(good, "2026-01-31T16:55:29Z"), std::nullopt);
}

}  // namespace
}  // namespace hbk::info
