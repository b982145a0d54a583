#include "program.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"
#include "hbk/seal/key_slots.h"

#include "child_process.h"
#include "tests/support/temporary_directory.h"

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

TEST(ProgramTest, InfoSaysOfEachDirectoryWhatItIs) {
  const hbk::testing::TemporaryDirectory directory;

  const ChildResult text = Hbk({"--no-defaults", "info", directory.path(), "/nonexistent/b"});
  EXPECT_EQ(text.exit_code, 1) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr(directory.path() + "\n"), HasSubstr("/nonexistent/b\n"),
                              HasSubstr("no backup")));
  EXPECT_THAT(text.err, AllOf(HasSubstr("error: 2 of 2 directories have errors"),
                              Not(HasSubstr("completed OK!"))));

  const ChildResult json = Hbk({"--no-defaults", "info", "--output=json", directory.path()});
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_THAT(json.out, AllOf(StartsWith(R"({"event":"backup","directory":)"),
                              HasSubstr(R"("event":"finish")")));
}

TEST(ProgramTest, FailuresOfOptionsGoToTheLogToo) {
  const hbk::testing::TemporaryDirectory directory;
  const std::string log = directory.path() + "/log";

  const ChildResult child = Hbk({"--no-defaults", "prepare", "--quiet", "--log-file=" + log});

  EXPECT_EQ(child.exit_code, 2);
  EXPECT_EQ(
      child.err,
      "error: hbk prepare needs --target-dir=DIR (hint: hbk help prepare shows an example)\n");
  EXPECT_THAT(io::ReadFile(io::PosixFileSystem(), log, 10000).value(),
              HasSubstr(" error: hbk prepare needs --target-dir=DIR\n"));
}

// A directory with the slots of a sealed backup, and keys beside it: "a" opens it.
class ProgramKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char name : {'a', 'b'})
      Put(std::string(1, name), std::string(64, name));
    const seal::DataKey data_key = seal::DataKey::Generate().value();
    seal::KeySlots slots(data_key);
    const seal::SealingKey key{seal::SealingKeyKind::kKey, Secret(std::string(32, '\xaa')), "", ""};
    ASSERT_TRUE(slots.Add(data_key, key, {"first", "2026-01-31T20:03:11Z", {}}).ok());
    ASSERT_TRUE(seal::StoreKeySlots(io::PosixFileSystem(), dir(), slots, data_key).ok());
  }

  void Put(const std::string& name, const std::string& text) {
    ASSERT_TRUE(io::WriteNewFile(io::PosixFileSystem(), dir() + "/" + name, text, 0600).ok());
  }
  ChildResult Key(std::vector<std::string> words) {
    words.insert(words.begin(), {"--no-defaults", "key", "--target-dir=" + dir()});
    return Hbk(std::move(words));
  }
  [[nodiscard]] std::string Key(char name) const { return dir() + "/" + name; }
  [[nodiscard]] const std::string& dir() const { return directory_.path(); }

  testing::TemporaryDirectory directory_;
};

TEST_F(ProgramKeyTest, ListGoesToStdout) {
  const ChildResult text = Key({"list"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("   1  key         2026-01-31T20:03:11Z  first\n"));
  EXPECT_THAT(text.err, AllOf(HasSubstr("not checked"), HasSubstr("completed OK!")));
  const ChildResult json = Key({"list", "--output=json", "--encrypt-key-file=" + Key('a')});
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_THAT(json.out, AllOf(HasSubstr(R"("slot":"1","kind":"key")"),
                              HasSubstr(R"("slot_count":1)"), HasSubstr(R"("is_checked":"yes")")));
}

TEST_F(ProgramKeyTest, KeysComeAndGo) {
  const std::string old_key = "--encrypt-key-file=" + Key('a');
  const std::string new_key = "--encrypt-key-file=" + Key('b');
  EXPECT_EQ(Key({"test", new_key}).exit_code, 22);
  const ChildResult added = Key({"add", old_key, "--new-key-file=" + Key('b'), "--label=second"});
  EXPECT_EQ(added.exit_code, 0) << added.err;
  EXPECT_THAT(added.err, HasSubstr("key slot 2 (key: second) is new"));
  EXPECT_EQ(Key({"test", old_key, new_key}).exit_code, 0);
  EXPECT_EQ(Key({"remove", new_key, "--slot=1"}).exit_code, 0);
  EXPECT_EQ(Key({"test", old_key}).exit_code, 22);
  EXPECT_EQ(Key({"remove", new_key, "--slot=2"}).exit_code, 2);
}

TEST_F(ProgramKeyTest, NoSealedBackupIsAFailure) {
  const ChildResult child = Hbk({"--no-defaults", "key", "list", "--target-dir=/nonexistent/t"});
  EXPECT_EQ(child.exit_code, 1);
  EXPECT_THAT(child.err, HasSubstr("no sealed backup in /nonexistent/t"));
}

}  // namespace
}  // namespace hbk::cli
