// RateLimiter: even spacing, no bursts, stop. Reserve takes the time as an argument: no sleeping.
#include "hbk/io/rate_limiter.h"

#include <chrono>
#include <stop_token>

#include <gtest/gtest.h>

namespace hbk::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const RateLimiter::Clock::time_point kStart = RateLimiter::Clock::time_point() + seconds(1000);

TEST(RateLimiterTest, ZeroIsNoLimit) {
  RateLimiter limiter(0);

  EXPECT_EQ(limiter.Reserve(1'000'000, kStart), kStart);
  EXPECT_EQ(limiter.Reserve(1, kStart), kStart);
  EXPECT_TRUE(limiter.Acquire(1'000'000, std::stop_token()));
}

TEST(RateLimiterTest, HundredOperationsTakeASecondAtHundredPerSecond) {
  RateLimiter limiter(100);

  RateLimiter::Clock::time_point turn;
  for (int i = 0; i <= 110; ++i)
    turn = limiter.Reserve(1, kStart);

  // One tenth of a second is credit at the start.
  EXPECT_EQ(turn, kStart + seconds(1));
}

TEST(RateLimiterTest, SeveralOperationsAtOncePushTheNextBack) {
  RateLimiter limiter(10);

  EXPECT_EQ(limiter.Reserve(20, kStart), kStart);

  EXPECT_EQ(limiter.Reserve(1, kStart), kStart + milliseconds(1900));
}

TEST(RateLimiterTest, APauseIsNotSavedUp) {
  RateLimiter limiter(10);
  (void)limiter.Reserve(1, kStart);
  const auto later = kStart + seconds(3600);

  (void)limiter.Reserve(1, later);
  (void)limiter.Reserve(1, later);

  EXPECT_EQ(limiter.Reserve(1, later), later + milliseconds(100));
}

TEST(RateLimiterTest, AStopEndsTheWait) {
  RateLimiter limiter(1);
  std::stop_source source;
  source.request_stop();
  ASSERT_FALSE(limiter.Acquire(1, source.get_token()));

  // Its turn would be in an hour.
  (void)limiter.Reserve(3600, RateLimiter::Clock::now());

  EXPECT_FALSE(limiter.Acquire(1, source.get_token()));
}

}  // namespace
}  // namespace hbk::io
