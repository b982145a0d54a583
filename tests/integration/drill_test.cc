// `hbk drill` against real servers: a good backup passes, and what is wrong with others is found,
// also where no checksum of a page shows it. Nothing is left behind, whatever happens.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/chunk_hashes.h"
#include "hbk/manifest/drill_record.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kFailedDrill = 23;
constexpr int kUnsupported = 18;
constexpr size_t kPageBytes = 16384;
constexpr size_t kLsnOffset = 16;
constexpr milliseconds kLimit{300'000};

// What of the files is not the record of a drill.
std::map<std::string, std::string> FilesOf(const std::string& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.ends_with(manifest::kDrilledRecordName)) continue;
    files[path.substr(dir.size())] = filter::DigestOf(AsBytes(ReadWholeFile(path).value()));
  }
  return files;
}

// Of all processes: whether one was started with that in its words.
bool IsRunning(const std::string& word) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto words = ReadWholeFile(entry.path().string() + "/cmdline");
    if (words.ok() && words->find(word) != std::string::npos) return true;
  }
  return false;
}

bool ComesTrue(const std::function<bool()>& condition, int seconds) {
  for (int i = 0; i < seconds * 20; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(50));
  }
  return false;
}

class DrillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
  }

  void StartServer(std::vector<std::string> extra = {}, const ServerTree& tree = {}) {
    extra.insert(extra.end(),
                 {"--innodb-max-dirty-pages-pct=0", "--innodb-max-dirty-pages-pct-lwm=0",
                  "--innodb-stats-persistent=0"});
    auto server =
        Mariadbd::Start({.base_dir = scratch_->Sub("s"), .extra = std::move(extra), .tree = tree});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
    Reconnect();
  }
  void Reconnect() {
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    client_.emplace(std::move(client).value());
  }
  void Run(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements)
      ASSERT_THAT(client_->Execute(statement), IsOk());
  }
  void MakeTables() {
    Run({"CREATE DATABASE d", "USE d",
         "CREATE TABLE plain (id INT PRIMARY KEY, v INT, f CHAR(200)) ENGINE=InnoDB",
         "INSERT INTO plain SELECT seq, 0, REPEAT('f', 200) FROM seq_1_to_3000",
         "CREATE TABLE indexed (id INT PRIMARY KEY, k INT, f CHAR(200), KEY (k)) ENGINE=InnoDB",
         "INSERT INTO indexed SELECT seq, seq, REPEAT('f', 200) FROM seq_1_to_3000",
         "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM", "INSERT INTO m VALUES (1), (2)",
         "CREATE TABLE a (id INT PRIMARY KEY) ENGINE=Aria", "INSERT INTO a VALUES (1), (2)",
         "CREATE SEQUENCE numbers", "CREATE VIEW v AS SELECT * FROM plain",
         // No checksum is recorded of a table that was made in the second of the snapshot.
         "DO SLEEP(1.1)"});
  }
  // Until the files have everything, and recovery needs nothing of before.
  void Settle() {
    ASSERT_TRUE(ComesTrue(
        [this] {
          const auto dirty = client_->StatusNumber("Innodb_buffer_pool_pages_dirty");
          return dirty.ok() && *dirty == 0;
        },
        60));
    const auto lsn = client_->StatusNumber("Innodb_lsn_current");
    ASSERT_THAT(lsn, IsOk());
    ASSERT_TRUE(ComesTrue(
        [this, &lsn] {
          const auto checkpoint = client_->StatusNumber("Innodb_lsn_last_checkpoint");
          return checkpoint.ok() && *checkpoint + 1000 > *lsn;
        },
        60));
  }
  void Backup(const std::string& name, std::vector<std::string> extra = {"--record-checksums"}) {
    ASSERT_THAT(RunToSuccess(BackupCommand(BackupTool::kHbk, {.socket_path = server_->socket_path(),
                                                              .target_dir = scratch_->Sub(name),
                                                              .extra = std::move(extra)}),
                             scratch_->Sub(name + ".log")),
                IsOk());
  }

  std::vector<std::string> DrillCommand(const std::string& name, std::vector<std::string> extra) {
    std::vector<std::string> argv = {HbkProgram(),
                                     "--no-defaults",
                                     "drill",
                                     "--target-dir=" + scratch_->Sub(name),
                                     "--parallel=2",
                                     "--use-memory=64M",
                                     "--report-json=" + scratch_->Sub("report.json"),
                                     "--report-html=" + scratch_->Sub("report.html")};
    argv.insert(argv.end(), extra.begin(), extra.end());
    return argv;
  }
  // Runs it, and reads its report. Whatever came out, nothing is left.
  void Drill(const std::string& name, int exit_code, std::vector<std::string> extra = {}) {
    std::filesystem::remove(scratch_->Sub("report.json"));
    report_ = json();
    const auto end = RunProcess(DrillCommand(name, std::move(extra)),
                                {.output_path = scratch_->Sub("drill.log")}, kLimit);
    ASSERT_THAT(end, IsOk());
    output_ = end->output;
    const auto text = ReadWholeFile(scratch_->Sub("report.json"));
    if (text.ok()) report_ = json::parse(*text);
    ASSERT_EQ(end->exit_code, exit_code) << output_ << report_.dump(1);
    EXPECT_FALSE(std::filesystem::exists(scratch_->Sub(name) + ".drill"));
    EXPECT_FALSE(IsRunning(scratch_->Sub(name) + ".drill"));
  }
  // The problems, a line each.
  std::string Problems() const {
    std::string text;
    for (const json& finding : report_["findings"]) {
      if (finding["severity"] != "problem") continue;
      text += fmt::format("{} {}: {}\n", finding["phase"].get<std::string>(),
                          finding.value("table", ""), finding["text"].get<std::string>());
    }
    return text;
  }

  // The page with the older image of the two that has rows, and its image: an index page that was
  // changed, neither the first nor the last of these.
  static void PutBackOldPage(const std::string& old_file, const std::string& file) {
    const std::string old_bytes = ReadWholeFile(old_file).value();
    std::string bytes = ReadWholeFile(file).value();
    ASSERT_EQ(old_bytes.size(), bytes.size());
    std::vector<size_t> changed;
    for (size_t at = 4 * kPageBytes; at < bytes.size(); at += kPageBytes) {
      if (old_bytes.compare(at + kLsnOffset, 8, bytes, at + kLsnOffset, 8) < 0)
        changed.push_back(at);
    }
    ASSERT_GT(changed.size(), 2U) << "the update has changed no page";
    const size_t at = changed[changed.size() / 2];
    bytes.replace(at, kPageBytes, old_bytes, at, kPageBytes);
    std::ofstream(file, std::ios::binary) << bytes;
  }
  // As if the server's disk had lost the write before the backup read the page.
  void AdaptManifest(const std::string& name, const std::string& file_name) {
    const std::string dir = scratch_->Sub(name);
    auto manifest = manifest::LoadManifest(fs_, dir);
    ASSERT_THAT(manifest, IsOk());
    for (manifest::ManifestFile& file : manifest->files) {
      if (file.name == file_name)
        file.digest = filter::DigestOf(AsBytes(ReadWholeFile(dir + "/" + file_name).value()));
    }
    ASSERT_THAT(manifest::StoreManifest(fs_, dir, *manifest), IsOk());
    std::filesystem::remove(dir + "/" + std::string(manifest::kChunkHashesName));
  }
  std::string PutScript(const std::string& name, const std::string& text) {
    const std::string path = scratch_->Sub(name);
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  // A server that gets a signal when the user's SQL runs on it.
  std::string ServerThatGets(const std::string& signal) {
    return PutScript(
        "mariadbd",
        fmt::format("case \"$1\" in --defaults-file=*) (while [ ! -e {}/sql.out ]; do sleep 0.1; "
                    "done; sleep 1; kill -{} $$) & ;; esac\nexec {} \"$@\"",
                    scratch_->Sub("full.drill"), signal, FindProgram("mariadbd")));
  }
  std::string PutSql(const std::string& sql) {
    std::ofstream(scratch_->Sub("check.sql")) << sql;
    return "--sql-file=" + scratch_->Sub("check.sql");
  }

  io::FileSystem& fs_ = io::PosixFileSystem();
  std::optional<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  std::optional<SqlClient> client_;
  json report_;
  std::string output_;
};

