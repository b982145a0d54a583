#include "hbk/report/run_recorder.h"

#include <utility>

namespace hbk::report {
namespace {

double SecondsOf(std::chrono::steady_clock::duration span) {
  return std::chrono::duration<double>(span).count();
}

}  // namespace

RunRecorder::RunRecorder(std::function<void(const RunRecord&)> finish, Clock now)
    : finish_(std::move(finish)), now_(std::move(now)), begin_(now_()) {}

void RunRecorder::BeginPhase(std::string_view name, const Facts& /*facts*/) {
  const auto now = now_();
  const MutexLock lock(mutex_);
  EndPhase(now);
  phase_ = name;
  phase_begin_ = now;
}

// A stage that is asked for again is the same phase.
void RunRecorder::EndPhase(std::chrono::steady_clock::time_point now) {
  if (phase_.empty()) return;
  PhaseTime* found = nullptr;
  for (PhaseTime& each : phases_) {
    if (each.name == phase_) found = &each;
  }
  if (found == nullptr) found = &phases_.emplace_back(PhaseTime{phase_, 0});
  found->seconds += SecondsOf(now - phase_begin_);
  phase_.clear();
}

void RunRecorder::Finish(const Status& status, const Facts& facts) {
  const auto now = now_();
  RunRecord record;
  record.status = status;
  record.facts = facts;
  record.end = std::chrono::system_clock::now();
  record.seconds = SecondsOf(now - begin_);
  record.warning_count = warning_count_;
  {
    const MutexLock lock(mutex_);
    EndPhase(now);
    record.phases = phases_;
  }
  finish_(record);
}

}  // namespace hbk::report
