#include "html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::drill {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

DrillReport SampleReport() {
  DrillReport report;
  report.backup_dir = "/backup/monday";
  report.restore_seconds = 75;
  report.table_count = 10;
  report.checked_count = 10;
  report.check_depth = "medium";
  report.phases = {{"copy the base", 30}, {"start server", 1}};
  report.stored_bytes = 1 << 20;
  report.restored_bytes = 2 << 20;
  return report;
}

TEST(HtmlReportTest, AGoodDrillSaysSoAndHasItsFigures) {
  const std::string html = RenderHtml(SampleReport());

  EXPECT_THAT(html, HasSubstr("The backup was restored"));
  EXPECT_THAT(html, HasSubstr("10 of 10 tables were checked"));
  EXPECT_THAT(html, HasSubstr("<svg role=\"img\" aria-label=\"time per phase\""));
  EXPECT_THAT(html, HasSubstr("<svg role=\"img\" aria-label=\"sizes\""));
  EXPECT_THAT(html, Not(HasSubstr("drill failed")));
}

TEST(HtmlReportTest, AFailedDrillNamesItsProblemsFirst) {
  DrillReport report = SampleReport();
  report.AddRemark("check tables", "`a`.`u`", "a remark");
  report.AddProblem("check tables", "`a`.`t`", "a problem");
  report.error_log = "the last words";

  const std::string html = RenderHtml(report);

  EXPECT_THAT(html, HasSubstr("The drill failed: 1 problem<"));
  EXPECT_LT(html.find("a problem"), html.find("a remark"));
  EXPECT_THAT(html, HasSubstr("<pre>the last words</pre>"));
  EXPECT_THAT(html, Not(HasSubstr("was restored")));
}

// A database can be called what it likes.
TEST(HtmlReportTest, NothingThatIsSaidBecomesMarkup) {
  const std::string evil = "</pre><script>alert('x')</script>\"&";
  DrillReport report = SampleReport();
  report.backup_dir = report.backup_uuid = report.server_version = report.server_program = evil;
  report.sql_file = report.sql_output = report.error_log = report.compared_with = evil;
  report.incremental_dirs = {evil};
  report.databases = {{evil, 1, 1}};
  report.slowest_tables = {{evil, 1}};
  report.phases = {{evil, 1}};
  report.AddProblem(evil, evil, evil);

  const std::string html = RenderHtml(report);

  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("alert('x')")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
}

TEST(HtmlReportTest, ItLoadsNothing) {
  const std::string html = RenderHtml(SampleReport());

  for (const char* const word : {"http:", "https:", "src=", "href=", "url(", "@import", "<script"})
    EXPECT_THAT(html, Not(HasSubstr(word)));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(HtmlReportTest, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(EscapeHtml("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(EscapeHtml("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(EscapeHtml("\xff<"), "\xEF\xBF\xBD&lt;");
  EXPECT_EQ(EscapeHtml("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(EscapeHtml(std::string_view("\0\x1b", 2)), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(EscapeHtml("\xC0\xBC"), "\xEF\xBF\xBD\xEF\xBF\xBD");  // too long for '<'
  EXPECT_EQ(EscapeHtml("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
}

}  // namespace
}  // namespace hbk::drill
