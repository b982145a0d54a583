#include "hbk/report/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::report {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

TEST(MetricsTest, TheTextIsWhatPrometheusReads) {
  const std::vector<Metric> metrics = {
      {"hbk_last_run_exit_code", {{"command", "backup"}}, "0"},
      {"hbk_last_run_phase_seconds", {{"command", "backup"}, {"phase", "a \"b\"\\\nc"}}, "1.5"},
      {"hbk_last_run_exit_code", {{"command", "verify"}}, "20"},
  };

  EXPECT_EQ(
      RenderMetrics(metrics),
      "# HELP hbk_last_run_exit_code Exit code of the last run: 0 done, 3 done with warnings.\n"
      "# TYPE hbk_last_run_exit_code gauge\n"
      "hbk_last_run_exit_code{command=\"backup\"} 0\n"
      "hbk_last_run_exit_code{command=\"verify\"} 20\n"
      "# HELP hbk_last_run_phase_seconds Duration of each phase of the last run.\n"
      "# TYPE hbk_last_run_phase_seconds gauge\n"
      "hbk_last_run_phase_seconds{command=\"backup\",phase=\"a \\\"b\\\"\\\\\\nc\"} 1.5\n");
}

TEST(MetricsTest, WhatWasRenderedIsParsedBack) {
  const std::vector<Metric> metrics = {
      {"hbk_last_success_timestamp_seconds", {{"command", "backup"}}, "1772600767.008"},
      {"hbk_last_run_warnings", {}, "0"},
      {"hbk_last_run_phase_seconds", {{"command", "b"}, {"phase", "x{}=\",\"\\n\n"}}, "1e-07"},
  };

  EXPECT_THAT(ParseMetrics(RenderMetrics(metrics)), ElementsAreArray(metrics));
}

TEST(MetricsTest, OtherLinesArePassedOver) {
  EXPECT_THAT(ParseMetrics("node_load1 7\n"
                           "# HELP hbk_last_run_warnings Warnings.\n"
                           "hbk_last_run_warnings\n"
                           "hbk_last_run_warnings{command=\"b\"}7\n"
                           "hbk_last_run_warnings{command=\"b\" 7\n"
                           "hbk_last_run_warnings{command=\"b} 7\n"
                           "hbk_last_run_warnings{command=\"b\\\n"
                           "hbk_last_run_warnings{} 7\n"
                           "hbk_last_run_warnings  7\n"
                           "hbk_last_run_warnings 7 8\n"
                           "hbk_last_run_warnings nan\n"
                           "hbk_last_run_nothing 7\n"),
              IsEmpty());
  EXPECT_THAT(ParseMetrics("hbk_last_run_warnings 7"), ::testing::SizeIs(1));
}

TEST(MetricsTest, NumbersAreWrittenAsTheyAre) {
  EXPECT_EQ(MetricValue(0), "0");
  EXPECT_EQ(MetricValue(12), "12");
  EXPECT_EQ(MetricValue(0.25), "0.25");
  EXPECT_EQ(MetricValue(1772600767.008), "1772600767.008");
}

TEST(MetricsTest, ALabelIsFoundByItsName) {
  const Metric metric = {"hbk_last_run_warnings", {{"command", "backup"}}, "0"};

  EXPECT_EQ(metric.Label("command"), "backup");
  EXPECT_EQ(metric.Label("phase"), "");
}

}  // namespace
}  // namespace hbk::report
