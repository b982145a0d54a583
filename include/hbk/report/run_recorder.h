// A reporter that shows nothing and measures the run: for metrics.
//
// Units    Seconds.
// Threads  Every call from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/report/reporter.h"

namespace hbk::report {

struct PhaseTime {
  std::string name;
  double seconds = 0;
};

struct RunRecord {
  Status status;
  Facts facts;  // of Finish
  std::chrono::system_clock::time_point end;
  double seconds = 0;  // from the recorder's beginning to Finish, by a clock that never jumps
  std::vector<PhaseTime> phases;  // each name once, in the order of their first time
  uint64_t warning_count = 0;
};

class RunRecorder final : public Reporter {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  // `finish` gets the record when the run has ended, within Finish.
  explicit RunRecorder(
      std::function<void(const RunRecord&)> finish,
      Clock now = [] { return std::chrono::steady_clock::now(); });

  void BeginPhase(std::string_view name, const Facts& facts) override;
  void Progress(uint64_t /*done_bytes*/, uint64_t /*total_bytes*/) override {}
  void Info(std::string_view /*message*/, const Facts& /*facts*/) override {}
  void Warning(std::string_view /*message*/, const Facts& /*facts*/) override { ++warning_count_; }
  void Finish(const Status& status, const Facts& facts) override;

  [[nodiscard]] uint64_t warning_count() const override { return warning_count_; }

 private:
  void EndPhase(std::chrono::steady_clock::time_point now) HBK_REQUIRES(mutex_);

  const std::function<void(const RunRecord&)> finish_;
  const Clock now_;
  const std::chrono::steady_clock::time_point begin_;
  std::atomic<uint64_t> warning_count_ = 0;
  Mutex mutex_;
  std::vector<PhaseTime> phases_ HBK_GUARDED_BY(mutex_);
  std::string phase_ HBK_GUARDED_BY(mutex_);  // empty: none has begun
  std::chrono::steady_clock::time_point phase_begin_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::report
