#include "command_line.h"

#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace hbk::cli {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;
using Action = CommandLine::Action;

struct Parsed {
  Result<CommandLine> line = FailedError("not parsed");
  OptionValues values;
};

Parsed Parse(const std::vector<std::string>& words) {
  Parsed parsed;
  parsed.line = ParseCommandLine(words, parsed.values);
  return parsed;
}

TEST(CommandLineTest, ValuesFollowEqualsSignOrStandAlone) {
  const Parsed parsed = Parse({"backup", "--target-dir=/t", "--user", "u", "-P3307", "-H", "h"});

  ASSERT_THAT(parsed.line, IsOk());
  EXPECT_EQ(parsed.line->command, Command::kBackup);
  EXPECT_EQ(parsed.values.Text(Opt::kTargetDir), "/t");
  EXPECT_EQ(parsed.values.Text(Opt::kUser), "u");
  EXPECT_EQ(parsed.values.Number(Opt::kPort, 0), 3307U);
  EXPECT_EQ(parsed.values.Text(Opt::kHost), "h");
}

TEST(CommandLineTest, ASecretTakesItsValueLikeATextAndIsNotRecorded) {
  const Parsed parsed =
      Parse({"prepare", "--file-key-management-filekey", "abc",
             "--hashicorp-key-management-token=t", "--file-key-management-filename=/k"});

  ASSERT_THAT(parsed.line, IsOk());
  EXPECT_EQ(parsed.values.SecretOf(Opt::kKeyFileSecret).Reveal(), "abc");
  EXPECT_EQ(parsed.values.SecretOf(Opt::kVaultToken).Reveal(), "t");
  EXPECT_EQ(parsed.values.Text(Opt::kKeyFileSecret), "");
  EXPECT_THAT(parsed.values.Recorded(Command::kPrepare),
              ::testing::ElementsAre("--file-key-management-filename=/k",
                                     "--file-key-management-filekey=...",
                                     "--hashicorp-key-management-token=..."));
}

TEST(CommandLineTest, ASecretWithoutAValueIsAnError) {
  EXPECT_THAT(Parse({"prepare", "--file-key-management-filekey"}).line,
              StatusIs(StatusCode::kUsage, HasSubstr("a value is missing")));
}

// Whoever moves from mariadb-backup has them in scripts.
TEST(CommandLineTest, PluginsOfTheServerAreTakenWithoutAWord) {
  const Parsed parsed = Parse({"prepare", "--plugin-load-add=file_key_management", "--plugin-dir",
                               "/usr/lib/mysql/plugin", "--plugin_load=x", "--target-dir=/t"});

  ASSERT_THAT(parsed.line, IsOk());
  EXPECT_EQ(parsed.values.Text(Opt::kTargetDir), "/t");
}

TEST(CommandLineTest, OptionsMayStandBeforeTheCommand) {
  const Parsed parsed = Parse({"--quiet", "--target-dir", "/t", "prepare"});

  ASSERT_THAT(parsed.line, IsOk());
  EXPECT_EQ(parsed.line->command, Command::kPrepare);
  EXPECT_TRUE(parsed.values.Flag(Opt::kQuiet));
}

TEST(CommandLineTest, PasswordIsGlued) {
  EXPECT_EQ(Parse({"backup", "-pa b"}).values.Find(Opt::kPassword)->secret.Reveal(), "a b");
  EXPECT_EQ(Parse({"backup", "--password=x=y"}).values.Find(Opt::kPassword)->secret.Reveal(),
            "x=y");
  EXPECT_TRUE(Parse({"backup", "-p"}).values.Find(Opt::kPassword)->asks_password);
  EXPECT_FALSE(Parse({"backup", "--password="}).values.Find(Opt::kPassword)->asks_password);
  EXPECT_THAT(Parse({"-p", "backup"}).line, IsOk());
}

TEST(CommandLineTest, WordBehindPasswordOptionIsNotRepeated) {
  const Parsed parsed = Parse({"backup", "-p", "s3cret"});

  EXPECT_THAT(parsed.line, StatusIs(StatusCode::kUsage, Not(HasSubstr("s3cret"))));
  EXPECT_THAT(parsed.line.status().hint(), HasSubstr("without a space"));
}

TEST(CommandLineTest, UnknownOptionDoesNotRepeatItsValue) {
  EXPECT_THAT(Parse({"backup", "--pasword=s3cret"}).line,
              StatusIs(StatusCode::kUsage, "unknown option --pasword (command line)"));
}

TEST(CommandLineTest, HintNamesTheNearestOption) {
  EXPECT_EQ(Parse({"backup", "--taget-dir=/t"}).line.status().hint(), "did you mean --target-dir?");
}

TEST(CommandLineTest, ForeignOptionsHaveTheirHint) {
  EXPECT_EQ(Parse({"--backup", "--target-dir=/t"}).line.status().hint(),
            "the command is: hbk backup");
  EXPECT_EQ(Parse({"backup", "--no_backup_locks"}).line.status().hint(),
            "--no-backup-locks does nothing in mariadb-backup either: remove it");
}

TEST(CommandLineTest, LooseUnknownOptionIsLeftOut) {
  EXPECT_THAT(Parse({"backup", "--loose-banana=1"}).line, IsOk());
}

TEST(CommandLineTest, OptionOfAnotherCommandIsRefused) {
  const Parsed parsed = Parse({"backup", "--use-memory=1G"});

  EXPECT_THAT(parsed.line, StatusIs(StatusCode::kUsage, "--use-memory is no option of hbk backup"));
  EXPECT_EQ(parsed.line.status().hint(), "it belongs to: prepare drill");
}

