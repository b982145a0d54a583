// What docs/SECURITY.md says of rights, modes, links and TLS, on a real server.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/process.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kOtherUser = 65534;

class SecurityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch.status(), IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(*scratch));
  }

  void StartServer(const std::vector<std::string>& extra = {}) {
    auto server = Mariadbd::Start({.base_dir = Sub("server"), .extra = extra});
    ASSERT_THAT(server.status(), IsOk());
    server_ = std::move(*server);
    auto client = server_->Connect();
    ASSERT_THAT(client.status(), IsOk());
    for (const char* statement :
         {"CREATE DATABASE d", "CREATE TABLE d.t (i INT) ENGINE=InnoDB",
          "CREATE TABLE d.m (i INT) ENGINE=MyISAM", "CREATE TABLE d.a (i INT) ENGINE=Aria", "USE d",
          "INSERT INTO d.t SELECT seq FROM seq_1_to_100"})
      ASSERT_THAT(client->Execute(statement), IsOk());
  }

  [[nodiscard]] std::string Sub(const std::string& name) const { return scratch_->Sub(name); }

  ProcessEnd Run(const std::vector<std::string>& argv) {
    const auto end = RunProcess(argv, {.output_path = Sub("run.log")});
    EXPECT_THAT(end.status(), IsOk());
    return end.ok() ? *end : ProcessEnd{};
  }
  ProcessEnd Backup(const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv = BackupCommand(
        BackupTool::kHbk, {.socket_path = server_->socket_path(), .target_dir = Sub("b")});
    argv.insert(argv.end(), more.begin(), more.end());
    return Run(argv);
  }

  // Every entry of the tree that has another mode.
  static std::vector<std::string> OtherModes(const std::string& root, mode_t files,
                                             mode_t directories) {
    std::vector<std::string> others;
    const auto look_at = [&](const std::string& path) {
      struct stat info {};
      EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
      const mode_t wanted = S_ISDIR(info.st_mode) ? directories : files;
      if ((info.st_mode & 07777U) != wanted)
        others.push_back(fmt::format("{} {:o}", path, info.st_mode & 07777U));
    };
    look_at(root);
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      look_at(entry.path());
      ++count;
    }
    EXPECT_GT(count, 20U);
    return others;
  }

  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
};

TEST_F(SecurityTest, OnlyItsOwnerMayReadABackupWhateverTheUmask) {
  StartServer();
  std::vector<std::string> argv = {"sh", "-c", "umask 0; exec \"$@\"", "sh"};
  const std::vector<std::string> backup = BackupCommand(
      BackupTool::kHbk, {.socket_path = server_->socket_path(), .target_dir = Sub("b")});
  argv.insert(argv.end(), backup.begin(), backup.end());
  const ProcessEnd end = Run(argv);
  ASSERT_TRUE(end.succeeded()) << end.Describe();
  EXPECT_THAT(OtherModes(Sub("b"), 0600, 0700), IsEmpty());

  const ProcessEnd prepared = Run(PrepareCommand(BackupTool::kHbk, Sub("b")));
  ASSERT_TRUE(prepared.succeeded()) << prepared.Describe();
  EXPECT_THAT(OtherModes(Sub("b"), 0600, 0700), IsEmpty());
}

TEST_F(SecurityTest, OthersMayReadItIfTheUserSaysSo) {
  StartServer();
  const ProcessEnd end = Backup({"--backup-mode=0640"});
  ASSERT_TRUE(end.succeeded()) << end.Describe();
  EXPECT_THAT(OtherModes(Sub("b"), 0640, 0750), IsEmpty());

  const ProcessEnd prepared =
      Run(PrepareCommand(BackupTool::kHbk, Sub("b"), {"--backup-mode=0640"}));
  ASSERT_TRUE(prepared.succeeded()) << prepared.Describe();
  EXPECT_THAT(OtherModes(Sub("b"), 0640, 0750), IsEmpty());
}

