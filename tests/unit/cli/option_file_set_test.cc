#include "option_file_set.h"

#include <fstream>
#include <map>
#include <string>

#include <sys/stat.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::cli {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OptionFileSetTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  Result<OptionFileSet> Load(const std::string& file) {
    DefaultsOptions defaults;
    defaults.file = file;
    return LoadOptionFiles(io::PosixFileSystem(), defaults, NoEnvironment);
  }

  // The values that `text` gives to a command, or the error.
  Result<OptionValues> Values(const std::string& text, Command command = Command::kBackup,
                              std::string_view suffix = "") {
    HBK_ASSIGN_OR_RETURN(const OptionFileSet files, Load(Write("values.cnf", text)));
    OptionValues values;
    HBK_RETURN_IF_ERROR(ApplyOptionFiles(files, suffix, command, values));
    return values;
  }

  static const char* NoEnvironment(const std::string& /*name*/) { return nullptr; }

  testing::TemporaryDirectory directory_;
};

std::string Keys(const OptionFileSet& files) {
  std::string keys;
  for (const FileSetting& setting : files.settings)
    keys += setting.line.key + " ";
  return keys;
}

TEST_F(OptionFileSetTest, IncludesAreReadWhereTheyStand) {
  ASSERT_EQ(mkdir((directory_.path() + "/d").c_str(), 0700), 0);
  Write("d/b.cnf", "[g]\nb=1\n");
  Write("d/a.cnf", "[g]\na=1\n");
  Write("d/c.txt", "[g]\nc=1\n");
  const std::string sub = Write("sub.cnf", "[other]\nsub=1\n");
  const auto files = Load(Write("main.cnf", "[g]\nx=1\n!include " + sub + "\ny=1\n!includedir " +
                                                directory_.path() + "/d\nz=1\n"));

  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(Keys(*files), "x sub y a b z ");
  EXPECT_EQ(files->settings[5].line.group, "g");
  EXPECT_THAT(files->warnings, IsEmpty());
}

TEST_F(OptionFileSetTest, EndlessIncludeIsCutWithAWarning) {
  const std::string path = directory_.path() + "/self.cnf";
  Write("self.cnf", "!include " + path + "\n[g]\na=1\n");
  const auto files = Load(path);

  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->settings.size(), 11U);
  EXPECT_THAT(files->warnings, ElementsAre(HasSubstr("files include each other")));
}

TEST_F(OptionFileSetTest, FilesThatGrowAsAPowerAreAnError) {
  const std::string path = directory_.path() + "/self.cnf";
  Write("self.cnf", "!include " + path + "\n!include " + path + "\n");

  EXPECT_THAT(Load(path), StatusIs(StatusCode::kUsage, HasSubstr("more than 500 files")));
}

TEST_F(OptionFileSetTest, NamedFileMustBeThere) {
  EXPECT_THAT(Load(directory_.path() + "/none.cnf"),
              StatusIs(StatusCode::kUsage, HasSubstr("none.cnf")));
  EXPECT_THAT(Load(directory_.path()), StatusIs(StatusCode::kUsage, HasSubstr("not a regular")));
}

TEST_F(OptionFileSetTest, MissingIncludedFileIsARemarkMissingDirectoryAnError) {
  const auto files = Load(Write("a.cnf", "!include /nonexistent/x.cnf\n"));
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(files->remarks, ElementsAre(HasSubstr("/nonexistent/x.cnf left out")));

  EXPECT_THAT(
      Load(Write("b.cnf", "!includedir /nonexistent\n")),
      StatusIs(StatusCode::kUsage, AllOf(HasSubstr("b.cnf, line 1"), HasSubstr("/nonexistent"))));
}

TEST_F(OptionFileSetTest, WorldWritableFileIsLeftOutWithAWarning) {
  const auto files = Load(Write("open.cnf", "[client]\nuser=evil\n", 0666));

  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(files->settings, IsEmpty());
  EXPECT_THAT(files->warnings, ElementsAre(HasSubstr("everybody may write")));
}

TEST_F(OptionFileSetTest, ExtraFileComesBeforeTheOneInHome) {
  Write(".my.cnf", "[client]\nhome=1\n");
  DefaultsOptions defaults;
  defaults.extra_file = Write("extra.cnf", "[client]\nextra=1\n");
  const auto lookup = [this](const std::string& name) {
    return name == "HOME" ? directory_.path().c_str() : nullptr;
  };

  const auto files = LoadOptionFiles(io::PosixFileSystem(), defaults, lookup);

  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(Keys(*files), ::testing::EndsWith("extra home "));
}

