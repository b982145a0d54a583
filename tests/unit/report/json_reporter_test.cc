// JSON lines: one object a line, stable members.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recorder.h"
#include "renderings.h"

namespace hbk::report {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

class JsonReporterTest : public ::testing::Test {
 protected:
  std::unique_ptr<Reporter> Make(const ReporterOptions& options = {}) {
    return MakeJsonReporter(options, recorder_.MakeSurroundings(true));
  }

  Recorder recorder_;
};

TEST_F(JsonReporterTest, FactsAreMembersTypedByTheirName) {
  const auto reporter = Make();

  reporter->BeginPhase(
      "copy innodb files",
      {{"bytes", "3072"}, {"end_lsn", "18446744073709551615"}, {"flush_s", "0.5"}, {"gtid", "7"}});

  EXPECT_EQ(recorder_.Take(),
            R"({"event":"phase","time":"2026-03-04T06:06:07.008Z","message":"copy innodb files",)"
            R"("bytes":3072,"end_lsn":18446744073709551615,"flush_s":0.5,"gtid":"7"})"
            "\n");
}

TEST_F(JsonReporterTest, AFactCannotReplaceAStandingMember) {
  const auto reporter = Make();

  reporter->Finish(FailedError("no"), {{"status", "ok"}, {"event", "x"}});

  EXPECT_EQ(recorder_.Take(),
            R"({"event":"finish","time":"2026-03-04T06:06:07.008Z","message":"no",)"
            R"("status":"error","code":"failed","warning_count":0})"
            "\n");
}

TEST_F(JsonReporterTest, ProgressIsAtMostALineASecond) {
  const auto reporter = Make();
  reporter->BeginPhase("copy");
  (void)recorder_.Take();

  for (uint64_t i = 1; i <= 3000; ++i) {
    recorder_.Advance(milliseconds(1));
    reporter->Progress(i * 1000, 6'000'000);
  }

  const std::string text = recorder_.Take();
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
  EXPECT_THAT(text, HasSubstr(R"("phase":"copy","done_bytes":2001000,"total_bytes":6000000,)"
                              R"("rate_bytes_per_s":1000000,"eta_s":3})"));
}

TEST_F(JsonReporterTest, FinishSaysOk) {
  const auto reporter = Make();
  reporter->Warning("careful");
  (void)recorder_.Take();

  reporter->Finish(OkStatus(), {{"file_count", "3"}});
  reporter->Info("too late");

  EXPECT_EQ(recorder_.Take(),
            R"({"event":"finish","time":"2026-03-04T06:06:07.008Z","status":"ok",)"
            R"("warning_count":1,"file_count":3})"
            "\n");
}

TEST_F(JsonReporterTest, FailureHasCodeAndHintAndNoOk) {
  const auto reporter = Make();

  reporter->Finish(Status(StatusCode::kNoSpace, "disk full").WithHint("make room"), {});

  const std::string text = recorder_.Take();
  EXPECT_THAT(text, HasSubstr(R"("status":"error","code":"no-space","hint":"make room")"));
  EXPECT_THAT(text, Not(HasSubstr(R"("ok")")));
}

TEST_F(JsonReporterTest, BytesThatAreNoTextDoNotBreakALine) {
  const auto reporter = Make();

  reporter->Info("file \xff\n.ibd");

  EXPECT_THAT(recorder_.Take(), HasSubstr("file \xef\xbf\xbd\\n.ibd"));
}

TEST_F(JsonReporterTest, QuietLeavesWarningsAndFinish) {
  const auto reporter = Make({.quiet = true});

  reporter->BeginPhase("copy");
  reporter->Info("hello");
  reporter->Progress(1, 2);
  EXPECT_EQ(recorder_.Take(), "");
  reporter->Warning("careful");

  EXPECT_THAT(recorder_.Take(), HasSubstr(R"("event":"warning")"));
}

}  // namespace
}  // namespace hbk::report
