// A Reporter that only counts warnings.
#pragma once

#include <atomic>
#include <string_view>

#include "hbk/report/reporter.h"

namespace hbk::testing {

class SilentReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view /*name*/, const report::Facts& /*facts*/) override {}
  void Progress(uint64_t /*done_bytes*/, uint64_t /*total_bytes*/) override {}
  void Info(std::string_view /*message*/, const report::Facts& /*facts*/) override {}
  void Warning(std::string_view /*message*/, const report::Facts& /*facts*/) override {
    ++warnings_;
  }
  void Finish(const Status& /*status*/, const report::Facts& /*facts*/) override {}
  [[nodiscard]] uint64_t warning_count() const override { return warnings_; }

 private:
  std::atomic<uint64_t> warnings_ = 0;
};

}  // namespace hbk::testing
