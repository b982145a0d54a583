#include "hbk/io/log_appender.h"

#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class LogAppenderTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string Path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  static Result<std::string> Read(const std::string& path) {
    return ReadFile(PosixFileSystem(), path, 1000);
  }

  hbk::testing::TemporaryDirectory directory_;
};

TEST_F(LogAppenderTest, RunsAppendToWhatIsThere) {
  for (const std::string text : {"one\n", "two\n"}) {
    auto log = OpenLogAppender(Path("log"));
    ASSERT_THAT(log.status(), IsOk());
    ASSERT_THAT((*log)->Append(text), IsOk());
  }

  EXPECT_THAT(Read(Path("log")), IsOkAndHolds("one\ntwo\n"));
}

TEST_F(LogAppenderTest, ANewFileIsForItsOwnerOnly) {
  const mode_t umask_before = umask(0);
  auto log = OpenLogAppender(Path("log"));
  umask(umask_before);

  ASSERT_THAT(log.status(), IsOk());
  EXPECT_EQ(PosixFileSystem().Stat(Path("log"), false)->mode, 0600U);
}

TEST_F(LogAppenderTest, AnExistingFileKeepsItsMode) {
  ASSERT_THAT(WriteNewFile(PosixFileSystem(), Path("log"), "", 0600), IsOk());
  ASSERT_EQ(chmod(Path("log").c_str(), 0640), 0);

  ASSERT_THAT(OpenLogAppender(Path("log")).status(), IsOk());

  EXPECT_EQ(PosixFileSystem().Stat(Path("log"), false)->mode, 0640U);
}

TEST_F(LogAppenderTest, ALogThatWasRenamedIsBegunAnew) {
  auto log = OpenLogAppender(Path("log"));
  ASSERT_THAT(log.status(), IsOk());
  ASSERT_THAT((*log)->Append("old\n"), IsOk());
  ASSERT_THAT(PosixFileSystem().Rename(Path("log"), Path("log.1")), IsOk());

  ASSERT_THAT((*log)->Append("new\n"), IsOk());

  EXPECT_THAT(Read(Path("log.1")), IsOkAndHolds("old\n"));
  EXPECT_THAT(Read(Path("log")), IsOkAndHolds("new\n"));
}

TEST_F(LogAppenderTest, WhereNoNewOneCanBeMadeTheOldOneGoesOn) {
  ASSERT_THAT(PosixFileSystem().MakeDirectory(Path("d"), 0700), IsOk());
  auto log = OpenLogAppender(Path("d/log"));
  ASSERT_THAT(log.status(), IsOk());
  ASSERT_THAT(PosixFileSystem().Rename(Path("d"), Path("e")), IsOk());

  ASSERT_THAT((*log)->Append("line\n"), IsOk());

  EXPECT_THAT(Read(Path("e/log")), IsOkAndHolds("line\n"));
}

TEST_F(LogAppenderTest, WhatIsNoFileIsRefused) {
  ASSERT_EQ(symlink("/etc/passwd", Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);

  EXPECT_THAT(OpenLogAppender(Path("link")).status(),
              StatusIs(StatusCode::kFailed, HasSubstr("symlink")));
  EXPECT_THAT(OpenLogAppender(Path("fifo")).status(),
              StatusIs(StatusCode::kFailed, HasSubstr("fifo")));
  EXPECT_THAT(OpenLogAppender("/dev/null").status(),
              StatusIs(StatusCode::kFailed, HasSubstr("no regular file")));
  EXPECT_THAT(OpenLogAppender(directory_.path()).status(),
              StatusIs(StatusCode::kFailed, HasSubstr(directory_.path())));
  EXPECT_THAT(OpenLogAppender(Path("no/log")).status(),
              StatusIs(StatusCode::kNotFound, HasSubstr("no/log")));
}

}  // namespace
}  // namespace hbk::io
