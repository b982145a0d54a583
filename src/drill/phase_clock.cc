#include "phase_clock.h"

#include <algorithm>

namespace hbk::drill {

double PhaseClock::SecondsSince(Clock::time_point moment) const {
  return std::chrono::duration<double>(now_() - moment).count();
}

void PhaseClock::Add(std::vector<PhaseTime>& times) const {
  if (current_.empty()) return;
  const double seconds = SecondsSince(current_begin_);
  const std::string current = current_;
  const auto same = std::find_if(times.begin(), times.end(), [&current](const PhaseTime& time) {
    return time.name == current;
  });
  if (same == times.end()) {
    times.push_back({current, seconds});
  } else {
    same->seconds += seconds;
  }
}

void PhaseClock::BeginPhase(std::string_view name, const report::Facts& facts) {
  {
    MutexLock lock(mutex_);
    Add(times_);
    current_ = name;
    current_begin_ = now_();
  }
  inner_.BeginPhase(name, facts);
}

void PhaseClock::Progress(uint64_t done_bytes, uint64_t total_bytes) {
  inner_.Progress(done_bytes, total_bytes);
}

void PhaseClock::Info(std::string_view message, const report::Facts& facts) {
  inner_.Info(message, facts);
}

void PhaseClock::Warning(std::string_view message, const report::Facts& facts) {
  {
    MutexLock lock(mutex_);
    warnings_.emplace_back(message);
  }
  inner_.Warning(message, facts);
}

void PhaseClock::Detail(std::string_view message, const report::Facts& facts) {
  inner_.Detail(message, facts);
}

std::vector<PhaseTime> PhaseClock::times() const {
  MutexLock lock(mutex_);
  std::vector<PhaseTime> times = times_;
  Add(times);
  return times;
}

std::string PhaseClock::current() const {
  MutexLock lock(mutex_);
  return current_;
}

std::vector<std::string> PhaseClock::warnings() const {
  MutexLock lock(mutex_);
  return warnings_;
}

double PhaseClock::seconds() const {
  return SecondsSince(begin_);
}

}  // namespace hbk::drill
