// A Reporter that says nothing and counts warnings.
#pragma once

#include <atomic>

#include "hbk/report/reporter.h"

namespace hbk::prepare {

class QuietReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view, const report::Facts&) override {}
  void Progress(uint64_t, uint64_t) override {}
  void Info(std::string_view, const report::Facts&) override {}
  void Warning(std::string_view, const report::Facts&) override { ++warning_count_; }
  void Finish(const Status&, const report::Facts&) override {}
  [[nodiscard]] uint64_t warning_count() const override { return warning_count_; }

 private:
  std::atomic<uint64_t> warning_count_{0};
};

}  // namespace hbk::prepare
