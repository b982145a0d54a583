// Lets so much a second pass, over all threads: what --throttle and --rate-limit promise.
//
// Units    Whatever is counted: transfers of 1 MiB, bytes. They are spread evenly: after a pause
//          there is no burst to catch up, beyond one tenth of a second.
//
// Threads  Any. No thread sleeps with the lock held; one that waits wakes up when it is told to
//          stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "hbk/base/mutex.h"

namespace hbk::io {

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  // 0: no limit.
  explicit RateLimiter(uint64_t units_per_s) : units_per_s_(units_per_s) {}

  // Waits for the turn of `count` units. False if stopped before it came.
  [[nodiscard]] bool Acquire(uint64_t count, const std::stop_token& stop) HBK_EXCLUDES(mutex_);

  // Takes the next free time for `count` units, and says when that is: the caller must not
  // begin before. Never earlier than `now`. Acquire is this and a wait.
  [[nodiscard]] Clock::time_point Reserve(uint64_t count, Clock::time_point now)
      HBK_EXCLUDES(mutex_);

 private:
  const uint64_t units_per_s_;
  Mutex mutex_;
  Clock::time_point next_free_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::io
