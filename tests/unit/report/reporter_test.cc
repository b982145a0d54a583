// MakeReporter writes where it says: text to stderr, JSON to stdout.
#include "hbk/report/reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::report {
namespace {

TEST(ReporterTest, TextGoesToStderr) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();

  MakeReporter({.quiet = true})->Finish(OkStatus(), {});

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

}  // namespace
}  // namespace hbk::report