TEST_F(DrillTest, AGoodBackupAndAChainPassAndStayAsTheyAre) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  auto other = server_->Connect();
  ASSERT_THAT(other, IsOk());
  ASSERT_THAT(other->Execute("BEGIN"), IsOk());
  ASSERT_THAT(other->Execute("UPDATE d.indexed SET k = k + 100000"), IsOk());  // never committed
  ASSERT_NO_FATAL_FAILURE(Backup("full"));
  Run({"UPDATE plain SET v = 1 WHERE id < 50", "INSERT INTO m VALUES (3)"});
  ASSERT_NO_FATAL_FAILURE(
      Backup("inc", {"--record-checksums", "--incremental-basedir=" + scratch_->Sub("full")}));
  const auto before = FilesOf(scratch_->Sub("full"));

  ASSERT_NO_FATAL_FAILURE(
      Drill("full", 0, {PutSql("SELECT COUNT(*) AS number_of_rows FROM d.plain;")}));

  EXPECT_THAT(output_, HasSubstr("completed OK!"));
  EXPECT_EQ(report_["ok"], true);
  EXPECT_EQ(report_["tables"]["checked_count"], report_["tables"]["count"]);
  EXPECT_EQ(report_["tables"]["compared_count"], 2);
  EXPECT_GT(report_["restore_seconds"], 0);
  EXPECT_THAT(report_["sql_output"].get<std::string>(), HasSubstr("number_of_rows\n3000"));
  const std::string page = ReadWholeFile(scratch_->Sub("report.html")).value();
  EXPECT_THAT(page, AllOf(HasSubstr("The backup was restored"), HasSubstr("<svg"),
                          Not(HasSubstr("http:"))));
  EXPECT_EQ(FilesOf(scratch_->Sub("full")), before);
  const auto record = manifest::LoadDrilledRecord(fs_, scratch_->Sub("full"));
  ASSERT_THAT(record, IsOk());
  EXPECT_TRUE(record->ok);
  EXPECT_THAT(manifest::DigestOfStoredManifest(fs_, scratch_->Sub("full")),
              IsOkAndHolds(record->manifest_digest));

  ASSERT_NO_FATAL_FAILURE(Drill("full", 0, {"--incremental-dir=" + scratch_->Sub("inc")}));
  EXPECT_EQ(report_["tables"]["compared_count"], 2);
  EXPECT_THAT(manifest::LoadDrilledRecord(fs_, scratch_->Sub("inc")), IsOk());
  EXPECT_EQ(FilesOf(scratch_->Sub("full")), before);

  // A record in it does not hinder the others.
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("full")),
                           scratch_->Sub("prepare.log")),
              IsOk());
  ASSERT_NO_FATAL_FAILURE(Drill("full", 0));
  ASSERT_THAT(RunToSuccess(CopyBackCommand(BackupTool::kHbk, scratch_->Sub("full"),
                                           scratch_->Sub("restored")),
                           scratch_->Sub("copy-back.log")),
              IsOk());
  EXPECT_FALSE(std::filesystem::exists(scratch_->Sub("restored") + "/hbk_drilled.json"));
}

