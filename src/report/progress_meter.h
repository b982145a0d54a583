// How fast a phase goes, and when it will be over.
//
// Threads  One at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace hbk::report {

class ProgressMeter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Forgets the phase before.
  void Begin(TimePoint now);
  // What is behind the furthest point that was told is ignored: workers report out of order.
  // total 0: not known.
  void Update(uint64_t done_bytes, uint64_t total_bytes, TimePoint now);

  [[nodiscard]] uint64_t done_bytes() const { return done_bytes_; }
  [[nodiscard]] uint64_t total_bytes() const { return total_bytes_; }
  // Over the last ten seconds. Nothing before there is something to tell.
  [[nodiscard]] std::optional<double> RateBytesPerS() const;
  [[nodiscard]] std::optional<double> EtaS() const;

  // "copy innodb files  43 %  1.2 of 2.8 GiB  310 MiB/s  ETA 5 s"
  [[nodiscard]] std::string Line(std::string_view phase) const;

 private:
  struct Sample {
    TimePoint time;
    uint64_t done_bytes;
  };

  uint64_t done_bytes_ = 0;
  uint64_t total_bytes_ = 0;
  std::deque<Sample> samples_;
};

}  // namespace hbk::report
