#include "server_program.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::drill {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using hbk::testing::TemporaryDirectory;
using ::testing::HasSubstr;

TEST(ServerProgramTest, TheVersionIsThatOfMariadb) {
  EXPECT_EQ(
      ParseVersionLine("mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x\n"),
      "10.11.19-MariaDB-0+deb12u1");
  EXPECT_EQ(ParseVersionLine("/usr/sbin/mysqld  Ver 8.0.35 for Linux on x86_64\n"), std::nullopt);
  EXPECT_EQ(ParseVersionLine("mariadbd  Ver MariaDB"), std::nullopt);
  EXPECT_EQ(ParseVersionLine("nonsense"), std::nullopt);
}

TEST(ServerProgramTest, ThePluginDirectoryIsInTheListOfVariables) {
  EXPECT_EQ(ParsePluginDir("x\nplugin-dir                  /usr/lib/mysql/plugin/\ny  z\n"),
            "/usr/lib/mysql/plugin");
  EXPECT_EQ(ParsePluginDir("x\nplugin-dir      (No default value)\n"), "");
  EXPECT_EQ(ParsePluginDir("plugin-directory /x\n"), "");
}

TEST(ServerProgramTest, AnOlderServerIsRefusedByName) {
  const ServerProgram program{.path = "/usr/sbin/mariadbd",
                              .version_text = "10.6.12-MariaDB",
                              .version = {10, 6, 12},
                              .plugin_dir = ""};

  EXPECT_THAT(CheckFits(program, "10.6.20-MariaDB-log"), IsOk());
  EXPECT_THAT(CheckFits(program, "10.5.1-MariaDB"), IsOk());
  EXPECT_THAT(CheckFits(program, ""), IsOk());
  EXPECT_THAT(CheckFits(program, "10.11.19-MariaDB"),
              StatusIs(StatusCode::kUnsupported, HasSubstr("is MariaDB 10.6.12-MariaDB")));
}

class ProgramsTest : public ::testing::Test {
 protected:
  void PutScript(const std::string& name, const std::string& text) {
    const std::string path = dir_.path() + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  TemporaryDirectory dir_;
};

TEST_F(ProgramsTest, ItIsFoundByPathByNameAndInTheSearchPath) {
  PutScript("mariadbd", "exit 0");
  const std::string path = dir_.path() + "/mariadbd";
  const std::string search = "relative:/no/such:" + dir_.path();

  EXPECT_THAT(FindProgram(io::PosixFileSystem(), path, ""), IsOkAndHolds(path));
  EXPECT_THAT(FindProgram(io::PosixFileSystem(), "mariadbd", search), IsOkAndHolds(path));
  EXPECT_THAT(FindProgram(io::PosixFileSystem(), "", search), IsOkAndHolds(path));
  EXPECT_THAT(FindProgram(io::PosixFileSystem(), dir_.path() + "/other", "").status(),
              StatusIs(StatusCode::kNotFound, HasSubstr("/other")));
  EXPECT_THAT(FindProgram(io::PosixFileSystem(), "no-such-server", search).status(),
              StatusIs(StatusCode::kNotFound, HasSubstr("no-such-server")));
}

TEST_F(ProgramsTest, TheServerIsAskedForItsVersionAndPlugins) {
  PutScript("mariadbd",
            "case \"$*\" in *--help*) printf 'a\\nplugin-dir   /p/lugins/\\n';; *) echo 'x  Ver "
            "10.11.3-MariaDB for L';; esac");

  const auto program = AskServerProgram(dir_.path() + "/mariadbd", {});

  ASSERT_THAT(program, IsOk());
  EXPECT_EQ(program->version_text, "10.11.3-MariaDB");
  EXPECT_EQ(program->version, (server::ServerVersion{10, 11, 3}));
  EXPECT_EQ(program->plugin_dir, "/p/lugins");
}

TEST_F(ProgramsTest, AProgramThatIsNoServerIsRefused) {
  PutScript("other", "echo hello");
  PutScript("broken", "echo no >&2; exit 3");

  EXPECT_THAT(AskServerProgram(dir_.path() + "/other", {}).status(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("hello")));
  EXPECT_THAT(AskServerProgram(dir_.path() + "/broken", {}).status(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("exit code 3")));
}

TEST_F(ProgramsTest, TheClientIsLookedForBesideTheServer) {
  PutScript("mariadb", "exit 0");

  EXPECT_THAT(FindClientProgram(io::PosixFileSystem(), dir_.path() + "/mariadbd", ""),
              IsOkAndHolds(dir_.path() + "/mariadb"));
}

}  // namespace
}  // namespace hbk::drill
