// MyRocks: backed up by a checkpoint of the server, under load and with its directories elsewhere;
// and what becomes of the checkpoint when a backup ends early.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr const char* kPlugin = "--plugin-load-add=ha_rocksdb.so";
constexpr milliseconds kCatchUpLimit{120'000};
constexpr milliseconds kCheckpointLimit{60'000};
constexpr int kAccounts = 200;
constexpr int kFailed = 1;
constexpr int kDoneWithWarnings = 3;
constexpr int kMissingPrivilege = 13;
constexpr int kTerminated = 143;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// Sessions that move amounts between an InnoDB and a MyRocks table, in transactions of several
// statements: the sum over both is 0 in every consistent state.
class TransferLoad {
 public:
  TransferLoad(Mariadbd& server, uint64_t seed) : server_(server), seed_(seed) {}
  ~TransferLoad() { Stop(); }
  TransferLoad(const TransferLoad&) = delete;
  TransferLoad& operator=(const TransferLoad&) = delete;

  void Start(int session_count) {
    for (int i = 0; i < session_count; ++i)
      threads_.emplace_back([this, i] { Run(seed_ + static_cast<uint64_t>(i)); });
  }
  void Stop() {
    is_stopped_ = true;
    for (std::thread& thread : threads_)
      thread.join();
    threads_.clear();
  }
  [[nodiscard]] uint64_t committed() const { return committed_; }

 private:
  void Run(uint64_t seed) {
    std::mt19937_64 random(seed);
    auto client = server_.Connect();
    if (!client.ok()) return;
    while (!is_stopped_) {
      if (Transfer(*client, random).ok()) {
        ++committed_;
      } else if (!client->Execute("ROLLBACK").ok()) {
        return;
      }
    }
  }

  Status Transfer(SqlClient& client, std::mt19937_64& random) {
    const auto amount = random() % 100;
    HBK_RETURN_IF_ERROR(client.Execute("BEGIN"));
    HBK_RETURN_IF_ERROR(client.Execute(
        fmt::format("UPDATE mixed.i SET v=v-{} WHERE id={}", amount, random() % kAccounts)));
    HBK_RETURN_IF_ERROR(client.Execute(
        fmt::format("UPDATE mixed.r SET v=v+{} WHERE id={}", amount, random() % kAccounts)));
    HBK_RETURN_IF_ERROR(client.Execute(
        fmt::format("INSERT INTO mixed.log (amount, filler) VALUES ({}, REPEAT('x', {}))", amount,
                    random() % 500)));
    if (random() % 8 == 0) {
      HBK_RETURN_IF_ERROR(client.Execute("ROLLBACK"));
      return OkStatus();
    }
    return client.Execute("COMMIT");
  }

  Mariadbd& server_;
  const uint64_t seed_;
  std::atomic<bool> is_stopped_ = false;
  std::atomic<uint64_t> committed_ = 0;
  std::vector<std::thread> threads_;
};

class RocksdbTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HBK_TREE_OR_SKIP(tree, "10.11");
    if (!tree.HasPlugin("ha_rocksdb")) GTEST_SKIP() << "MariaDB 10.11 without ha_rocksdb";
    tree_ = tree;
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
  }
  void TearDown() override {
    restored_.reset();
    source_.reset();
  }

  [[nodiscard]] std::string Sub(const std::string& name) const { return scratch_->Sub(name); }

  Status StartSource(const Words& more = {}) {
    HBK_ASSIGN_OR_RETURN(
        source_,
        Mariadbd::Start({.base_dir = Sub("source"),
                         .extra = Words{kPlugin, "--log-bin=binlog", "--binlog-format=ROW"} + more,
                         .tree = tree_}));
    return Execute(
        {"CREATE USER replica@'%' IDENTIFIED BY 'replica'",
         "GRANT REPLICATION SLAVE ON *.* TO replica@'%'", "CREATE USER limited@localhost",
         "GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO limited@localhost",
         "CREATE DATABASE mixed",
         "CREATE TABLE mixed.i (id INT PRIMARY KEY, v BIGINT) ENGINE=InnoDB",
         "CREATE TABLE mixed.r (id INT PRIMARY KEY, v BIGINT) ENGINE=ROCKSDB",
         "CREATE TABLE mixed.log (id INT AUTO_INCREMENT PRIMARY KEY, amount INT, filler "
         "VARCHAR(600)) ENGINE=ROCKSDB PARTITION BY HASH (id) PARTITIONS 3",
         fmt::format("INSERT INTO mixed.i SELECT seq, 0 FROM mixed.seq_0_to_{}", kAccounts - 1),
         fmt::format("INSERT INTO mixed.r SELECT seq, 0 FROM mixed.seq_0_to_{}", kAccounts - 1)});
  }

  Status Execute(const Words& statements) {
    HBK_ASSIGN_OR_RETURN(SqlClient client, source_->Connect());
    for (const std::string& statement : statements)
      HBK_RETURN_IF_ERROR(client.Execute(statement));
    return OkStatus();
  }

  Words BackupWords(BackupTool tool, const std::string& target, const Words& more = {}) {
    return BackupCommand(tool, {.socket_path = source_->socket_path(),
                                .target_dir = Sub(target),
                                .parallel = 2,
                                .extra = more,
                                .tree = tree_});
  }
  Result<ProcessEnd> BackUp(const std::string& target, const Words& more = {}) {
    return RunProcess(BackupWords(BackupTool::kHbk, target, more),
                      {.output_path = Sub(target + ".log")});
  }

  Status Prepare(BackupTool tool, const std::string& target) {
    return RunToSuccess(PrepareCommand(tool, Sub(target), {}, tree_), Sub("prepare.log")).status();
  }
  Status CopyBack(BackupTool tool, const std::string& target, const std::string& name,
                  const Words& more = {}) {
    return RunToSuccess(CopyBackCommand(tool, Sub(target), Sub(name + "/data"), more, tree_),
                        Sub(name + ".log"))
        .status();
  }

  Status StartRestored(const std::string& name, const Words& more = {}) {
    HBK_ASSIGN_OR_RETURN(
        restored_,
        Mariadbd::Start({.base_dir = Sub(name),
                         .has_data = true,
                         .server_id = 2,
                         .extra = Words{kPlugin, "--log-bin=binlog", "--log-slave-updates",
                                        "--relay-log=relay", "--binlog-format=ROW"} +
                                  more,
                         .tree = tree_}));
    HBK_ASSIGN_OR_RETURN(SqlClient client, restored_->Connect());
    HBK_RETURN_IF_ERROR(CheckSum(client));
    return CheckAllTables(client);
  }

  static Status CheckSum(SqlClient& client) {
    HBK_ASSIGN_OR_RETURN(const std::string sum,
                         client.QueryValue("SELECT (SELECT SUM(v) FROM mixed.i) + (SELECT SUM(v) "
                                           "FROM mixed.r)"));
    HBK_ASSIGN_OR_RETURN(const std::string difference,
                         client.QueryValue("SELECT (SELECT SUM(v) FROM mixed.r) - (SELECT "
                                           "IFNULL(SUM(amount), 0) FROM mixed.log)"));
    if (sum == "0" && difference == "0") return OkStatus();
    return CorruptionError(
        fmt::format("transfers are torn: sum {}, without a log {}", sum, difference));
  }

  // Lets the restored server follow the source to its end, with the same rows then.
  Status FollowSource(const std::string& target) {
    HBK_ASSIGN_OR_RETURN(const BinlogInfo info, ReadBinlogInfo(Sub(target)));
    HBK_RETURN_IF_ERROR(AttachReplica(*source_, *restored_, info, ReplicationStart::kFilePosition));
    HBK_RETURN_IF_ERROR(CatchUp(*source_, *restored_, kCatchUpLimit));
    HBK_ASSIGN_OR_RETURN(SqlClient expected, source_->Connect());
    HBK_ASSIGN_OR_RETURN(SqlClient client, restored_->Connect());
    HBK_RETURN_IF_ERROR(CheckSum(client));
    return CompareTables(expected, client);
  }

  [[nodiscard]] std::string CheckpointDir() const {
    return source_->data_dir() + "/#rocksdb/mariabackup-checkpoint";
  }

  // Neither checkpoint nor locks are left.
  void ExpectServerIsFree() {
    EXPECT_FALSE(fs::exists(CheckpointDir()));
    auto client = source_->Connect();
    ASSERT_THAT(client, IsOk());
    EXPECT_THAT(client->QueryValue("SELECT IS_FREE_LOCK('mariabackup_rocksdb_checkpoint')"),
                IsOkAndHolds(std::string("1")));
    EXPECT_THAT(client->Execute("SET lock_wait_timeout=5"), IsOk());
    EXPECT_THAT(client->Execute("CREATE OR REPLACE TABLE mixed.probe (id INT)"), IsOk());
  }

  static Words SstFiles(const std::string& dir) {
    Words names;
    for (const auto& entry : fs::directory_iterator(dir)) {
      if (entry.path().extension() == ".sst") names.push_back(entry.path().filename().string());
    }
    return names;
  }
  static ino_t InodeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_ino;
  }

  ServerTree tree_;
  std::optional<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> source_;
  std::unique_ptr<Mariadbd> restored_;
};