TEST_F(SecurityTest, AModeThatBreaksABackupIsRefused) {
  StartServer();
  for (const char* mode : {"0660", "0200", "0755", "x", "9"}) {
    const ProcessEnd end = Backup({std::string("--backup-mode=") + mode});
    EXPECT_EQ(end.exit_code, 2) << mode << ": " << end.Describe();
    EXPECT_FALSE(std::filesystem::exists(Sub("b")));
  }
}

// A file in a backup that is a symbolic link is not gone along with, and what it leads to stays.
TEST_F(SecurityTest, ALinkInPlaceOfAFileIsNotFollowed) {
  StartServer();
  ASSERT_TRUE(Backup().succeeded());
  const std::string file = Sub("b") + "/d/t.ibd";
  std::filesystem::rename(file, Sub("outside"));
  std::filesystem::create_symlink(Sub("outside"), file);
  const auto before = ReadWholeFile(Sub("outside"));
  ASSERT_THAT(before.status(), IsOk());

  const ProcessEnd end = Run(PrepareCommand(BackupTool::kHbk, Sub("b")));
  EXPECT_EQ(end.exit_code, 20) << end.Describe();
  const auto after = ReadWholeFile(Sub("outside"));
  ASSERT_THAT(after.status(), IsOk());
  EXPECT_TRUE(*before == *after);
}

// hbk as a user to whom nothing here belongs.
class OtherUserTest : public SecurityTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "to run hbk as another user wants root";
    SecurityTest::SetUp();
    if (HasFatalFailure()) return;
    StartServer();
    // To the socket and to the program everybody may go; into the data directory nobody.
    for (const std::string& path : {scratch_->path(), Sub("server")})
      ASSERT_EQ(chmod(path.c_str(), 0711), 0);
    ASSERT_EQ(chmod(server_->data_dir().c_str(), 0700), 0);
    std::filesystem::copy_file(HbkProgram(), Sub("hbk"));
    ASSERT_EQ(chmod(Sub("hbk").c_str(), 0755), 0);
    ASSERT_THAT(MakeDirectory(Sub("own")), IsOk());
    ASSERT_EQ(chown(Sub("own").c_str(), kOtherUser, kOtherUser), 0);
  }

  ProcessEnd RunAsOther(const std::vector<std::string>& rights,
                        const std::vector<std::string>& command) {
    std::vector<std::string> argv = {"setpriv", fmt::format("--reuid={}", kOtherUser),
                                     fmt::format("--regid={}", kOtherUser), "--clear-groups",
                                     "--no-new-privs"};
    argv.insert(argv.end(), rights.begin(), rights.end());
    argv.push_back(Sub("hbk"));
    argv.insert(argv.end(), command.begin() + 1, command.end());
    return Run(argv);
  }
  [[nodiscard]] std::vector<std::string> Command() const {
    return BackupCommand(BackupTool::kHbk,
                         {.socket_path = server_->socket_path(), .target_dir = Sub("own/b")});
  }
};

TEST_F(OtherUserTest, WithoutRightsItIsRefusedBeforeAnythingIsMade) {
  const ProcessEnd end = RunAsOther({}, Command());
  EXPECT_EQ(end.exit_code, 13) << end.Describe();
  EXPECT_THAT(end.output, HasSubstr("Permission denied"));
  EXPECT_FALSE(std::filesystem::exists(Sub("own/b")));
}

