// Tells several reporters the same: the terminal, a log, whoever measures the run.
//
// Threads  Every call from any thread.
#pragma once

#include <vector>

#include "hbk/report/reporter.h"

namespace hbk::report {

class FanOutReporter final : public Reporter {
 public:
  // Borrows them. They are told in this order; the last one also after whatever the others had to
  // say to it while they finished.
  explicit FanOutReporter(std::vector<Reporter*> reporters) : reporters_(std::move(reporters)) {}

  void BeginPhase(std::string_view name, const Facts& facts) override;
  void Progress(uint64_t done_bytes, uint64_t total_bytes) override;
  void Info(std::string_view message, const Facts& facts) override;
  void Warning(std::string_view message, const Facts& facts) override;
  void Detail(std::string_view message, const Facts& facts) override;
  void Finish(const Status& status, const Facts& facts) override;

  // The largest one: a reporter may have got warnings that the others did not.
  [[nodiscard]] uint64_t warning_count() const override;

 private:
  const std::vector<Reporter*> reporters_;
};

}  // namespace hbk::report
