#include "program.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "child_process.h"

namespace hbk::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ChildResult Hbk(std::vector<std::string> words) {
  return RunInChild([&words] {
    words.insert(words.begin(), "hbk");
    std::vector<char*> argv;
    for (std::string& word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    return RunProgram(static_cast<int>(words.size()), argv.data());
  });
}

TEST(ProgramTest, HelpAndVersionGoToStdout) {
  const ChildResult version = Hbk({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, StartsWith("hbk "));
  EXPECT_EQ(version.err, "");
  const ChildResult help = Hbk({"help", "prepare"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--use-memory"));
}

TEST(ProgramTest, UsageErrorSaysWhatIsNeeded) {
  const ChildResult child = Hbk({"--no-defaults", "backup"});

  EXPECT_EQ(child.exit_code, 2);
  EXPECT_EQ(child.out, "");
  EXPECT_THAT(child.err, AllOf(HasSubstr("hbk backup needs --target-dir=DIR"), HasSubstr("hint:"),
                               Not(HasSubstr("completed OK!"))));
}

TEST(ProgramTest, UsageErrorIsJsonWhereItWasAskedFor) {
  const ChildResult child = Hbk({"backup", "--banana", "--output=json"});

  EXPECT_EQ(child.exit_code, 2);
  EXPECT_THAT(child.out, AllOf(HasSubstr(R"("code":"usage")"), HasSubstr("--banana")));
  EXPECT_EQ(child.err, "");
}

TEST(ProgramTest, PrintDefaultsMasksThePassword) {
  const ChildResult child =
      Hbk({"--no-defaults", "--print-defaults", "backup", "-ps3cret", "--user=u"});

  EXPECT_EQ(child.exit_code, 0);
  EXPECT_THAT(child.out,
              AllOf(HasSubstr("--user=u    # command line"),
                    HasSubstr("--password=...    # command line"), Not(HasSubstr("s3cret"))));
}

TEST(ProgramTest, NoServerIsNoConnection) {
  const ChildResult child = Hbk({"--no-defaults", "backup", "--target-dir=/nonexistent/t",
                                 "--socket=/nonexistent/s", "-uu", "-ps3cret"});

  EXPECT_EQ(child.exit_code, 15) << child.err;
  EXPECT_THAT(child.err, AllOf(HasSubstr("error: "), Not(HasSubstr("s3cret")),
                               Not(HasSubstr("completed OK!"))));
}

TEST(ProgramTest, ExtractRefusesWhatIsNoStream) {
  const ChildResult child =
      Hbk({"--no-defaults", "extract", "--directory=/nonexistent/t", "--input=/dev/null"});

  EXPECT_EQ(child.exit_code, 20) << child.err;
  EXPECT_EQ(child.out, "");
  EXPECT_THAT(child.err, AllOf(HasSubstr("the stream is empty"), Not(HasSubstr("completed OK!"))));
}

TEST(ProgramTest, NoBackupToPrepareIsAFailure) {
  const ChildResult child = Hbk({"--no-defaults", "prepare", "--target-dir=/nonexistent/t"});

  EXPECT_EQ(child.exit_code, 1) << child.err;
  EXPECT_THAT(child.err, HasSubstr("/nonexistent/t"));
}

}  // namespace
}  // namespace hbk::cli
