#include "verify_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/silent_reporter.h"

namespace hbk::verify {
namespace {

TEST(VerifyReportTest, EachFindingIsAWarningAndSoIsTheRest) {
  testing::SilentReporter reporter;
  const std::vector<Finding> findings(3);

  ReportFindings(findings, 3, reporter);
  EXPECT_EQ(reporter.warning_count(), 3U);

  ReportFindings(findings, 10, reporter);
  EXPECT_EQ(reporter.warning_count(), 7U);
}

TEST(VerifyReportTest, WhatCouldNotBeJudgedIsAWarning) {
  testing::SilentReporter reporter;
  CheckCounts counts;
  counts.empty_pages = 1;
  counts.imported_pages = 1;
  counts.opaque_pages = 1;
  ReportCounts(counts, "", reporter);
  EXPECT_EQ(reporter.warning_count(), 0U);

  counts.locked_pages = 1;
  counts.listed_pages = 1;
  ReportCounts(counts, "", reporter);
  EXPECT_EQ(reporter.warning_count(), 2U);
}

}  // namespace
}  // namespace hbk::verify