// The page has a right checksum and the right number: it is only not the one that was written last.
TEST_F(DrillTest, ALostWriteThatNoChecksumOfAPageShowsIsFound) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  ASSERT_NO_FATAL_FAILURE(Settle());
  for (const std::string name : {"plain", "indexed"})
    std::filesystem::copy(server_->data_dir() + "/d/" + name + ".ibd",
                          scratch_->Sub(name + ".old"));
  Run({"UPDATE plain SET v = v + 1", "UPDATE indexed SET k = k + 100000"});
  ASSERT_NO_FATAL_FAILURE(Settle());
  ASSERT_NO_FATAL_FAILURE(Backup("full"));
  for (const std::string name : {"plain", "indexed"}) {
    const std::string file = "d/" + name + ".ibd";
    ASSERT_NO_FATAL_FAILURE(
        PutBackOldPage(scratch_->Sub(name + ".old"), scratch_->Sub("full/") + file));
    ASSERT_NO_FATAL_FAILURE(AdaptManifest("full", file));
  }

  ASSERT_NO_FATAL_FAILURE(Drill("full", kFailedDrill, {"--check=extended"}));

  EXPECT_THAT(output_, Not(HasSubstr("completed OK!")));
  EXPECT_THAT(Problems(), HasSubstr("check tables `d`.`plain`: the 3000 rows have the checksum"));
  EXPECT_THAT(Problems(), HasSubstr("check tables `d`.`indexed`: CHECK TABLE"));
  EXPECT_THAT(Problems(), Not(HasSubstr("`d`.`m`")));
  const auto record = manifest::LoadDrilledRecord(fs_, scratch_->Sub("full"));
  ASSERT_THAT(record, IsOk());
  EXPECT_FALSE(record->ok);
  EXPECT_THAT(ReadWholeFile(scratch_->Sub("report.html")).value(), HasSubstr("The drill failed"));
}

