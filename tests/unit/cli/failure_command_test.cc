#include "failure_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::cli {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Status RunShell(const std::string& command, uint64_t timeout_ms = 20000) {
  return RunFailureCommand(Secret(command),
                           {.command = "backup",
                            .exit_code = 15,
                            .message = "no server\nat $(all) 'it' \x1b",
                            .target_dir = "/b c"},
                           timeout_ms);
}

TEST(FailureCommandTest, TheCommandIsToldWhatHappened) {
  hbk::testing::TemporaryDirectory directory;
  const std::string out = directory.path() + "/out";

  ASSERT_THAT(RunShell("if true; then printf '%s|%s|%s|%s' \"$HBK_COMMAND\" \"$HBK_EXIT_CODE\" "
                       "\"$HBK_MESSAGE\" \"$HBK_TARGET_DIR\" > " +
                       out + "; fi"),
              IsOk());

  EXPECT_THAT(io::ReadFile(io::PosixFileSystem(), out, 1000),
              IsOkAndHolds("backup|15|no server at $(all) 'it'  |/b c"));
}

TEST(FailureCommandTest, ItMayPrintWhateverItWants) {
  EXPECT_THAT(RunShell("head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2"), IsOk());
}

TEST(FailureCommandTest, ItsOwnFailureIsSaidWithoutItsText) {
  EXPECT_THAT(RunShell("exit 7 # s3cret"),
              StatusIs(StatusCode::kFailed, AllOf(HasSubstr("--on-failure"), HasSubstr("code 7"),
                                                  Not(HasSubstr("s3cret")))));
  EXPECT_THAT(RunShell("kill -9 $$"), StatusIs(StatusCode::kFailed, HasSubstr("signal 9")));
  EXPECT_THAT(RunShell("sleep 100", 100), StatusIs(StatusCode::kFailed, HasSubstr("did not end")));
}

}  // namespace
}  // namespace hbk::cli