TEST_F(RocksdbTest, RestoredServerEqualsSourceUnderLoad) {
  const uint64_t seed = SeedFromEnvironment();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << seed);
  ASSERT_THAT(StartSource(), IsOk());
  TransferLoad load(*source_, seed);
  load.Start(3);

  const auto backup = RunToSuccess(BackupWords(BackupTool::kHbk, "backup"), Sub("backup.log"));
  const uint64_t during = load.committed();
  std::this_thread::sleep_for(milliseconds(500));
  load.Stop();
  ASSERT_THAT(backup, IsOk());
  ExpectServerIsFree();
  std::printf("seed %llu: %llu transfers until the end of the backup, %llu in all\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(during),
              static_cast<unsigned long long>(load.committed()));
  ASSERT_GT(during, 0U);

  ASSERT_THAT(Prepare(BackupTool::kHbk, "backup"), IsOk());
  ASSERT_THAT(CopyBack(BackupTool::kHbk, "backup", "restored"), IsOk());
  ASSERT_THAT(StartRestored("restored"), IsOk());
  EXPECT_THAT(FollowSource("backup"), IsOk());
}

// A prepared transaction lives in the log of MyRocks, which the checkpoint then has, too.
TEST_F(RocksdbTest, DirectoriesMayLieElsewhereAndPreparedTransactionsStay) {
  ASSERT_THAT(MakeDirectory(Sub("rocks")), IsOk());
  ASSERT_THAT(StartSource({"--rocksdb-datadir=" + Sub("rocks"), "--rocksdb-wal-dir=./wal"}),
              IsOk());
  ASSERT_THAT(Execute({"XA START 'open'", "INSERT INTO mixed.r VALUES (1000, 0)", "XA END 'open'",
                       "XA PREPARE 'open'"}),
              IsOk());

  const auto backup = RunToSuccess(BackupWords(BackupTool::kHbk, "backup"), Sub("backup.log"));
  ASSERT_THAT(backup, IsOk());
  EXPECT_FALSE(fs::exists(Sub("rocks/mariabackup-checkpoint")));
  EXPECT_FALSE(fs::exists(Sub("backup/wal")));  // no database
  ASSERT_THAT(Prepare(BackupTool::kHbk, "backup"), IsOk());

  ASSERT_THAT(
      CopyBack(BackupTool::kHbk, "backup", "restored",
               {"--rocksdb-datadir=" + Sub("new-rocks"), "--rocksdb-wal-dir=" + Sub("new-wal")}),
      IsOk());
  EXPECT_FALSE(fs::exists(Sub("restored/data/#rocksdb")));
  EXPECT_FALSE(SstFiles(Sub("new-rocks")).empty());
  EXPECT_FALSE(fs::is_empty(Sub("new-wal")));
  ASSERT_THAT(StartRestored("restored", {"--rocksdb-datadir=" + Sub("new-rocks"),
                                         "--rocksdb-wal-dir=" + Sub("new-wal")}),
              IsOk());
  auto client = restored_->Connect();
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->Execute("XA COMMIT 'open'"), IsOk());
  EXPECT_THAT(client->QueryValue("SELECT COUNT(*) FROM mixed.r WHERE id=1000"),
              IsOkAndHolds(std::string("1")));
}