TEST_F(OptionFileSetTest, NoDefaultsReadsNothing) {
  DefaultsOptions defaults;
  defaults.no_defaults = true;

  const auto files = LoadOptionFiles(io::PosixFileSystem(), defaults, NoEnvironment);

  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(files->read_files, IsEmpty());
}

TEST_F(OptionFileSetTest, ServerGroupsSetTheLayoutOnly) {
  const auto values = Values(
      "[mysqld]\nuser=mysql\nport=4444\ndatadir=/d\nparallel=7\nbanana=1\n"
      "[mariadb]\ninnodb_undo_directory=/u\n[mariadb-10.11]\naria-log-dir-path=/a\n",
      Command::kCopyBack);

  ASSERT_THAT(values, IsOk());
  EXPECT_EQ(values->Text(Opt::kDatadir), "/d");
  EXPECT_EQ(values->Text(Opt::kInnodbUndoDirectory), "/u");
  EXPECT_EQ(values->Text(Opt::kAriaLogDirPath), "/a");
  EXPECT_EQ(values->Find(Opt::kUser), nullptr);
  EXPECT_EQ(values->Find(Opt::kPort), nullptr);
  EXPECT_EQ(values->Find(Opt::kParallel), nullptr);
}

TEST_F(OptionFileSetTest, BackupTakesTheLayoutFromToolGroupsOnly) {
  const std::string text = "[mysqld]\ndatadir=/server\n[client-server]\naria-log-dir-path=/a\n";

  EXPECT_EQ(Values(text)->Find(Opt::kDatadir), nullptr);
  EXPECT_EQ(Values(text)->Find(Opt::kAriaLogDirPath), nullptr);
  EXPECT_EQ(Values(text + "[mariadb-backup]\ndatadir=/d\n")->Text(Opt::kDatadir), "/d");
}

TEST_F(OptionFileSetTest, ClientGroupsSetTheConnectionOnly) {
  const auto values =
      Values("[client]\nuser=u\ndatadir=/d\nbanana\nskip-ssl\n[client-mariadb]\nhost=h\n");

  ASSERT_THAT(values, IsOk());
  EXPECT_EQ(values->Text(Opt::kUser), "u");
  EXPECT_EQ(values->Text(Opt::kHost), "h");
  EXPECT_FALSE(values->Flag(Opt::kSsl));
  EXPECT_EQ(values->Find(Opt::kDatadir), nullptr);
}

TEST_F(OptionFileSetTest, OwnGroupWinsOverLaterOthers) {
  const auto values = Values(
      "[hbk]\nuser=own\n[client]\nuser=client\n[hbk-backup]\nhost=h\n"
      "[hbk-prepare]\nhost=other\n");

  ASSERT_THAT(values, IsOk());
  EXPECT_EQ(values->Text(Opt::kUser), "own");
  EXPECT_EQ(values->Text(Opt::kHost), "h");
}

TEST_F(OptionFileSetTest, SuffixAddsGroups) {
  const std::string text = "[client]\nuser=a\nhost=h\n[client_2]\nuser=b\n";

  EXPECT_EQ(Values(text)->Text(Opt::kUser), "a");
  const auto values = Values(text, Command::kBackup, "_2");
  EXPECT_EQ(values->Text(Opt::kUser), "b");
  EXPECT_EQ(values->Text(Opt::kHost), "h");
}

TEST_F(OptionFileSetTest, UnknownKeyInAToolGroupNamesFileAndLine) {
  EXPECT_THAT(Values("[hbk]\n\nbanana=1\n"),
              StatusIs(StatusCode::kUsage, AllOf(HasSubstr("unknown option --banana"),
                                                 HasSubstr("values.cnf, line 3 [hbk]"))));
  EXPECT_THAT(Values("[mariadb-backup]\ndatabases\n").status().hint(),
              "--databases comes with a later version");
  EXPECT_THAT(Values("[xtrabackup]\nloose-banana=1\n"), IsOk());
}

TEST_F(OptionFileSetTest, APrepareReadsWhereTheServersKeysAre) {
  const auto values = Values(
      "[mariadbd]\nplugin_load_add=file_key_management\n"
      "loose_file_key_management_filename=/keys\nfile_key_management_filekey=abc\n"
      "[server]\nfile_key_management_encryption_algorithm=aes_ctr\n",
      Command::kPrepare);

  ASSERT_THAT(values, IsOk());
  EXPECT_EQ(values->Text(Opt::kKeyFile), "/keys");
  EXPECT_EQ(values->SecretOf(Opt::kKeyFileSecret).Reveal(), "abc");
  EXPECT_EQ(values->Text(Opt::kKeyFileAlgorithm), "aes_ctr");
  EXPECT_EQ(values->Find(Opt::kKeyFile)->rank, SettingRank::kServerGroup);
}

