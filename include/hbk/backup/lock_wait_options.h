// How long a backup waits for its stages, and what it may do about what holds them up.
//
// Units    Seconds.
// Threads  Values.
#pragma once

#include <cstdint>

namespace hbk::backup {

// Which statements may be ended; those of one kind, in mariadb-backup's words.
enum class KillQueryType {
  kSelect,  // reading ones: they hold a stage up only if they write through a function
  kUpdate,  // those that change rows or tables
  kAll,
};

struct LockWaitOptions {
  uint32_t timeout_s = 60;  // of one attempt
  // From the first attempt (or the wait before it) until no further one is made. 0: one attempt.
  // Five minutes: a job of cron outlives a statement of some minutes, and still says in the same
  // hour that it failed.
  uint32_t retry_time_s = 300;
  // Before an attempt: wait until no statement that would hold it up has been running for longer.
  // 0: no such wait.
  uint32_t threshold_s = 0;
  // After so long in an attempt, statements that hold it up are ended. 0: never.
  uint32_t kill_after_s = 0;
  KillQueryType kill_type = KillQueryType::kSelect;
};

}  // namespace hbk::backup