TEST_F(RocksdbTest, ATargetThatHasFilesOfMyrocksIsRefused) {
  ASSERT_THAT(StartSource(), IsOk());
  ASSERT_THAT(RunToSuccess(BackupWords(BackupTool::kHbk, "backup"), Sub("backup.log")), IsOk());
  ASSERT_THAT(Prepare(BackupTool::kHbk, "backup"), IsOk());
  ASSERT_THAT(MakeDirectory(Sub("rocks/x")), IsOk());

  const auto end = RunProcess(CopyBackCommand(BackupTool::kHbk, Sub("backup"), Sub("r/data"),
                                              {"--rocksdb-datadir=" + Sub("rocks")}),
                              {.output_path = Sub("r.log")});

  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 21);
  EXPECT_THAT(end->output, HasSubstr(Sub("rocks") + " is not empty"));
  EXPECT_FALSE(fs::exists(Sub("r/data")));
}

TEST_F(RocksdbTest, WithoutSuperTheBackupIsRefusedBeforeItBegins) {
  ASSERT_THAT(StartSource(), IsOk());

  const auto end = BackUp("backup", {"--user=limited"});

  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, kMissingPrivilege) << end->output;
  EXPECT_THAT(end->output, HasSubstr("GRANT SUPER ON *.* TO `limited`@`localhost`"));
  EXPECT_THAT(end->output, HasSubstr("--skip-rocksdb-backup"));
  EXPECT_FALSE(fs::exists(Sub("backup")));
  ExpectServerIsFree();
}

