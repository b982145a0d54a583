// MakeReporter writes where it says: text to stderr, JSON to stdout.
#include "hbk/report/reporter.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::report {
namespace {

TEST(ReporterTest, TextGoesToStderr) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();

  MakeReporter({})->Finish(OkStatus(), {});

  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "completed OK!\n");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(ReporterTest, JsonGoesToStdout) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();

  MakeReporter({.format = OutputFormat::kJson})->Finish(FailedError("no"), {});

  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              ::testing::HasSubstr(R"("status":"error")"));
}

TEST(ReporterTest, ALogHasEverythingButProgressHoweverQuietTheRest) {
  std::string text;
  const auto write = [&text](std::string_view lines) {
    text += lines;
  };
  for (const OutputFormat format : {OutputFormat::kText, OutputFormat::kJson}) {
    text.clear();
    const auto reporter = MakeLogReporter({.format = format, .quiet = true}, write);

    reporter->BeginPhase("copy");
    reporter->Progress(1, 2);
    reporter->Info("hello");
    reporter->Detail("detail", {});
    reporter->Finish(FailedError("no"), {});

    const bool is_json = format == OutputFormat::kJson;
    EXPECT_EQ(text.front() == '{', is_json) << text;
    EXPECT_THAT(text, ::testing::HasSubstr("hello"));
    EXPECT_THAT(text, ::testing::HasSubstr("copy"));
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("progress")));
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("detail")));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  }
}

}  // namespace
}  // namespace hbk::report
