#include "hbk/report/fan_out_reporter.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recorder.h"

namespace hbk::report {
namespace {

class FanOutReporterTest : public ::testing::Test {
 protected:
  FanOutReporterTest()
      : first_(MakeJsonReporter({.verbose = true}, first_texts_.MakeSurroundings(false))),
        second_(MakeJsonReporter({.verbose = true}, second_texts_.MakeSurroundings(false))),
        both_({first_.get(), second_.get()}) {}

  Recorder first_texts_;
  Recorder second_texts_;
  const std::unique_ptr<Reporter> first_;
  const std::unique_ptr<Reporter> second_;
  FanOutReporter both_;
};

TEST_F(FanOutReporterTest, EveryoneIsToldTheSame) {
  Reporter& both = both_;
  both.BeginPhase("phase", {{"a", "1"}});
  both.Progress(1, 2);
  both.Info("info", {});
  both.Detail("detail", {});
  both.Warning("warning", {});
  both.Finish(FailedError("error"), {{"a", "1"}});

  const std::string texts = first_texts_.Take();
  for (const char* word : {"phase", "progress", "info", "detail", "warning", "error"})
    EXPECT_THAT(texts, ::testing::HasSubstr(word));
  EXPECT_EQ(second_texts_.Take(), texts);
}

TEST_F(FanOutReporterTest, WarningsOfOneReporterCountForAll) {
  both_.Warning("for both", {});
  second_->Warning("for one");

  EXPECT_EQ(both_.warning_count(), 2);
}

}  // namespace
}  // namespace hbk::report
