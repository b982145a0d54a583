#include "run_outlets.h"

#include <csignal>
#include <string>

#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::cli {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class RunOutletsTest : public ::testing::Test {
 protected:
  RunOutletsTest() {
    options_.command = "backup";
    options_.reporter.quiet = true;
    options_.recorded_options = "--user=u --password=...";
    options_.target_dir = "/b";
  }

  [[nodiscard]] std::string Path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  static std::string Read(const std::string& path) {
    return io::ReadFile(io::PosixFileSystem(), path, 1 << 20).value();
  }

  // A whole run; what it says on stderr is in stderr_.
  int RunWith(const Status& status, int signal_number = 0) {
    ::testing::internal::CaptureStderr();
    RunOutlets outlets(options_);
    opened_ = outlets.Open();
    if (opened_.ok()) {
      outlets.reporter().BeginPhase("copy");
      outlets.reporter().Info("hello");
    }
    const int code = outlets.Finish(opened_.ok() ? status : opened_, {}, signal_number);
    stderr_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  hbk::testing::TemporaryDirectory directory_;
  OutletOptions options_;
  Status opened_;
  std::string stderr_;
};

TEST_F(RunOutletsTest, ASuccessIsQuietAndInTheLog) {
  options_.log_file = Path("log");
  options_.metrics_file = Path("m.prom");
  options_.on_failure = Secret("touch " + Path("failed"));

  EXPECT_EQ(RunWith(OkStatus()), 0);

  EXPECT_EQ(stderr_, "");
  EXPECT_THAT(Read(Path("log")),
              AllOf(HasSubstr("backup --user=u --password=... (pid "), HasSubstr(" copy\n"),
                    HasSubstr(" hello\n"), EndsWith(" completed OK!\n")));
  EXPECT_THAT(Read(Path("m.prom")),
              AllOf(HasSubstr("hbk_last_run_exit_code{command=\"backup\",name=\"m\"} 0\n"),
                    HasSubstr("phase=\"copy\"")));
  EXPECT_FALSE(io::Exists(io::PosixFileSystem(), Path("failed")).value());
}

TEST_F(RunOutletsTest, AFailureIsSaidEverywhere) {
  options_.log_file = Path("log");
  options_.log_format = report::OutputFormat::kJson;
  options_.metrics_file = Path("m.prom");
  options_.on_failure =
      Secret("echo \"$HBK_EXIT_CODE $HBK_MESSAGE $HBK_TARGET_DIR\" > " + Path("failed"));

  EXPECT_EQ(RunWith(Status(StatusCode::kCannotConnect, "no server").WithHint("start it")), 15);

  EXPECT_EQ(stderr_, "error: no server (hint: start it)\n");
  EXPECT_THAT(Read(Path("log")), HasSubstr(R"("code":"cannot-connect","hint":"start it")"));
  EXPECT_THAT(Read(Path("m.prom")),
              HasSubstr("hbk_last_run_exit_code{command=\"backup\",name=\"m\"} 15\n"));
  EXPECT_EQ(Read(Path("failed")), "15 no server /b\n");
}

TEST_F(RunOutletsTest, ASignalDecidesTheExitCodeEverywhere) {
  options_.metrics_file = Path("m.prom");
  options_.on_failure = Secret("echo $HBK_EXIT_CODE > " + Path("failed"));

  EXPECT_EQ(RunWith(InterruptedError(), SIGTERM), 143);

  EXPECT_THAT(Read(Path("m.prom")), HasSubstr("} 143\n"));
  EXPECT_EQ(Read(Path("failed")), "143\n");
}

TEST_F(RunOutletsTest, AFailingCommandForFailuresChangesNothing) {
  options_.on_failure = Secret("exit 3");

  EXPECT_EQ(RunWith(FailedError("no")), 1);

  EXPECT_THAT(stderr_, AllOf(HasSubstr("warning: --on-failure: the command ended with exit code 3"),
                             EndsWith("error: no\n")));
}

TEST_F(RunOutletsTest, ALogThatCannotBeOpenedIsAnErrorThatTheOthersSay) {
  options_.log_file = Path("no/log");
  options_.metrics_file = Path("m.prom");
  options_.on_failure = Secret("touch " + Path("failed"));

  EXPECT_EQ(RunWith(OkStatus()), 1);

  EXPECT_THAT(opened_, StatusIs(StatusCode::kNotFound, HasSubstr("--log-file: " + Path("no/log"))));
  EXPECT_THAT(Read(Path("m.prom")), HasSubstr("} 1\n"));
  EXPECT_TRUE(io::Exists(io::PosixFileSystem(), Path("failed")).value());
}

TEST_F(RunOutletsTest, AFileOfSomebodyElseIsNotReplacedByMetrics) {
  options_.metrics_file = Path("m.prom");
  ASSERT_THAT(io::WriteNewFile(io::PosixFileSystem(), Path("m.prom"), "mine\n", 0600), IsOk());

  EXPECT_EQ(RunWith(OkStatus()), 2);

  EXPECT_EQ(Read(Path("m.prom")), "mine\n");
}

TEST_F(RunOutletsTest, MetricsThatCannotBeWrittenAreAWarning) {
  ASSERT_THAT(io::PosixFileSystem().MakeDirectory(Path("d"), 0700), IsOk());
  options_.metrics_file = Path("d/m.prom");
  ::testing::internal::CaptureStderr();
  RunOutlets outlets(options_);
  ASSERT_THAT(outlets.Open(), IsOk());
  ASSERT_THAT(io::PosixFileSystem().RemoveDirectory(Path("d")), IsOk());

  EXPECT_EQ(outlets.Finish(OkStatus(), {}, 0), 3);

  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("warning: --metrics-file: "));
}

TEST_F(RunOutletsTest, ALogThatIsFullIsAWarningOnce) {
  options_.log_file = Path("log");
  // Longer than the limit, under which what goes to stderr, also a file here, stays.
  const std::string long_text(8192, 'x');
  ASSERT_THAT(io::WriteNewFile(io::PosixFileSystem(), Path("log"), long_text, 0600), IsOk());
  ::testing::internal::CaptureStderr();
  RunOutlets outlets(options_);
  ASSERT_THAT(outlets.Open(), IsOk());
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tiny = {.rlim_cur = long_text.size(), .rlim_max = before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tiny), 0);
  outlets.reporter().Info("one");
  outlets.reporter().Info("two");
  const int code = outlets.Finish(OkStatus(), {}, 0);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  (void)std::signal(SIGXFSZ, handler);

  EXPECT_EQ(code, 3);
  const std::string said = ::testing::internal::GetCapturedStderr();
  const std::string warning = "warning: --log-file lacks lines: ";
  EXPECT_THAT(said, HasSubstr(warning));
  EXPECT_EQ(said.find(warning), said.rfind(warning));
}

}  // namespace
}  // namespace hbk::cli
