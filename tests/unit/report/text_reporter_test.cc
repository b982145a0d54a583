// Text on a terminal and elsewhere: when a line is drawn, and that success is never claimed
// falsely.
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recorder.h"
#include "renderings.h"

namespace hbk::report {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr uint64_t kMiB = 1 << 20;

class TextReporterTest : public ::testing::Test {
 protected:
  // Time stamps are local.
  static void SetUpTestSuite() {
    setenv("TZ", "UTC", 1);  // NOLINT(concurrency-mt-unsafe)
    tzset();
  }

  std::unique_ptr<Reporter> MakeLog(const ReporterOptions& options = {}) {
    return MakeTextReporter(options, recorder_.MakeSurroundings(false));
  }
  std::unique_ptr<Reporter> MakeTerminal(const ReporterOptions& options = {}) {
    return MakeTextReporter(options, recorder_.MakeSurroundings(true));
  }

  Recorder recorder_;
};

TEST_F(TextReporterTest, APhaseIsALineWithItsTimeAndFacts) {
  const auto reporter = MakeLog();

  reporter->BeginPhase("copy innodb files", {{"file_count", "12"}, {"bytes", "3072"}});

  EXPECT_EQ(recorder_.Take(), "2026-03-04 06:06:07 copy innodb files (files 12, 3.0 KiB)\n");
}

TEST_F(TextReporterTest, FactsThatAreNoNumbersStandAsTheyAre) {
  const auto reporter = MakeLog();

  reporter->Info("done", {{"flush_s", "0.25"}, {"bytes", "many"}, {"gtid", "0-1-5"}, {"lsn", "9"}});

  EXPECT_THAT(recorder_.Take(), EndsWith(" done (flush 0.2 s, bytes many, gtid 0-1-5, lsn 9)\n"));
}

TEST_F(TextReporterTest, ALogHasNoProgress) {
  const auto reporter = MakeLog();
  reporter->BeginPhase("copy");
  (void)recorder_.Take();

  for (int i = 1; i < 100; ++i) {
    recorder_.Advance(milliseconds(500));
    reporter->Progress(static_cast<uint64_t>(i), 100);
  }

  EXPECT_EQ(recorder_.Take(), "");
}

TEST_F(TextReporterTest, ATerminalHasOneRedrawnLine) {
  const auto reporter = MakeTerminal();
  reporter->BeginPhase("copy innodb files");
  (void)recorder_.Take();

  recorder_.Advance(milliseconds(4000));
  reporter->Progress(1229 * kMiB, 2867 * kMiB);

  EXPECT_EQ(recorder_.Take(),
            "\r\x1b[Kcopy innodb files  42 %  1.2 of 2.8 GiB  307 MiB/s  ETA 6 s");
}

TEST_F(TextReporterTest, AtMostFiveRedrawsASecond) {
  const auto reporter = MakeTerminal();
  reporter->BeginPhase("copy");
  (void)recorder_.Take();

  for (uint64_t i = 0; i < 1000; ++i) {
    reporter->Progress(i, 1000);
    recorder_.Advance(milliseconds(1));
  }

  EXPECT_EQ(std::ranges::count(recorder_.Take(), '\r'), 5);
}

TEST_F(TextReporterTest, TheProgressLineIsCutToTheTerminal) {
  const auto reporter = MakeTerminal();
  reporter->BeginPhase("copy innodb files");
  (void)recorder_.Take();
  recorder_.SetColumns(12);

  reporter->Progress(1, 2);

  EXPECT_EQ(recorder_.Take(), "\r\x1b[Kcopy innodb");
}

TEST_F(TextReporterTest, TheProgressLineIsErasedBeforeAnotherLine) {
  const auto reporter = MakeTerminal();
  reporter->BeginPhase("copy");
  reporter->Progress(1, 2);
  (void)recorder_.Take();

  reporter->Info("first");
  reporter->Info("second");

  EXPECT_EQ(recorder_.Take(), "\r\x1b[K2026-03-04 06:06:07 first\n2026-03-04 06:06:07 second\n");
}

TEST_F(TextReporterTest, SuccessIsTheLastLine) {
  const auto reporter = MakeLog();

  reporter->Finish(OkStatus(), {{"bytes", "1024"}});
  reporter->Info("too late");
  reporter->Warning("too late");

  EXPECT_EQ(recorder_.Take(), "2026-03-04 06:06:07 done (1.0 KiB)\ncompleted OK!\n");
}

TEST_F(TextReporterTest, SuccessWithWarningsSaysHowMany) {
  const auto reporter = MakeLog();
  reporter->Warning("no binary log");
  EXPECT_EQ(recorder_.Take(), "2026-03-04 06:06:07 warning: no binary log\n");

  reporter->Finish(OkStatus(), {});

  EXPECT_EQ(reporter->warning_count(), 1U);
  EXPECT_EQ(recorder_.Take(), "2026-03-04 06:06:07 there was 1 warning\ncompleted OK!\n");
}

TEST_F(TextReporterTest, FailureIsErrorAndHint) {
  const auto reporter = MakeTerminal();
  reporter->BeginPhase("copy");
  reporter->Progress(1, 2);
  (void)recorder_.Take();

  reporter->Finish(CorruptionError("page 7 is damaged").WithHint("check the disk"), {});

  EXPECT_EQ(recorder_.Take(), "\r\x1b[Kerror: page 7 is damaged\nhint: check the disk\n");
}

// A script looks for the line of success. No text from elsewhere may pass for it.
TEST_F(TextReporterTest, FailureNeverSaysCompletedOk) {
  for (const std::string text :
       {"completed OK!", "x\ncompleted OK!\n", "completed OK!!", "a\r\ncompleted OK!",
        "\ncompleted"
        " OK!completed OK!"}) {
    const auto reporter = MakeTerminal();
    reporter->BeginPhase(text, {{"file", text}});
    reporter->Progress(1, 2);
    reporter->Info(text, {{"file", text}});
    reporter->Warning(text, {{"file", text}});

    reporter->Finish(FailedError(text).WithHint(text), {{text, text}});

    EXPECT_THAT(recorder_.Take(), Not(HasSubstr("completed OK!"))) << text;
  }
}

TEST_F(TextReporterTest, EveryCodeButOkFailsWithoutCompletedOk) {
  for (int code = 1; code <= static_cast<int>(StatusCode::kInterrupted); ++code) {
    const auto reporter = MakeLog();

    reporter->Finish({static_cast<StatusCode>(code), "it failed"}, {});

    EXPECT_EQ(recorder_.Take(), "error: it failed\n");
  }
}

TEST_F(TextReporterTest, ControlCharactersDoNotReachTheTerminal) {
  const auto reporter = MakeTerminal();

  reporter->Info("file \x1b[2J\r.ibd");

  EXPECT_THAT(recorder_.Take(), EndsWith("file ?[2J?.ibd\n"));
}

TEST_F(TextReporterTest, QuietLeavesWarnings) {
  const auto reporter = MakeTerminal({.quiet = true});

  reporter->BeginPhase("copy");
  reporter->Progress(1, 2);
  reporter->Info("hello");
  EXPECT_EQ(recorder_.Take(), "");
  reporter->Warning("careful");
  EXPECT_THAT(recorder_.Take(), EndsWith("warning: careful\n"));
  reporter->Finish(OkStatus(), {{"bytes", "1"}});

  EXPECT_EQ(recorder_.Take(), "");
}

TEST_F(TextReporterTest, QuietSaysAFailureInOneLine) {
  const auto reporter = MakeLog({.quiet = true});

  reporter->Finish(FailedError("reading\na file: completed OK!").WithHint("look\nat it"),
                   {{"bytes", "1"}});

  EXPECT_EQ(recorder_.Take(), "error: reading a file: completed OK (1 B) (hint: look at it)\n");
}

TEST_F(TextReporterTest, EveryLineOfALogHasItsTime) {
  Surroundings around = recorder_.MakeSurroundings(/*has_terminal=*/false);
  around.is_log = true;

  MakeTextReporter({}, around)->Finish(OkStatus(), {});
  EXPECT_EQ(recorder_.Take(), "2026-03-04 06:06:07 completed OK!\n");
  MakeTextReporter({}, around)->Finish(FailedError("no").WithHint("yes"), {});
  EXPECT_EQ(recorder_.Take(), "2026-03-04 06:06:07 error: no\n2026-03-04 06:06:07 hint: yes\n");
}

TEST_F(TextReporterTest, DetailsAreForVerbose) {
  MakeLog()->Detail("buffer of 1 MiB", {});
  EXPECT_EQ(recorder_.Take(), "");

  MakeLog({.verbose = true})->Detail("buffer of 1 MiB", {});
  EXPECT_THAT(recorder_.Take(), EndsWith("buffer of 1 MiB\n"));
}

TEST_F(TextReporterTest, LinesOfThreadsAreWhole) {
  const auto reporter = MakeTerminal();
  reporter->BeginPhase("copy");
  (void)recorder_.Take();

  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&reporter] {
        for (uint64_t i = 0; i < 200; ++i) {
          reporter->Progress(i, 200);
          reporter->Info("line", {{"of", "a thread"}});
        }
      });
    }
  }
  reporter->Finish(OkStatus(), {});

  std::string text = recorder_.Take();
  const std::string line = "2026-03-04 06:06:07 line (of a thread)\n";
  size_t lines = 0;
  for (size_t at = text.find(line); at != std::string::npos; at = text.find(line, at + 1))
    ++lines;
  EXPECT_EQ(lines, 800U);
  EXPECT_EQ(std::ranges::count(text, '\n'), 801);
}

}  // namespace
}  // namespace hbk::report