TEST_F(DrillTest, AMissingKeyIsFoundBeforeAndAfterPrepare) {
  HBK_TREE_OR_SKIP(tree, "10.11");
  const std::string keys = scratch_->Sub("keys.txt");
  std::ofstream(keys) << "1;770A8A65DA156D24EE2A093277530142\n";
  std::filesystem::permissions(keys, std::filesystem::perms::owner_read);
  ASSERT_NO_FATAL_FAILURE(StartServer(
      {"--plugin-load-add=file_key_management.so", "--file-key-management-filename=" + keys,
       "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON"},
      tree));
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  ASSERT_NO_FATAL_FAILURE(Settle());
  Run({"UPDATE plain SET v = 5 WHERE id = 7"});
  ASSERT_NO_FATAL_FAILURE(Backup("full"));
  ASSERT_THAT(CopyTree(scratch_->Sub("full"), scratch_->Sub("prepared")), IsOk());
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("prepared")),
                           scratch_->Sub("prepare.log")),
              IsOk());
  const std::string program = "--mariadbd=" + tree.Program("mariadbd");
  ASSERT_NO_FATAL_FAILURE(Drill("full", 0, {program}));
  EXPECT_EQ(report_["tables"]["compared_count"], 2);

  std::filesystem::rename(keys, keys + ".away");
  ASSERT_NO_FATAL_FAILURE(Drill("full", kFailedDrill, {program}));
  EXPECT_THAT(Problems(), AllOf(HasSubstr("prepare"), HasSubstr(keys)));

  ASSERT_NO_FATAL_FAILURE(Drill("prepared", kFailedDrill, {program}));
  EXPECT_THAT(report_["server"]["error_log"].get<std::string>(), HasSubstr(keys));
  EXPECT_NE(Problems(), "");
  // Where the key is now, the backup is good.
  ASSERT_NO_FATAL_FAILURE(
      Drill("prepared", 0, {program, "--file-key-management-filename=" + keys + ".away"}));
}

TEST_F(DrillTest, AServerThatDiesOrHangsIsCaughtAndItsErrorLogQuoted) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  ASSERT_NO_FATAL_FAILURE(Backup("full"));
  const std::string says =
      "case \"$*\" in *--version*) echo 'mariadbd  Ver 99.1.2-MariaDB for x'; exit 0;; "
      "*--help*) exit 0;; esac\n";

  const std::string dies =
      PutScript("dies", says + "echo '0 [ERROR] the disk is on fire'; kill -SEGV $$");
  ASSERT_NO_FATAL_FAILURE(Drill("full", kFailedDrill, {"--mariadbd=" + dies}));
  EXPECT_THAT(Problems(),
              HasSubstr("was ended by signal 11 (Segmentation fault) before it answered"));
  EXPECT_THAT(report_["server"]["error_log"].get<std::string>(), HasSubstr("the disk is on fire"));
  EXPECT_THAT(ReadWholeFile(scratch_->Sub("report.html")).value(),
              HasSubstr("the disk is on fire"));

  const std::string hangs = PutScript("hangs", says + "echo waiting; exec sleep 1000");
  ASSERT_NO_FATAL_FAILURE(
      Drill("full", kFailedDrill, {"--mariadbd=" + hangs, "--server-start-timeout=2"}));
  EXPECT_THAT(Problems(), HasSubstr("did not answer within 2 s"));
  EXPECT_THAT(report_["server"]["error_log"].get<std::string>(), HasSubstr("waiting"));

  // A real one, in the midst of its work.
  const std::string waits = PutSql("SELECT SLEEP(600);");
  ASSERT_NO_FATAL_FAILURE(
      Drill("full", kFailedDrill, {"--mariadbd=" + ServerThatGets("SEGV"), waits}));
  EXPECT_THAT(Problems(), HasSubstr("signal 11"));
  EXPECT_THAT(report_["server"]["error_log"].get<std::string>(), HasSubstr("got signal 11"));

  ASSERT_NO_FATAL_FAILURE(
      Drill("full", kFailedDrill,
            {"--mariadbd=" + ServerThatGets("STOP"), waits, "--statement-timeout=15"}));
  EXPECT_THAT(Problems(), HasSubstr("15"));
}