TEST_F(OptionFileSetTest, GroupsOfToolsSayMoreThanThoseOfServers) {
  const auto values = Values(
      "[mariadb-backup]\nfile_key_management_filename=/tool\n"
      "[mariadbd]\nfile_key_management_filename=/server\n",
      Command::kPrepare);

  ASSERT_THAT(values, IsOk());
  EXPECT_EQ(values->Text(Opt::kKeyFile), "/tool");
}

// A program that an option file of the server names is not run.
TEST_F(OptionFileSetTest, AKeyCommandStandsInGroupsOfToolsOnly) {
  const auto values = Values("[mariadbd]\nkey-command=/bin/x\n", Command::kPrepare);

  ASSERT_THAT(values, IsOk());
  EXPECT_EQ(values->Find(Opt::kKeyCommand), nullptr);
}

TEST_F(OptionFileSetTest, SecretsOfTwoSeriesAreNoContradiction) {
  EXPECT_THAT(Values("[mariadb-10.6]\nfile_key_management_filekey=a\n"
                     "[mariadb-10.11]\nfile_key_management_filekey=b\n",
                     Command::kPrepare),
              IsOk());
}

TEST_F(OptionFileSetTest, PluginsAreLeftOutInGroupsOfTools) {
  EXPECT_THAT(Values("[hbk]\nplugin-dir=/x\nplugin_load_add=file_key_management\n"), IsOk());
}

TEST_F(OptionFileSetTest, ServerTuningIsLeftOutInGroupsOfMariadbBackup) {
  EXPECT_THAT(Values("[mariadb-backup]\ninnodb-io-capacity=100\n"), IsOk());
  EXPECT_THAT(Values("[hbk]\ninnodb-io-capacity=100\n"),
              StatusIs(StatusCode::kUsage, HasSubstr("innodb-io-capacity")));
}

TEST_F(OptionFileSetTest, BadValueNamesFileAndLine) {
  EXPECT_THAT(Values("[client]\nport=x\n"),
              StatusIs(StatusCode::kUsage, AllOf(HasSubstr("--port"), HasSubstr("line 2 [client]"),
                                                 HasSubstr("'x' is not a number"))));
}

TEST_F(OptionFileSetTest, TwoSeriesThatDisagreeAreAnError) {
  const std::string text = "[mariadb-10.6]\ndatadir=/a\n[mariadb-10.11]\ndatadir=/b\n";
  const auto values = [this](const std::string& whole) {
    return Values(whole, Command::kMoveBack);
  };

  EXPECT_THAT(values(text), StatusIs(StatusCode::kUsage, HasSubstr("differ")));
  EXPECT_THAT(values(text + "[hbk]\ndatadir=/c\n"), IsOk());
  EXPECT_THAT(values(text + "[mysqld]\ndatadir=/c\n"), IsOk());
  EXPECT_THAT(values("[mariadb-10.6]\ndatadir=/a\n[mysqld-10.11]\ndatadir=/a\n"), IsOk());
}

TEST_F(OptionFileSetTest, PasswordsOfFilesAreWiped) {
  auto files = Load(Write("p.cnf", "[client]\npassword=s3cret\nuser=u\n"));
  ASSERT_THAT(files, IsOk());

  WipePasswords(*files);

  EXPECT_EQ(files->settings[0].line.value, "");
  EXPECT_EQ(files->settings[1].line.value, "u");
}

TEST(RoleOfGroupTest, SaysWhatAGroupIsFor) {
  using Kind = GroupRole::Kind;
  const auto kind = [](std::string_view group) -> int {
    const auto role = RoleOfGroup(group, "", Command::kBackup);
    return role ? static_cast<int>(role->kind) : -1;
  };
  const std::map<std::string, Kind> known = {{"hbk", Kind::kHbk},
                                             {"hbk-backup", Kind::kHbk},
                                             {"xtrabackup", Kind::kBackupTool},
                                             {"mariabackup", Kind::kBackupTool},
                                             {"mysqld", Kind::kServer},
                                             {"mariadbd-11.4", Kind::kServer},
                                             {"galera", Kind::kServer},
                                             {"client", Kind::kClient},
                                             {"client-server", Kind::kServerAndClient}};
  for (const auto& entry : known)
    EXPECT_EQ(kind(entry.first), static_cast<int>(entry.second)) << entry.first;
  for (const char* group : {"", "mysql", "mysqld-", "mysqld-10", "mariadb-10.x", "mariadb-1.2.3",
                            "mariadb-.", "hbk-prepare", "mysqldump", "Client"})
    EXPECT_EQ(kind(group), -1) << group;
}

}  // namespace
}  // namespace hbk::cli