TEST_F(RocksdbTest, WithoutMyrocksNeitherSuperNorRowsAreNeeded) {
  ASSERT_THAT(StartSource(), IsOk());

  const auto end = BackUp("backup", {"--user=limited", "--skip-rocksdb-backup"});

  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, kDoneWithWarnings) << end->output;
  EXPECT_THAT(end->output, HasSubstr("2 tables of the engine ROCKSDB"));
  EXPECT_THAT(end->output, HasSubstr("`mixed`.`log`, `mixed`.`r`"));
  EXPECT_TRUE(fs::exists(Sub("backup/mixed/r.frm")));
  EXPECT_FALSE(fs::exists(Sub("backup/#rocksdb")));
  ASSERT_THAT(Prepare(BackupTool::kHbk, "backup"), IsOk());
  ASSERT_THAT(CopyBack(BackupTool::kHbk, "backup", "restored"), IsOk());
  auto restored = Mariadbd::Start({.base_dir = Sub("restored"), .has_data = true, .tree = tree_});
  ASSERT_THAT(restored, IsOk());
  restored_ = std::move(restored).value();
  auto client = restored_->Connect();
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->QueryNumber("SELECT COUNT(*) FROM mixed.i"),
              IsOkAndHolds(uint64_t{kAccounts}));
}

TEST_F(RocksdbTest, ALeftCheckpointIsRemovedFirst) {
  ASSERT_THAT(StartSource(), IsOk());
  ASSERT_THAT(Execute({"SET GLOBAL rocksdb_create_checkpoint='" + CheckpointDir() + "'"}), IsOk());
  ASSERT_THAT(Execute({"INSERT INTO mixed.log (amount) VALUES (0)"}), IsOk());

  ASSERT_THAT(RunToSuccess(BackupWords(BackupTool::kHbk, "backup"), Sub("backup.log")), IsOk());

  ExpectServerIsFree();
  ASSERT_THAT(Prepare(BackupTool::kHbk, "backup"), IsOk());
  ASSERT_THAT(CopyBack(BackupTool::kHbk, "backup", "restored"), IsOk());
  ASSERT_THAT(StartRestored("restored"), IsOk());
  auto client = restored_->Connect();
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->QueryNumber("SELECT COUNT(*) FROM mixed.log"), IsOkAndHolds(uint64_t{1}));
}