TEST_F(OtherUserTest, TheRightToReadIsEnough) {
  const ProcessEnd end =
      RunAsOther({"--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
                  "--bounding-set=-all,+dac_read_search"},
                 Command());
  ASSERT_TRUE(end.succeeded()) << end.Describe();
  EXPECT_THAT(OtherModes(Sub("own/b"), 0600, 0700), IsEmpty());
  struct stat info {};
  ASSERT_EQ(stat((Sub("own/b") + "/ibdata1").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, kOtherUser);

  const ProcessEnd prepared =
      RunAsOther({"--bounding-set=-all"}, PrepareCommand(BackupTool::kHbk, Sub("own/b")));
  EXPECT_TRUE(prepared.succeeded()) << prepared.Describe();
}

// A server with a certificate for 127.0.0.1 from an authority of its own.
class TlsTest : public SecurityTest {
 protected:
  void SetUp() override {
    SecurityTest::SetUp();
    if (HasFatalFailure()) return;
    MakeAuthority("ca");
    MakeAuthority("other");
    std::ofstream(Sub("san")) << "subjectAltName=IP:127.0.0.1\n";
    OpenSsl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", Sub("server.key"), "-out", Sub("server.csr"), "-subj", "/CN=server"});
    OpenSsl({"x509", "-req", "-in", Sub("server.csr"), "-CA", Sub("ca.pem"), "-CAkey",
             Sub("ca.key"), "-CAcreateserial", "-days", "30", "-extfile", Sub("san"), "-out",
             Sub("server.pem")});
    StartServer({"--ssl-ca=" + Sub("ca.pem"), "--ssl-cert=" + Sub("server.pem"),
                 "--ssl-key=" + Sub("server.key")});
    auto client = server_->Connect();
    ASSERT_THAT(client.status(), IsOk());
    ASSERT_THAT(client->Execute("CREATE USER tls@'%' IDENTIFIED BY 'p' REQUIRE SSL"), IsOk());
    ASSERT_THAT(client->Execute("GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO tls@'%'"), IsOk());
  }

  ProcessEnd BackupOverTcp(const std::string& host, const std::vector<std::string>& more) {
    std::vector<std::string> argv = {HbkProgram(),
                                     "backup",
                                     "--no-defaults",
                                     "--user=tls",
                                     "--password=p",
                                     "--protocol=tcp",
                                     "--host=" + host,
                                     fmt::format("--port={}", server_->port()),
                                     "--target-dir=" + Sub("b")};
    argv.insert(argv.end(), more.begin(), more.end());
    return Run(argv);
  }
  void ExpectRefused(const ProcessEnd& end) {
    EXPECT_EQ(end.exit_code, 15) << end.Describe();
    EXPECT_FALSE(std::filesystem::exists(Sub("b")));
  }

 private:
  void MakeAuthority(const std::string& name) {
    OpenSsl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", Sub(name + ".key"), "-out", Sub(name + ".pem"), "-days", "30", "-subj",
             "/CN=" + name});
  }
  void OpenSsl(std::vector<std::string> words) {
    words.insert(words.begin(), "openssl");
    const ProcessEnd end = Run(words);
    ASSERT_TRUE(end.succeeded()) << end.Describe();
  }
};

TEST_F(TlsTest, TheRightServerIsLoggedInTo) {
  const ProcessEnd end =
      BackupOverTcp("127.0.0.1", {"--ssl-verify-server-cert", "--ssl-ca=" + Sub("ca.pem")});
  EXPECT_TRUE(end.succeeded()) << end.Describe();
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNot) {
  const ProcessEnd end =
      BackupOverTcp("127.0.0.1", {"--ssl-verify-server-cert", "--ssl-ca=" + Sub("other.pem")});
  ExpectRefused(end);
  EXPECT_THAT(end.output, AnyOf(HasSubstr("certificate"), HasSubstr("TLS")));
}

TEST_F(TlsTest, NorOneOfNoKnownAuthority) {
  ExpectRefused(BackupOverTcp("127.0.0.1", {"--ssl-verify-server-cert"}));
}

TEST_F(TlsTest, NorOneOfAnotherName) {
  const ProcessEnd end =
      BackupOverTcp("localhost", {"--ssl-verify-server-cert", "--ssl-ca=" + Sub("ca.pem")});
  ExpectRefused(end);
  EXPECT_THAT(end.output, HasSubstr("Validation of SSL server certificate failed"));
}

TEST_F(TlsTest, WhoMustUseTlsIsNotLoggedInWithout) {
  ExpectRefused(BackupOverTcp("127.0.0.1", {"--skip-ssl"}));
}

}  // namespace
}  // namespace hbk::testing