TEST(CommandLineTest, DefaultsOptionsComeFirst) {
  const Parsed before = Parse({"--defaults-file=/a", "--defaults-group-suffix", "_x", "backup"});
  ASSERT_THAT(before.line, IsOk());
  EXPECT_EQ(before.line->defaults.file, "/a");
  EXPECT_EQ(before.line->defaults.group_suffix, "_x");

  const Parsed behind_command = Parse({"backup", "--no-defaults", "--print-defaults", "--quiet"});
  ASSERT_THAT(behind_command.line, IsOk());
  EXPECT_TRUE(behind_command.line->defaults.no_defaults);
  EXPECT_TRUE(behind_command.line->defaults.print_defaults);

  EXPECT_THAT(Parse({"backup", "--quiet", "--no-defaults"}).line,
              StatusIs(StatusCode::kUsage, "--no-defaults must come before all other options"));
  EXPECT_THAT(Parse({"backup", "--defaults-file"}).line,
              StatusIs(StatusCode::kUsage, "--defaults-file needs a value"));
}

TEST(CommandLineTest, HelpAndVersionNeedNoMore) {
  EXPECT_EQ(Parse({"--version"}).line->action, Action::kVersion);
  EXPECT_EQ(Parse({"--help"}).line->action, Action::kHelp);
  EXPECT_EQ(Parse({"-?"}).line->action, Action::kHelp);
  const Parsed of_command = Parse({"help", "prepare"});
  EXPECT_EQ(of_command.line->action, Action::kHelp);
  EXPECT_EQ(of_command.line->command, Command::kPrepare);
  EXPECT_EQ(Parse({"backup", "--help"}).line->command, Command::kBackup);
}

TEST(CommandLineTest, WordsThatMeanNothingAreErrors) {
  EXPECT_THAT(Parse({}).line, StatusIs(StatusCode::kUsage, "no command given"));
  EXPECT_THAT(Parse({"back"}).line, StatusIs(StatusCode::kUsage, "unknown command 'back'"));
  EXPECT_THAT(Parse({"backup", "/t"}).line, StatusIs(StatusCode::kUsage, "unexpected word '/t'"));
  EXPECT_THAT(Parse({"backup", "prepare"}).line,
              StatusIs(StatusCode::kUsage, "unexpected word 'prepare'"));
  EXPECT_THAT(Parse({"backup", "-x"}).line, StatusIs(StatusCode::kUsage, "unknown option -x"));
  EXPECT_THAT(Parse({"backup", "--"}).line, StatusIs(StatusCode::kUsage, HasSubstr("'--'")));
  EXPECT_THAT(Parse({"backup", ""}).line, StatusIs(StatusCode::kUsage, HasSubstr("''")));
  EXPECT_THAT(Parse({"backup", "--=1"}).line, StatusIs(StatusCode::kUsage, HasSubstr("--")));
}

TEST(CommandLineTest, KeySaysWhatItShouldDo) {
  using enum seal::KeySlotAction;
  EXPECT_EQ(Parse({"key", "list"}).line->key_action, kList);
  EXPECT_EQ(Parse({"key", "--target-dir=/t", "add", "--label=l"}).line->key_action, kAdd);
  EXPECT_EQ(Parse({"key", "remove"}).line->key_action, kRemove);
  EXPECT_EQ(Parse({"key", "--encrypt-passphrase", "test"}).line->key_action, kTest);
  EXPECT_EQ(Parse({"help", "key"}).line->command, Command::kKey);
  EXPECT_EQ(Parse({"key", "--help"}).line->action, Action::kHelp);
  EXPECT_FALSE(Parse({"backup"}).line->key_action);

  EXPECT_THAT(Parse({"key"}).line, StatusIs(StatusCode::kUsage, HasSubstr("hbk key:")));
  EXPECT_THAT(Parse({"key", "change"}).line,
              StatusIs(StatusCode::kUsage, "unexpected word 'change'"));
  EXPECT_THAT(Parse({"key", "list", "add"}).line,
              StatusIs(StatusCode::kUsage, "unexpected word 'add'"));
  EXPECT_THAT(Parse({"key", "list", "--parallel=2"}).line,
              StatusIs(StatusCode::kUsage, HasSubstr("--parallel is no option of hbk key")));
}

TEST(CommandLineTest, WordBehindAPassphraseIsNotRepeated) {
  const Parsed parsed = Parse({"key", "list", "--encrypt-passphrase", "horse"});
  EXPECT_THAT(parsed.line,
              StatusIs(StatusCode::kUsage,
                       "a word follows --encrypt-passphrase, which takes no separate word"));
  EXPECT_THAT(parsed.line.status().hint(), HasSubstr("--encrypt-passphrase=TEXT"));
}

TEST(CommandLineTest, InfoTakesDirectories) {
  const Parsed parsed = Parse({"info", "/a", "--quiet", "b"});

  ASSERT_THAT(parsed.line, IsOk());
  EXPECT_THAT(parsed.line->directories, ::testing::ElementsAre("/a", "b"));
  EXPECT_THAT(Parse({"info"}).line,
              StatusIs(StatusCode::kUsage, HasSubstr("no directory was named")));
  EXPECT_THAT(Parse({"info", "/a", "--"}).line, StatusIs(StatusCode::kUsage, HasSubstr("'--'")));
}

}  // namespace
}  // namespace hbk::cli