TEST_F(RocksdbTest, ALeftoverThatTheServerCannotRemoveIsNamed) {
  ASSERT_THAT(StartSource(), IsOk());
  ASSERT_THAT(MakeDirectory(CheckpointDir() + "/sub"), IsOk());

  const auto end = BackUp("backup");

  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, kFailed) << end->output;
  EXPECT_THAT(end->output, HasSubstr("rm -r '" + CheckpointDir() + "'"));
  EXPECT_FALSE(fs::exists(Sub("backup")));
  ASSERT_THAT(RemoveTree(CheckpointDir()), IsOk());
  ExpectServerIsFree();
}

TEST_F(RocksdbTest, AnotherToolsCheckpointIsWaitedForAndLeftAlone) {
  ASSERT_THAT(StartSource(), IsOk());
  auto other = source_->Connect();
  ASSERT_THAT(other, IsOk());
  ASSERT_THAT(other->Execute("SELECT GET_LOCK('mariabackup_rocksdb_checkpoint', 0)"), IsOk());
  ASSERT_THAT(other->Execute("SET GLOBAL rocksdb_create_checkpoint='" + CheckpointDir() + "'"),
              IsOk());

  const auto end = BackUp("backup", {"--lock-wait-timeout=2"});

  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 16) << end->output;
  EXPECT_TRUE(fs::exists(CheckpointDir() + "/CURRENT"));
  ASSERT_THAT(other->Execute("SET GLOBAL rocksdb_remove_mariabackup_checkpoint=ON"), IsOk());
  ASSERT_THAT(other->Execute("DO RELEASE_LOCK('mariabackup_rocksdb_checkpoint')"), IsOk());
  ExpectServerIsFree();
}

class RocksdbSignalTest : public RocksdbTest {
 protected:
  // A backup that is copying its checkpoint, which takes seconds.
  Result<std::unique_ptr<Process>> StartAndWaitForCheckpoint() {
    HBK_RETURN_IF_ERROR(StartSource({"--innodb-data-file-path=ibdata1:12M:autoextend"}));
    HBK_RETURN_IF_ERROR(
        Execute({"CREATE TABLE mixed.big (id INT PRIMARY KEY, b BLOB) ENGINE=ROCKSDB",
                 "INSERT INTO mixed.big SELECT seq, RANDOM_BYTES(1024) FROM mixed.seq_1_to_40000",
                 "SET GLOBAL rocksdb_force_flush_memtable_now=ON"}));
    HBK_ASSIGN_OR_RETURN(auto process,
                         Process::Start(BackupWords(BackupTool::kHbk, "backup", {"--throttle=8"}),
                                        {.output_path = Sub("backup.log")}));
    const auto deadline = std::chrono::steady_clock::now() + kCheckpointLimit;
    while (!fs::exists(Sub("backup/#rocksdb"))) {
      if (process->HasEndedWithin(milliseconds(10)) || std::chrono::steady_clock::now() > deadline)
        return FailedError("no checkpoint was seen: " + process->Wait(milliseconds(0)).Describe());
    }
    EXPECT_TRUE(fs::exists(CheckpointDir() + "/CURRENT"));
    return process;
  }
};

TEST_F(RocksdbSignalTest, AnInterruptedBackupRemovesItsCheckpoint) {
  auto process = StartAndWaitForCheckpoint();
  ASSERT_THAT(process, IsOk());

  (*process)->Signal(SIGTERM);
  const ProcessEnd end = (*process)->Wait(kUsualTimeLimit);

  EXPECT_EQ(end.exit_code, kTerminated) << end.Describe();
  EXPECT_FALSE(fs::exists(Sub("backup/hbk_manifest.json")));
  ExpectServerIsFree();
}

TEST_F(RocksdbSignalTest, AKilledConnectionHarmsNothingOnceTheCheckpointIsThere) {
  auto process = StartAndWaitForCheckpoint();
  ASSERT_THAT(process, IsOk());
  auto client = source_->Connect();
  ASSERT_THAT(client, IsOk());
  const auto holder = client->QueryValue("SELECT IS_USED_LOCK('mariabackup_rocksdb_checkpoint')");
  ASSERT_THAT(holder, IsOk());
  ASSERT_THAT(client->Execute("KILL " + *holder), IsOk());

  const ProcessEnd end = (*process)->Wait(kUsualTimeLimit);

  // Nobody has taken the checkpoint away meanwhile: the copy is good.
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  ExpectServerIsFree();
}

