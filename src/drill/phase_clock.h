// A Reporter that hands everything on, and remembers how long each phase took and what was warned
// of: also of the operations that a drill is made of.
//
// Units    Seconds.
// Threads  As Reporter. `inner` must outlive it.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/report/reporter.h"

#include "drill_report.h"

namespace hbk::drill {

class PhaseClock final : public report::Reporter {
 public:
  using Clock = std::chrono::steady_clock;
  explicit PhaseClock(
      report::Reporter& inner, std::function<Clock::time_point()> now = [] { return Clock::now(); })
      : inner_(inner), now_(std::move(now)), begin_(now_()) {}

  using Reporter::BeginPhase;
  using Reporter::Info;
  using Reporter::Warning;
  void BeginPhase(std::string_view name, const report::Facts& facts) override;
  void Progress(uint64_t done_bytes, uint64_t total_bytes) override;
  void Info(std::string_view message, const report::Facts& facts) override;
  void Warning(std::string_view message, const report::Facts& facts) override;
  void Detail(std::string_view message, const report::Facts& facts) override;
  // The last word belongs to whoever owns the inner one.
  void Finish(const Status& /*status*/, const report::Facts& /*facts*/) override {}
  [[nodiscard]] uint64_t warning_count() const override { return inner_.warning_count(); }

  // Those that are over, and the one that goes on as far as it is. A phase that came several times
  // is one of them.
  [[nodiscard]] std::vector<PhaseTime> times() const;
  [[nodiscard]] std::string current() const;
  [[nodiscard]] std::vector<std::string> warnings() const;
  // Since it was made.
  [[nodiscard]] double seconds() const;

 private:
  double SecondsSince(Clock::time_point moment) const;
  void Add(std::vector<PhaseTime>& times) const HBK_REQUIRES(mutex_);

  report::Reporter& inner_;
  const std::function<Clock::time_point()> now_;
  const Clock::time_point begin_;
  mutable Mutex mutex_;
  std::vector<PhaseTime> times_ HBK_GUARDED_BY(mutex_);
  std::vector<std::string> warnings_ HBK_GUARDED_BY(mutex_);
  std::string current_ HBK_GUARDED_BY(mutex_);
  Clock::time_point current_begin_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::drill
