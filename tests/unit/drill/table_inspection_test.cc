#include "table_inspection.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::drill {
namespace {

using hbk::testing::IsOk;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SilentReporter;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const server::ListedTable kTable{"shop", "t", "InnoDB", false};

TEST(TableInspectionTest, OnlyOkIsGood) {
  EXPECT_THAT(JudgeCheck(kTable, {{"status", "OK"}}), IsEmpty());
  EXPECT_THAT(JudgeCheck(kTable, {{"status", "Table is already up to date"}}), IsEmpty());
  for (const std::vector<server::CheckMessage>& messages :
       {std::vector<server::CheckMessage>{},
        {{"status", "Operation failed"}},
        {{"error", "Corrupt"}},
        {{"error", "Corrupt"}, {"status", "OK"}},
        {{"warning", "index i has 5 rows, expected 6"}},
        {{"strange", "new kind"}, {"status", "OK"}}}) {
    const auto findings = JudgeCheck(kTable, messages);
    EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.severity == Severity::kProblem && finding.table == "`shop`.`t`";
    }));
  }
}

TEST(TableInspectionTest, AWarningBeforeAnOkIsARemark) {
  const auto findings =
      JudgeCheck(kTable, {{"warning", "1 client is using the table"}, {"status", "OK"}});

  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::kRemark);
}

TEST(TableInspectionTest, WhatCannotBeCheckedIsARemark) {
  const auto findings =
      JudgeCheck(kTable, {{"note", "The storage engine for the table doesn't support check"}});

  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::kRemark);
}

TEST(TableInspectionTest, ATableWhoseRowsLieElsewhereIsNoProblemButOneOfALostEngineIs) {
  const auto foreign =
      JudgeCheck(kTable, {{"error", "Unknown storage engine 'CONNECT'"}, {"error", "Corrupt"}});
  const auto lost =
      JudgeCheck(kTable, {{"error", "Unknown storage engine 'ROCKSDB'"}, {"error", "Corrupt"}});

  ASSERT_EQ(foreign.size(), 1U);
  EXPECT_EQ(foreign[0].severity, Severity::kRemark);
  EXPECT_THAT(foreign[0].text, HasSubstr("CONNECT"));
  EXPECT_EQ(lost.at(0).severity, Severity::kProblem);
}

TEST(TableInspectionTest, RowsAndChecksumsMustBeThoseExpected) {
  const TableJob job{.table = kTable, .expected = server::TableSum{5, 77}};
  TableJob rows_only = job;
  rows_only.is_checksum_comparable = false;

  EXPECT_THAT(JudgeSum(job, server::TableSum{5, 77}, ""), IsEmpty());
  EXPECT_THAT(JudgeSum(job, server::TableSum{4, 77}, "").at(0).text,
              HasSubstr("4 rows, expected 5"));
  EXPECT_THAT(JudgeSum(job, server::TableSum{5, 78}, "").at(0).text, HasSubstr("another content"));
  EXPECT_THAT(JudgeSum(job, std::nullopt, "no such table").at(0).text, HasSubstr("no such table"));
  EXPECT_THAT(JudgeSum(rows_only, server::TableSum{5, 78}, ""), IsEmpty());
  EXPECT_FALSE(JudgeSum(rows_only, server::TableSum{6, 77}, "").empty());
}

class InspectTablesTest : public ::testing::Test {
 protected:
  std::vector<TableOutcome> Inspect(std::vector<ScriptedStatement> script, Status& lost) {
    std::vector<ScriptedStatement> all = {{"SET SESSION wait_timeout*", {}},
                                          {"SET SESSION wsrep_sync_wait=0", {}}};
    all.insert(all.end(), script.begin(), script.end());
    const InspectionPlan plan{
        .check = server::CheckDepth::kMedium, .session_count = 1, .connect = [&] {
          return server::TableSession::Create(std::make_unique<ScriptedSqlClient>(all, log_));
        }};
    return InspectTables(jobs_, plan, reporter_, {}, lost);
  }

  ScriptLog log_;
  SilentReporter reporter_;
  std::vector<TableJob> jobs_ = {
      {.table = {"shop", "a", "InnoDB", false}, .expected = server::TableSum{1, 2}},
      {.table = {"shop", "b", "InnoDB", false}, .expected = std::nullopt}};
};

TEST_F(InspectTablesTest, EachIsCheckedAndComparedIfSomethingIsExpected) {
  Status lost;

  const auto outcomes =
      Inspect({{"CHECK TABLE `shop`.`a` MEDIUM", SqlRows({{"a", "check", "status", "OK"}})},
               {"CHECKSUM TABLE `shop`.`a` EXTENDED", SqlRows({{"a", "2"}})},
               {"SELECT COUNT(*) FROM `shop`.`a`", SqlRows({{"1"}})},
               {"CHECK TABLE `shop`.`b` MEDIUM", SqlRows({{"b", "check", "error", "Corrupt"}})}},
              lost);

  EXPECT_THAT(lost, IsOk());
  EXPECT_TRUE(outcomes[0].is_checked && outcomes[0].is_compared);
  EXPECT_THAT(outcomes[0].findings, IsEmpty());
  EXPECT_TRUE(outcomes[1].is_checked);
  EXPECT_FALSE(outcomes[1].is_compared);
  EXPECT_EQ(outcomes[1].findings.size(), 1U);
}

TEST_F(InspectTablesTest, ALostServerEndsItAndWhatWasNotLookedAtIsNotCalledChecked) {
  Status lost;

  const auto outcomes =
      Inspect({{"CHECK TABLE `shop`.`a` MEDIUM", SqlError(2013, "Lost connection")}}, lost);

  EXPECT_THAT(lost, StatusIs(StatusCode::kConnectionLost, HasSubstr("CHECK TABLE `shop`.`a`")));
  EXPECT_FALSE(outcomes[0].is_checked);
  EXPECT_FALSE(outcomes[1].is_checked);
}

}  // namespace
}  // namespace hbk::drill