TEST_F(RocksdbSignalTest, WhatAKilledBackupLeavesTheNextOneRemoves) {
  auto process = StartAndWaitForCheckpoint();
  ASSERT_THAT(process, IsOk());
  (*process)->Signal(SIGKILL);
  (*process)->Wait(kUsualTimeLimit);
  ASSERT_TRUE(fs::exists(CheckpointDir()));

  EXPECT_THAT(RunToSuccess(BackupWords(BackupTool::kHbk, "again"), Sub("again.log")), IsOk());

  ExpectServerIsFree();
}

// What mariadb-backup does is shown first: its restored server shares files with the backup.
TEST_F(RocksdbTest, RestoredFilesAreOfTheirOwn) {
  ASSERT_THAT(StartSource(), IsOk());
  ASSERT_THAT(RunToSuccess(BackupWords(BackupTool::kHbk, "backup"), Sub("backup.log")), IsOk());
  ASSERT_THAT(Prepare(BackupTool::kHbk, "backup"), IsOk());
  const Words tables = SstFiles(Sub("backup/#rocksdb"));
  ASSERT_FALSE(tables.empty());
  for (const std::string& name : tables)
    EXPECT_NE(InodeOf(Sub("backup/#rocksdb/") + name),
              InodeOf(source_->data_dir() + "/#rocksdb/" + name));

  ASSERT_THAT(CopyBack(BackupTool::kMariadbBackup, "backup", "theirs"), IsOk());
  ASSERT_THAT(CopyBack(BackupTool::kHbk, "backup", "ours"), IsOk());

  for (const std::string& name : tables) {
    const ino_t inode = InodeOf(Sub("backup/#rocksdb/") + name);
    EXPECT_EQ(InodeOf(Sub("theirs/data/#rocksdb/") + name), inode) << "the defect is gone";
    EXPECT_NE(InodeOf(Sub("ours/data/#rocksdb/") + name), inode);
  }
  ASSERT_THAT(StartRestored("ours"), IsOk());
  restored_.reset();
  EXPECT_THAT(StartRestored("theirs"), IsOk());
}

// Its backups share files with the server that they are of: neither copy-back nor move-back may go
// on with that.
TEST_F(RocksdbTest, ABackupOfMariadbBackupIsRestoredWithFilesOfItsOwn) {
  ASSERT_THAT(StartSource(), IsOk());
  ASSERT_THAT(Execute({"SET GLOBAL rocksdb_force_flush_memtable_now=ON"}), IsOk());
  ASSERT_THAT(RunToSuccess(BackupWords(BackupTool::kMariadbBackup, "backup"), Sub("backup.log")),
              IsOk());
  ASSERT_THAT(Prepare(BackupTool::kHbk, "backup"), IsOk());
  ASSERT_THAT(CopyBack(BackupTool::kHbk, "backup", "copied"), IsOk());
  const Words tables = SstFiles(Sub("backup/#rocksdb"));
  ASSERT_FALSE(tables.empty());
  std::vector<ino_t> shared;
  for (const std::string& name : tables)
    shared.push_back(InodeOf(Sub("backup/#rocksdb/") + name));

  const Words move = {HbkProgram(), "move-back", "--no-defaults", "--target-dir=" + Sub("backup"),
                      "--datadir=" + Sub("moved/data")};
  ASSERT_THAT(RunToSuccess(move, Sub("move.log")), IsOk());

  for (const char* copy : {"copied", "moved"}) {
    for (const std::string& name : tables) {
      const ino_t inode = InodeOf(Sub(std::string(copy) + "/data/#rocksdb/") + name);
      EXPECT_EQ(std::find(shared.begin(), shared.end(), inode), shared.end()) << copy << name;
    }
    EXPECT_THAT(StartRestored(copy), IsOk());
    restored_.reset();
  }
  EXPECT_FALSE(fs::exists(Sub("backup/#rocksdb")));
}

}  // namespace
}  // namespace hbk::testing
