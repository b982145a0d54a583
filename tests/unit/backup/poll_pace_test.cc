#include "poll_pace.h"

#include <chrono>

#include <gtest/gtest.h>

namespace hbk::backup {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kSmallLog = 12 << 20;
constexpr uint64_t kLargeLog = uint64_t{1} << 30;

TEST(PollPaceTest, ASmallIdleLogIsLookedAtBeforeABurstCouldFillAQuarter) {
  PollPace pace;

  const auto pause = pace.Next(0, kSmallLog, 0, 10ms);

  EXPECT_GE(pause, 2ms);
  EXPECT_LE(pause, 10ms);
}

TEST(PollPaceTest, ALargeIdleLogIsLeftAloneForAMoment) {
  PollPace pace;

  EXPECT_EQ(pace.Next(0, kLargeLog, 0, 10ms), 200ms);
}

TEST(PollPaceTest, AFastWriterIsLookedAtOften) {
  PollPace pace;

  const auto pause = pace.Next(0, kLargeLog, 1 << 30, 1s);

  EXPECT_LE(pause, 70ms);
}

TEST(PollPaceTest, ABurstIsRememberedForAWhile) {
  PollPace pace;
  (void)pace.Next(0, kLargeLog, uint64_t{10} << 30, 1s);

  const auto soon = pace.Next(0, kLargeLog, 0, 10ms);
  for (int i = 0; i < 20; ++i)
    (void)pace.Next(0, kLargeLog, 0, 10ms);
  const auto later = pace.Next(0, kLargeLog, 0, 10ms);

  EXPECT_LT(soon, later);
}

TEST(PollPaceTest, ThereIsNoPauseWithALargeLag) {
  PollPace pace;

  EXPECT_EQ(pace.Next(kSmallLog / 2, kSmallLog, 0, 10ms), 0us);
}

TEST(PollPaceTest, NoTimeBetweenTwoCallsIsNoDivisionByZero) {
  PollPace pace;

  EXPECT_EQ(pace.Next(0, kSmallLog, 100 << 20, 0us), 1ms);
}

}  // namespace
}  // namespace hbk::backup
