// How long the tailer may sleep between two looks at the log.
//
// Two limits: what the server writes at the rate it has shown must not come near the margin, and
// no server that was idle may come around before we look again. A look costs an SQL statement
// (some tenths of a millisecond of the server's time), so busy polling would be no better.
//
// Threads  One at a time.
#pragma once

#include <chrono>
#include <cstdint>

namespace hbk::backup {

class PollPace {
 public:
  // `lag_bytes`: what the server has written and we have not read, of a ring of `capacity`.
  // `written_bytes`: what the server wrote during `elapsed`, the time since the last call.
  std::chrono::microseconds Next(uint64_t lag_bytes, uint64_t capacity, uint64_t written_bytes,
                                 std::chrono::microseconds elapsed);

 private:
  double rate_bytes_per_s_ = 0;
};

}  // namespace hbk::backup
