#include "drill_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hbk::drill {
namespace {

TEST(DrillReportTest, ARemarkIsNoProblem) {
  DrillReport report;
  EXPECT_TRUE(report.is_ok());

  report.AddRemark("check tables", "`a`.`t`", "slow");
  EXPECT_TRUE(report.is_ok());
  report.AddProblem("check tables", "`a`.`t`", "corrupt");

  EXPECT_FALSE(report.is_ok());
  EXPECT_EQ(report.problem_count(), 1U);
}

TEST(DrillReportTest, JsonHasWhatAMonitorAsksFor) {
  DrillReport report;
  report.drilled_at = "2026-01-31T16:55:30Z";
  report.restore_seconds = 12.5;
  report.table_count = 3;
  report.checked_count = 2;
  report.phases = {{"copy the base", 4.0}, {"start server", 1.5}};
  report.AddProblem("check tables", "`a`.`t`", "corrupt \xff");

  const auto json = nlohmann::json::parse(RenderJson(report));

  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["problem_count"], 1);
  EXPECT_EQ(json["restore_seconds"], 12.5);
  EXPECT_EQ(json["tables"]["checked_count"], 2);
  EXPECT_EQ(json["phases"][1]["name"], "start server");
  EXPECT_EQ(json["findings"][0]["severity"], "problem");
  EXPECT_EQ(json["findings"][0]["table"], "`a`.`t`");
  EXPECT_EQ(json["findings"][0]["text"], "corrupt \xEF\xBF\xBD");
}

}  // namespace
}  // namespace hbk::drill
