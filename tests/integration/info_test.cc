// hbk info on backups of a real server: a chain, prepared, sealed, from a stream, and one of
// mariadb-backup.

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/process.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKeyText = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

class InfoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch.status(), IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(*scratch));
    auto server = Mariadbd::Start(
        {.base_dir = scratch_->Sub("server"), .server_id = 7, .extra = {"--log-bin=binlog"}});
    ASSERT_THAT(server.status(), IsOk());
    server_ = std::move(*server);
    Work("CREATE DATABASE shop");
    Work("CREATE TABLE shop.t (a INT PRIMARY KEY) ENGINE=InnoDB");
  }

  [[nodiscard]] std::string Sub(const std::string& name) const { return scratch_->Sub(name); }
  void Work(const std::string& statement) {
    auto client = server_->Connect();
    ASSERT_THAT(client.status(), IsOk());
    ASSERT_THAT(client->Execute(statement), IsOk());
  }
  void Succeed(const std::vector<std::string>& argv) {
    ASSERT_THAT(RunToSuccess(argv, Sub("out")).status(), IsOk());
  }
  void Backup(const std::string& target, const std::vector<std::string>& extra = {},
              BackupTool tool = BackupTool::kHbk) {
    Succeed(BackupCommand(
        tool, {.socket_path = server_->socket_path(), .target_dir = Sub(target), .extra = extra}));
  }
  void Prepare(const std::string& target, const std::vector<std::string>& extra = {}) {
    Succeed(PrepareCommand(BackupTool::kHbk, Sub(target), extra));
  }

  // stdout of hbk info, which must end with that code.
  std::string Info(const std::vector<std::string>& targets, int exit_code,
                   const std::vector<std::string>& options = {"--output=json"}) {
    std::vector<std::string> argv = {HbkProgram(), "--no-defaults", "info"};
    for (const std::string& target : targets)
      argv.push_back(Sub(target));
    argv.insert(argv.end(), options.begin(), options.end());
    const auto end = RunProcess(argv, {.output_path = Sub("err"), .stdout_path = Sub("info")});
    EXPECT_THAT(end.status(), IsOk());
    if (!end.ok()) return {};
    const auto text = ReadWholeFile(Sub("info"));
    EXPECT_EQ(end->exit_code, exit_code) << end->Describe() << (text.ok() ? *text : "");
    return text.ok() ? *text : "";
  }

  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
};

TEST_F(InfoTest, AChainIsDrawnInItsOrder) {
  Backup("full");
  Work("INSERT INTO shop.t VALUES (1)");
  Backup("inc1", {"--incremental-basedir=" + Sub("full"), "--compress"});
  Work("INSERT INTO shop.t VALUES (2)");
  Backup("inc2", {"--incremental-basedir=" + Sub("inc1"), "--extra-lsndir=" + Sub("lsn")});

  const std::string text = Info({"inc2", "inc1", "full"}, 0, {});
  EXPECT_THAT(text, HasSubstr("\nchain\n  " + Sub("full") + "  unprepared, to LSN "));
  EXPECT_THAT(text, HasSubstr("\n     `- " + Sub("inc1") + "  unprepared, to LSN "));
  EXPECT_THAT(text, HasSubstr("\n        `- " + Sub("inc2") + "  unprepared, to LSN "));
  EXPECT_THAT(text, AllOf(HasSubstr("server_id 7"), HasSubstr("binlog.000001 position "),
                          HasSubstr("block-commit  waited "), HasSubstr("; margin "),
                          HasSubstr("compression     zstd:3")));

  const std::string alone = Info({"inc2"}, 0);
  EXPECT_THAT(alone, AllOf(HasSubstr(R"("kind":"increment")"), HasSubstr(R"("directory":null)")));
  EXPECT_THAT(Info({"lsn"}, 0), HasSubstr(R"("state":"metadata only")"));

  Prepare("full", {"--incremental-dir=" + Sub("inc1"), "--incremental-dir=" + Sub("inc2")});
  EXPECT_THAT(Info({"full"}, 0),
              AllOf(HasSubstr(R"("state":"prepared")"), HasSubstr(R"("merged":[)")));
}