TEST_F(DrillTest, TheServerNeverOutlivesHbk) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  ASSERT_NO_FATAL_FAILURE(Backup("full"));
  const std::string place = scratch_->Sub("full.drill");
  const auto start = [&] {
    auto drill = Process::Start(DrillCommand("full", {PutSql("SELECT SLEEP(600);")}),
                                {.output_path = scratch_->Sub("drill.log")});
    EXPECT_THAT(drill, IsOk());
    EXPECT_TRUE(ComesTrue([&] { return std::filesystem::exists(place + "/sql.out"); }, 120));
    return std::move(*drill);
  };

  auto drill = start();
  drill->Signal(SIGINT);
  EXPECT_EQ(drill->Wait(kLimit).exit_code, 130);
  EXPECT_FALSE(IsRunning(place));
  EXPECT_FALSE(std::filesystem::exists(place));

  drill = start();
  EXPECT_TRUE(IsRunning("--defaults-file=" + place));
  drill->Signal(SIGKILL);
  (void)drill->Wait(kLimit);
  EXPECT_TRUE(ComesTrue([&] { return !IsRunning("--defaults-file=" + place); }, 30));
  // What it has left is told by the next one.
  const auto end =
      RunProcess(DrillCommand("full", {}), {.output_path = scratch_->Sub("drill.log")});
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 21);
  EXPECT_THAT(end->output, HasSubstr("is not empty"));
  std::filesystem::remove_all(place);
}

TEST_F(DrillTest, SqlOfTheUserThatFailsFailsTheDrill) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  ASSERT_NO_FATAL_FAILURE(Backup("full"));

  ASSERT_NO_FATAL_FAILURE(
      Drill("full", kFailedDrill,
            {"--check=none",
             PutSql("SELECT 'first';\n"
                    "SELECT * FROM d.no_such_table;\n"
                    "DELIMITER //\n"
                    "BEGIN NOT ATOMIC IF (SELECT COUNT(*) FROM d.plain) < 4000 THEN "
                    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT='too few rows'; END IF; END//\n"
                    "DELIMITER ;\n"
                    "SELECT 'last';\n")}));

  EXPECT_THAT(Problems(), AllOf(HasSubstr("no_such_table"), HasSubstr("too few rows")));
  EXPECT_THAT(report_["sql_output"].get<std::string>(),
              AllOf(HasSubstr("first"), HasSubstr("last")));
  EXPECT_EQ(report_["tables"]["checked_count"], 0);
}

// The file of such a table is where the live server has it: no other server may open that.
TEST_F(DrillTest, ATableWithADirectoryOfItsOwnIsNeverTakenFromTheLiveServer) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  std::filesystem::create_directory(scratch_->Sub("elsewhere"));
  Run({"CREATE DATABASE d", "USE d",
       "CREATE TABLE remote (id INT PRIMARY KEY) ENGINE=InnoDB DATA DIRECTORY='" +
           scratch_->Sub("elsewhere") + "'",
       "INSERT INTO remote VALUES (1), (2), (3)", "DO SLEEP(1.1)"});
  ASSERT_NO_FATAL_FAILURE(Backup("full"));
  ASSERT_THAT(server_->Stop(), IsOk());
  const auto before = FilesOf(scratch_->Sub("elsewhere"));

  ASSERT_NO_FATAL_FAILURE(Drill("full", kUnsupported));
  EXPECT_THAT(output_, HasSubstr("elsewhere/d/remote.ibd exists on this machine"));
  EXPECT_EQ(FilesOf(scratch_->Sub("elsewhere")), before);

  std::filesystem::rename(scratch_->Sub("elsewhere"), scratch_->Sub("away"));
  ASSERT_NO_FATAL_FAILURE(Drill("full", 0));
  EXPECT_EQ(report_["tables"]["compared_count"], 1);
}

