#include "hbk/io/rate_limiter.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace hbk::io {
namespace {

using Clock = RateLimiter::Clock;

// Time that was not used is not saved up, or a pause would end in a burst; a little of it is, or a
// thread that wakes up late would lose its rate.
constexpr Clock::duration kCreditMax = std::chrono::milliseconds(100);

// False if stopped before.
bool SleepUntil(Clock::time_point time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock lock(mutex);
  condition.wait_until(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

Clock::duration TimeFor(uint64_t count, uint64_t units_per_s) {
  const std::chrono::duration<double> seconds(static_cast<double>(count) /
                                              static_cast<double>(units_per_s));
  return std::chrono::duration_cast<Clock::duration>(seconds);
}

}  // namespace

bool RateLimiter::Acquire(uint64_t count, const std::stop_token& stop) {
  if (units_per_s_ == 0) return !stop.stop_requested();
  const Clock::time_point now = Clock::now();
  const Clock::time_point turn = Reserve(count, now);
  if (turn == now) return !stop.stop_requested();
  return SleepUntil(turn, stop);
}

Clock::time_point RateLimiter::Reserve(uint64_t count, Clock::time_point now) {
  if (units_per_s_ == 0) return now;
  const MutexLock lock(mutex_);
  const Clock::time_point turn = std::max(next_free_, now - kCreditMax);
  next_free_ = turn + TimeFor(count, units_per_s_);
  return std::max(turn, now);
}

}  // namespace hbk::io