TEST_F(InfoTest, OfASealedBackupAsMuchIsSaidAsTheKeysPermit) {
  ASSERT_THAT(MakeDirectory(Sub("keys")), IsOk());
  Succeed({"/bin/sh", "-c",
           "printf %s " + std::string(kKeyText) + " > " + Sub("keys/a") + "; printf %s " +
               std::string(64, 'b') + " > " + Sub("keys/b") + "; chmod 600 " + Sub("keys") +
               "/*; echo 'completed OK!'"});
  const std::string key = "--encrypt-key-file=" + Sub("keys/a");
  const std::string wrong = "--encrypt-key-file=" + Sub("keys/b");
  Backup("sealed", {"--encrypt", key});
  Backup("names", {"--encrypt", "--encrypt-manifest", "--compress", key});

  EXPECT_THAT(Info({"sealed"}, 0),
              AllOf(HasSubstr(R"("seal_check":"not-checked")"), HasSubstr(R"("kind":"full")"),
                    HasSubstr(R"("key_slot_count":1)")));
  EXPECT_THAT(Info({"sealed"}, 0, {"--output=json", key}), HasSubstr(R"("seal_check":"genuine")"));
  EXPECT_THAT(Info({"sealed"}, 22, {"--output=json", wrong}), HasSubstr(R"("state":"closed")"));
  EXPECT_THAT(Info({"names"}, 22),
              AllOf(HasSubstr(R"("state":"closed")"), Not(HasSubstr("last_lsn"))));
  EXPECT_THAT(Info({"names"}, 0, {"--output=json", key}),
              AllOf(HasSubstr(R"("seal_check":"genuine")"), HasSubstr(R"("last_lsn":)")));
}

TEST_F(InfoTest, AnExtractedStreamIsABackupLikeOthers) {
  Succeed({"/bin/sh", "-c",
           HbkProgram() + " --no-defaults backup --user=root --stream=hbk --socket=" +
               server_->socket_path() + " > " + Sub("archive") + " && " + HbkProgram() +
               " --no-defaults extract --directory=" + Sub("b") + " --input=" + Sub("archive")});

  EXPECT_THAT(Info({"b"}, 0), AllOf(HasSubstr(R"("state":"unprepared","status":"ok")"),
                                    HasSubstr(R"("kind":"full")")));
  EXPECT_THAT(Info({"archive"}, 1), HasSubstr("hbk extract"));
}

TEST_F(InfoTest, ABackupOfMariadbBackupIsKnown) {
  Backup("full", {}, BackupTool::kMariadbBackup);
  Work("INSERT INTO shop.t VALUES (1)");
  Backup("inc", {"--incremental-basedir=" + Sub("full")}, BackupTool::kMariadbBackup);

  const std::string text = Info({"inc", "full"}, 0);
  EXPECT_THAT(text, AllOf(HasSubstr(R"("tool":"mariadb-backup")"), HasSubstr(R"("kind":"full")"),
                          HasSubstr(R"("found_by":"lsn")"), HasSubstr("filename 'binlog.000001'")));

  Prepare("full");
  EXPECT_THAT(Info({"full"}, 0), HasSubstr(R"("state":"prepared")"));
}

TEST_F(InfoTest, TheWorstDirectoryDecides) {
  Backup("b");
  Backup("damaged");
  Succeed({"/bin/sh", "-c", "rm " + Sub("damaged/shop/t.ibd") + " && echo 'completed OK!'"});
  ASSERT_THAT(MakeDirectory(Sub("empty")), IsOk());

  EXPECT_THAT(Info({"b", "empty"}, 1), HasSubstr(R"("state":"no backup","status":"error")"));
  EXPECT_THAT(Info({"damaged", "b", "empty"}, 20), HasSubstr("1 of "));
}

}  // namespace
}  // namespace hbk::testing