TEST_F(DrillTest, AnotherServerWithOtherRowsIsNoticed) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  ASSERT_NO_FATAL_FAILURE(Backup("full", {}));
  const std::vector<std::string> compare = {"--compare-with=" + server_->socket_path(),
                                            "--user=root"};

  ASSERT_NO_FATAL_FAILURE(Drill("full", 0, compare));
  EXPECT_EQ(report_["tables"]["compared_count"], 4);

  Run({"UPDATE plain SET v = 9 WHERE id = 5", "DELETE FROM m WHERE id = 1"});
  ASSERT_NO_FATAL_FAILURE(Drill("full", kFailedDrill, compare));
  EXPECT_THAT(Problems(), AllOf(HasSubstr("`d`.`plain`: the 3000 rows have the checksum"),
                                HasSubstr("`d`.`m`: 2 rows, expected 1"), Not(HasSubstr("`d`.`a`")),
                                Not(HasSubstr("`d`.`indexed`"))));
}

TEST_F(DrillTest, ASampleTakesOtherTablesTheNextTime) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  ASSERT_NO_FATAL_FAILURE(Backup("full", {}));
  uint64_t checked = 0;
  uint64_t count = 0;

  for (int i = 0; i < 2; ++i) {
    ASSERT_NO_FATAL_FAILURE(Drill("full", 0, {"--check-sample=50%", "--check=quick"}));
    checked += report_["tables"]["checked_count"].get<uint64_t>();
    count = report_["tables"]["count"].get<uint64_t>();
  }

  EXPECT_EQ(checked, count);
}

// The snapshot has the transactions that the backup has, however many there are beside it.
TEST_F(DrillTest, ChecksumsThatWereTakenUnderLoadFitToTheBackup) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  std::atomic<bool> is_over{false};
  std::atomic<uint64_t> transactions{0};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      auto client = server_->Connect();
      ASSERT_THAT(client, IsOk());
      for (int i = 0; !is_over; ++i) {
        const int id = (i * 7 + writer * 1000) % 3000;
        ASSERT_THAT(client->Execute("BEGIN"), IsOk());
        ASSERT_THAT(client->Execute(fmt::format("UPDATE d.plain SET v=v+1 WHERE id={}", id)),
                    IsOk());
        ASSERT_THAT(client->Execute(fmt::format("INSERT INTO d.indexed VALUES ({}, {}, 'x')",
                                                10000 + i * 3 + writer, i)),
                    IsOk());
        ASSERT_THAT(client->Execute("COMMIT"), IsOk());
        ++transactions;
      }
    });
  }
  ComesTrue([&] { return transactions > 50; }, 60);
  const uint64_t before = transactions;
  Backup("full");
  const uint64_t after = transactions;
  is_over = true;
  for (std::thread& writer : writers)
    writer.join();
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_GT(after, before);

  ASSERT_NO_FATAL_FAILURE(Drill("full", 0));

  EXPECT_EQ(report_["tables"]["compared_count"], 2);
}

TEST_F(DrillTest, BackupsOfMariadbBackupAndStoredOnesAreDrilled) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(MakeTables());
  std::ofstream(scratch_->Sub("key")) << std::string(64, 'a');
  std::filesystem::permissions(scratch_->Sub("key"), std::filesystem::perms::owner_read);
  const std::string key = "--encrypt-key-file=" + scratch_->Sub("key");
  ASSERT_NO_FATAL_FAILURE(Backup(
      "sealed", {"--record-checksums", "--compress", "--encrypt", "--encrypt-manifest", key}));
  ASSERT_THAT(RunToSuccess(BackupCommand(BackupTool::kMariadbBackup,
                                         {.socket_path = server_->socket_path(),
                                          .target_dir = scratch_->Sub("foreign")}),
                           scratch_->Sub("foreign.log")),
              IsOk());

  ASSERT_NO_FATAL_FAILURE(Drill("sealed", 0, {key}));
  EXPECT_EQ(report_["tables"]["compared_count"], 2);
  ASSERT_NO_FATAL_FAILURE(Drill("sealed", kFailedDrill));
  EXPECT_THAT(Problems(), HasSubstr("is sealed, and no key is given"));
  ASSERT_NO_FATAL_FAILURE(Drill("foreign", 0));
  EXPECT_EQ(report_["tables"]["checked_count"], report_["tables"]["count"]);
}

}  // namespace
}  // namespace hbk::testing
