#include "table_sample.h"

#include <gtest/gtest.h>

namespace hbk::drill {
namespace {

server::ListedTable Table(int number) {
  return {"shop", "t" + std::to_string(number), "InnoDB", false};
}

TEST(TableSampleTest, NeverLessThanAskedFor) {
  EXPECT_EQ(PartCount(100), 1U);
  EXPECT_EQ(PartCount(51), 1U);
  EXPECT_EQ(PartCount(50), 2U);
  EXPECT_EQ(PartCount(30), 3U);
  EXPECT_EQ(PartCount(20), 5U);
  EXPECT_EQ(PartCount(1), 100U);
}

TEST(TableSampleTest, InAsManyTurnsAsThereArePartsEachTableIsCheckedOnce) {
  for (int number = 0; number < 1000; ++number) {
    int count = 0;
    for (uint64_t turn = 20481; turn < 20481 + 5; ++turn)
      count += HasItsTurn(Table(number), 5, turn) ? 1 : 0;
    EXPECT_EQ(count, 1) << number;
  }
}

TEST(TableSampleTest, ThePartsAreOfAboutTheSameSize) {
  for (uint64_t turn = 0; turn < 5; ++turn) {
    int count = 0;
    for (int number = 0; number < 1000; ++number)
      count += HasItsTurn(Table(number), 5, turn) ? 1 : 0;
    EXPECT_GT(count, 120);
    EXPECT_LT(count, 280);
  }
}

TEST(TableSampleTest, TheWholeIsOnePart) {
  EXPECT_TRUE(HasItsTurn(Table(1), PartCount(100), 7));
}

TEST(TableSampleTest, ANewBackupHasTheTurnOfTheDayAndAnotherDrillTheNext) {
  EXPECT_EQ(NextTurn(std::nullopt, 86400 * 20000 + 5), 20000U);
  EXPECT_EQ(NextTurn(std::nullopt, 86400 * 20001 + 5), 20001U);
  manifest::DrilledRecord last;
  EXPECT_EQ(NextTurn(last, 86400 * 20000), 20000U);
  last.sample_turn = 20000;
  EXPECT_EQ(NextTurn(last, 86400 * 20000), 20001U);
}

}  // namespace
}  // namespace hbk::drill
