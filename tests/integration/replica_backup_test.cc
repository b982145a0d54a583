// Backups of a replica: that one which applies in parallel stands for the position that is
// recorded of it, and that its SQL threads are stopped and started again as they should.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/workload.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr milliseconds kCatchUpLimit{180'000};
constexpr milliseconds kBackupLimit{120'000};
constexpr milliseconds kPoll{20};

// The value of a column for each connection, in the order of their names.
std::vector<std::string> OfConnections(SqlClient& client, const std::string& column) {
  const auto rows = client.Query("SHOW ALL SLAVES STATUS");
  EXPECT_THAT(rows, IsOk());
  std::vector<std::string> values;
  if (!rows.ok()) return values;
  for (size_t i = 0; i < rows->rows.size(); ++i)
    values.push_back(rows->Get(i, column));
  return values;
}

template <typename Condition>
bool Await(Condition is_met, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!is_met()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

class ReplicaBackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
  }
  void TearDown() override {
    if (HasFailure()) scratch_->Keep();
  }

  std::unique_ptr<Mariadbd> StartServer(const std::string& name, int server_id,
                                        std::vector<std::string> extra, bool has_data = false) {
    auto server = Mariadbd::Start({.base_dir = scratch_->Sub(name),
                                   .has_data = has_data,
                                   .server_id = server_id,
                                   .extra = std::move(extra)});
    EXPECT_THAT(server, IsOk());
    return server.ok() ? std::move(server).value() : nullptr;
  }

  std::vector<std::string> BackupOf(const Mariadbd& server, std::vector<std::string> extra,
                                    int throttle = 0, BackupTool tool = BackupTool::kHbk) {
    return BackupCommand(tool, {.socket_path = server.socket_path(),
                                .target_dir = scratch_->Sub("backup"),
                                .parallel = 2,
                                .throttle = throttle,
                                .extra = std::move(extra)});
  }

  Status Prepare() {
    return RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("backup")),
                        scratch_->Sub("prepare.log"))
        .status();
  }
  Status CopyBackTo(const std::string& name) {
    HBK_RETURN_IF_ERROR(MakeDirectory(scratch_->Sub(name + "/data")));
    return RunToSuccess(CopyBackCommand(BackupTool::kHbk, scratch_->Sub("backup"),
                                        scratch_->Sub(name + "/data")),
                        scratch_->Sub(name + ".log"))
        .status();
  }

  std::string BackupFile(const std::string& name) {
    const auto text = ReadWholeFile(scratch_->Sub("backup/" + name));
    return text.ok() ? text.value() : "(none)";
  }

  std::optional<ScratchDir> scratch_;
};

std::string ConnectionOf(const Mariadbd& source, const std::string& name = "") {
  return fmt::format(
      "CHANGE MASTER {} TO MASTER_HOST='127.0.0.1', MASTER_PORT={}, MASTER_USER='replica', "
      "MASTER_PASSWORD='replica'",
      name.empty() ? "" : "'" + name + "'", source.port());
}

// As docs/replication.md has it: where the source is, then the file as it stands.
Status FollowAsBefore(const Mariadbd& source, const Mariadbd& replica, const std::string& info) {
  HBK_ASSIGN_OR_RETURN(SqlClient client, replica.Connect());
  HBK_RETURN_IF_ERROR(client.Execute(ConnectionOf(source)));
  std::istringstream lines(info);
  for (std::string line; std::getline(lines, line);)
    HBK_RETURN_IF_ERROR(client.Execute(line.substr(0, line.find(';'))));
  return client.Execute("START SLAVE");
}

class ParallelReplicaTest : public ReplicaBackupTest,
                            public ::testing::WithParamInterface<ReplicationStart> {};

TEST_P(ParallelReplicaTest, ItsPositionsMakeNewReplicas) {
  const uint64_t seed = SeedFromEnvironment();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const bool is_gtid = GetParam() == ReplicationStart::kGtid;
  const auto source = StartServer("source", 1, {"--log-bin=binlog", "--binlog-format=ROW"});
  const auto replica =
      StartServer("replica", 2,
                  {"--log-bin=copied", "--binlog-format=ROW", "--log-slave-updates=ON",
                   "--slave-parallel-threads=4", "--slave-parallel-mode=optimistic",
                   "--relay-log=relay", "--innodb-flush-log-at-trx-commit=2"});
  ASSERT_TRUE(source && replica);
  Workload load(source->socket_path(), {.seed = seed, .thread_count = 4, .bulk_mib = 12});
  ASSERT_THAT(load.CreateTables(), IsOk());
  ASSERT_THAT(AttachReplica(*source, *replica,
                            {.file = "binlog.000001", .position = "4", .gtid = ""}, GetParam()),
              IsOk());
  ASSERT_THAT(CatchUp(*source, *replica, kCatchUpLimit), IsOk());
  load.Start();
  std::this_thread::sleep_for(milliseconds(1'500));

  auto client = replica->Connect().value();
  const std::string before = client.QueryValue("SELECT @@gtid_slave_pos").value();
  const auto backup =
      RunToSuccess(BackupOf(*replica, {"--slave-info"}, 15), scratch_->Sub("backup.log"));
  const std::string after = client.QueryValue("SELECT @@gtid_slave_pos").value();
  load.SetPause(milliseconds(100));
  ASSERT_THAT(backup, IsOk());
  EXPECT_NE(before, after) << "nothing was applied while the backup ran";
  EXPECT_EQ(OfConnections(client, "Slave_SQL_Running"), std::vector<std::string>{"Yes"});

  const std::string info = BackupFile("xtrabackup_slave_info");
  std::printf("%s", info.c_str());
  EXPECT_THAT(info, HasSubstr("SET GLOBAL gtid_slave_pos = '0-1-"));
  EXPECT_THAT(info, HasSubstr(is_gtid ? "CHANGE MASTER TO master_use_gtid = slave_pos;\n"
                                      : "CHANGE MASTER TO MASTER_LOG_FILE='binlog."));
  EXPECT_THAT(BackupFile("hbk_manifest.json"), HasSubstr("\"replica\": {"));

  ASSERT_THAT(Prepare(), IsOk());
  ASSERT_THAT(CopyBackTo("sibling"), IsOk());
  ASSERT_THAT(CopyBackTo("child"), IsOk());
  const std::vector<std::string> restored = {"--relay-log=relay"};
  const auto sibling = StartServer("sibling", 3, restored, /*has_data=*/true);
  const auto child = StartServer("child", 4, restored, /*has_data=*/true);
  ASSERT_TRUE(sibling && child);
  ASSERT_THAT(FollowAsBefore(*source, *sibling, info), IsOk());
  const auto binlog = ReadBinlogInfo(scratch_->Sub("backup"));
  ASSERT_THAT(binlog, IsOk());
  EXPECT_THAT(binlog->file, HasSubstr("copied."));
  ASSERT_THAT(AttachReplica(*replica, *child, *binlog, GetParam()), IsOk());

  ASSERT_THAT(load.Stop(), IsOk());
  ASSERT_THAT(CatchUp(*source, *replica, kCatchUpLimit), IsOk());
  ASSERT_THAT(CatchUp(*source, *sibling, kCatchUpLimit), IsOk()) << info;
  ASSERT_THAT(CatchUp(*replica, *child, kCatchUpLimit), IsOk()) << binlog->gtid;
  auto source_client = source->Connect().value();
  for (const Mariadbd* one : {replica.get(), sibling.get(), child.get()}) {
    auto other = one->Connect().value();
    EXPECT_THAT(CompareTables(source_client, other), IsOk()) << one->data_dir();
    EXPECT_THAT(CheckBank(other), IsOk()) << one->data_dir();
  }
}

INSTANTIATE_TEST_SUITE_P(Positions, ParallelReplicaTest,
                         ::testing::Values(ReplicationStart::kGtid,
                                           ReplicationStart::kFilePosition),
                         [](const auto& tested) {
                           return tested.param == ReplicationStart::kGtid ? "Gtid" : "FilePosition";
                         });

// Of two sources, with a third connection whose SQL thread does not run.
class TwoSourcesTest : public ReplicaBackupTest {
 protected:
  const std::vector<std::string> kRunning{"Yes", "No", "Yes"};  // east, north, west
  const std::vector<std::string> kStopped{"No", "No", "No"};

  void SetUp() override {
    ReplicaBackupTest::SetUp();
    east_ = StartServer("east", 1, {"--log-bin=binlog", "--gtid-domain-id=1"});
    west_ = StartServer("west", 2, {"--log-bin=binlog", "--gtid-domain-id=2"});
    replica_ =
        StartServer("replica", 3, {"--log-bin=binlog", "--gtid-domain-id=3", "--relay-log=relay"});
    ASSERT_TRUE(east_ && west_ && replica_);
    client_.emplace(replica_->Connect().value());
    for (const auto& [server, name] : {std::pair{east_.get(), "east"}, {west_.get(), "west"}}) {
      auto client = server->Connect().value();
      ASSERT_THAT(client.Execute("CREATE USER replica IDENTIFIED BY 'replica'"), IsOk());
      ASSERT_THAT(client.Execute("GRANT REPLICATION SLAVE ON *.* TO replica"), IsOk());
      ASSERT_THAT(client.Execute("RESET MASTER"), IsOk());
      for (const std::string& statement :
           {fmt::format("CREATE DATABASE {}", name), fmt::format("USE {}", name),
            fmt::format("CREATE TABLE {}.t (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB", name),
            fmt::format("INSERT INTO {}.t SELECT seq, REPEAT(MD5(seq), 60) FROM seq_1_to_8000",
                        name)}) {
        ASSERT_THAT(client.Execute(statement), IsOk());
      }
      // West by file and position.
      const bool is_gtid = server == east_.get();
      ASSERT_THAT(client_->Execute(ConnectionOf(*server, name) +
                                   (is_gtid ? ", MASTER_USE_GTID=slave_pos"
                                            : ", MASTER_USE_GTID=no, MASTER_LOG_FILE="
                                              "'binlog.000001', MASTER_LOG_POS=4")),
                  IsOk());
      ASSERT_THAT(client_->Execute(fmt::format("START SLAVE '{}'", name)), IsOk());
    }
    ASSERT_THAT(client_->Execute("CHANGE MASTER 'north' TO MASTER_HOST='127.0.0.1', MASTER_PORT=1"),
                IsOk());
    ASSERT_TRUE(Await([this] { return RowsAreThere(); }, kCatchUpLimit));
    ASSERT_EQ(Running(), kRunning);
    // What is younger than the checkpoint would come from the redo log, in no time.
    ASSERT_THAT(client_->Execute("SET GLOBAL innodb_log_checkpoint_now=ON"), IsOk());
  }

  bool RowsAreThere() {
    const auto rows = client_->QueryNumber(
        "SELECT (SELECT COUNT(*) FROM east.t) + (SELECT COUNT(*) FROM west.t)");
    return rows.ok() && *rows == 16'000;
  }

  std::vector<std::string> Running() { return OfConnections(*client_, "Slave_SQL_Running"); }

  // Returns while the backup copies, which takes seconds.
  void StartBackup(std::vector<std::string> extra, BackupTool tool = BackupTool::kHbk) {
    auto process = Process::Start(BackupOf(*replica_, std::move(extra), 6, tool),
                                  {.output_path = scratch_->Sub("backup.log")});
    ASSERT_THAT(process, IsOk());
    backup_ = std::move(process).value();
    const std::string target = scratch_->Sub("backup");
    ASSERT_TRUE(Await(
        [&] {
          return TreeBytes(target + "/east") + TreeBytes(target + "/west") > (2U << 20) ||
                 backup_->HasEndedWithin(milliseconds(0));
        },
        kBackupLimit));
    ASSERT_FALSE(backup_->HasEndedWithin(milliseconds(0))) << backup_->Wait(kBackupLimit).output;
  }

  // Of every session of the backup, but ours.
  void KillSessions(const std::string& condition) {
    const auto rows = client_->Query(
        "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> "
        "CONNECTION_ID() AND " +
        condition);
    ASSERT_THAT(rows, IsOk());
    ASSERT_FALSE(rows->rows.empty());
    for (size_t i = 0; i < rows->rows.size(); ++i)
      EXPECT_THAT(client_->Execute("KILL " + rows->Get(i, "id")), IsOk());
  }

  std::unique_ptr<Mariadbd> east_;
  std::unique_ptr<Mariadbd> west_;
  std::unique_ptr<Mariadbd> replica_;
  std::optional<SqlClient> client_;
  std::unique_ptr<Process> backup_;
};

TEST_F(TwoSourcesTest, ThreadsThatRanAreStoppedAndRunAgain) {
  StartBackup({"--safe-slave-backup", "--slave-info"});
  EXPECT_EQ(Running(), kStopped);

  const ProcessEnd end = backup_->Wait(kBackupLimit);

  ASSERT_THAT(CheckCompleted(end, "hbk"), IsOk());
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(Running(), kRunning);
  const std::string info = BackupFile("xtrabackup_slave_info");
  EXPECT_THAT(info, HasSubstr("SET GLOBAL gtid_slave_pos = '1-1-3,2-2-3';\n"));
  EXPECT_THAT(info, HasSubstr("CHANGE MASTER 'east' TO master_use_gtid = slave_pos;\n"));
  EXPECT_THAT(info, HasSubstr("CHANGE MASTER 'west' TO MASTER_LOG_FILE='binlog.000001', "
                              "MASTER_LOG_POS="));
  EXPECT_THAT(info, HasSubstr("CHANGE MASTER 'north' TO "));

  // The clone goes on from there.
  ASSERT_THAT(Prepare(), IsOk());
  ASSERT_THAT(CopyBackTo("clone"), IsOk());
  const auto clone = StartServer("clone", 5, {"--relay-log=relay"}, /*has_data=*/true);
  ASSERT_TRUE(clone);
  auto client = clone->Connect().value();
  ASSERT_THAT(client.Execute(ConnectionOf(*east_, "east")), IsOk());
  ASSERT_THAT(client.Execute(ConnectionOf(*west_, "west")), IsOk());
  std::istringstream lines(info);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("'north'") != std::string::npos) continue;
    ASSERT_THAT(client.Execute(line.substr(0, line.find(';'))), IsOk()) << line;
  }
  ASSERT_THAT(client.Execute("START ALL SLAVES"), IsOk());
  for (const auto& [server, name] : {std::pair{east_.get(), "east"}, {west_.get(), "west"}}) {
    auto source = server->Connect().value();
    ASSERT_THAT(source.Execute(fmt::format("INSERT INTO {}.t VALUES (9000, 'last')", name)),
                IsOk());
  }
  EXPECT_TRUE(Await(
      [&client] {
        const auto rows = client.QueryNumber(
            "SELECT (SELECT COUNT(*) FROM east.t) + (SELECT COUNT(*) FROM west.t)");
        return rows.ok() && *rows == 16'002;
      },
      kCatchUpLimit))
      << ::testing::PrintToString(OfConnections(client, "Last_SQL_Error"))
      << ::testing::PrintToString(OfConnections(client, "Last_IO_Error"));
}

TEST_F(TwoSourcesTest, ThreadsRunAgainAfterSigterm) {
  StartBackup({"--safe-slave-backup"});
  backup_->Signal(SIGTERM);
  const ProcessEnd end = backup_->Wait(kBackupLimit);
  EXPECT_EQ(end.exit_code, 143) << end.output;
  EXPECT_EQ(Running(), kRunning) << end.output;
}

TEST_F(TwoSourcesTest, ThreadsRunAgainAfterALostStage) {
  StartBackup({"--safe-slave-backup"});
  // What says nothing for long is the session of the stage and the one that stopped the threads;
  // they go together with all others.
  KillSessions("command = 'Sleep'");
  const ProcessEnd end = backup_->Wait(kBackupLimit);
  EXPECT_EQ(end.exit_code, 15) << end.output;
  EXPECT_EQ(Running(), kRunning) << end.output;
}

TEST_F(TwoSourcesTest, TemporaryTablesAreWaitedFor) {
  auto east = east_->Connect().value();
  ASSERT_THAT(east.Execute("SET SESSION binlog_format=STATEMENT"), IsOk());
  ASSERT_THAT(east.Execute("CREATE TEMPORARY TABLE east.passing (i INT)"), IsOk());
  ASSERT_TRUE(Await([this] { return client_->StatusNumber("Slave_open_temp_tables").value() == 1; },
                    kCatchUpLimit));
  const std::vector<std::string> command =
      BackupOf(*replica_, {"--safe-slave-backup", "--safe-slave-backup-timeout=4"});

  const auto refused = RunProcess(command, {.output_path = scratch_->Sub("refused.log")});

  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->exit_code, 16) << refused->output;
  EXPECT_THAT(refused->output,
              HasSubstr("1 temporary tables open whenever it is stopped, for 4 s"));
  EXPECT_EQ(Running(), kRunning) << refused->output;
  ASSERT_THAT(RemoveTree(scratch_->Sub("backup")), IsOk());

  auto patient = Process::Start(BackupOf(*replica_, {"--safe-slave-backup"}),
                                {.output_path = scratch_->Sub("backup.log")});
  ASSERT_THAT(patient, IsOk());
  EXPECT_FALSE((*patient)->HasEndedWithin(milliseconds(4'000)));
  ASSERT_THAT(east.Execute("DROP TEMPORARY TABLE east.passing"), IsOk());
  EXPECT_THAT(CheckCompleted((*patient)->Wait(kBackupLimit), "hbk"), IsOk());
  EXPECT_EQ(Running(), kRunning);
}

TEST_F(TwoSourcesTest, RightsAreWantedWhenTheyAreNeeded) {
  ASSERT_THAT(client_->Execute("CREATE USER hbk@localhost"), IsOk());
  ASSERT_THAT(client_->Execute("GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO hbk@localhost"),
              IsOk());
  std::vector<std::string> command = BackupOf(*replica_, {"--safe-slave-backup"});
  std::replace(command.begin(), command.end(), std::string("--user=root"),
               std::string("--user=hbk"));
  for (const std::string right : {"REPLICA MONITOR", "REPLICATION SLAVE ADMIN"}) {
    const auto refused = RunProcess(command, {.output_path = scratch_->Sub("refused.log")});
    ASSERT_THAT(refused, IsOk());
    EXPECT_EQ(refused->exit_code, 13) << refused->output;
    const std::string grant = fmt::format("GRANT {} ON *.* TO `hbk`@`localhost`", right);
    EXPECT_THAT(refused->output, HasSubstr(grant));
    ASSERT_THAT(client_->Execute(grant), IsOk());
  }
  EXPECT_THAT(RunToSuccess(command, scratch_->Sub("backup.log")), IsOk());
  EXPECT_EQ(Running(), kRunning);
}

// What --safe-slave-backup of mariadb-backup 10.11 does about named connections: nothing.
TEST_F(TwoSourcesTest, MariadbBackupStopsNoNamedConnection) {
  StartBackup({"--safe-slave-backup"}, BackupTool::kMariadbBackup);
  EXPECT_EQ(Running(), kRunning) << "it stops them now: take this test away";
}

TEST_F(ReplicaBackupTest, ServerThatIsNoReplicaIsBackedUpAllTheSame) {
  const auto server = StartServer("alone", 1, {});
  ASSERT_TRUE(server);
  const auto end =
      RunToSuccess(BackupOf(*server, {"--slave-info", "--safe-slave-backup", "--galera-info"}),
                   scratch_->Sub("backup.log"));
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 0) << end->output;
  EXPECT_THAT(end->output, HasSubstr("--slave-info: the server is no replica"));
  EXPECT_THAT(end->output, HasSubstr("--safe-slave-backup: the server is no replica"));
  EXPECT_THAT(end->output, HasSubstr("--galera-info: the server is no node"));
  EXPECT_EQ(BackupFile("xtrabackup_slave_info"), "(none)");
  EXPECT_EQ(BackupFile("donor_galera_info"), "(none)");
}

TEST_F(ReplicaBackupTest, BinlogInfoIsWrittenAsAskedFor) {
  const auto without = StartServer("without", 1, {});
  const auto with = StartServer("with", 2, {"--log-bin=binlog"});
  ASSERT_TRUE(without && with);

  const auto refused = RunProcess(BackupOf(*without, {"--binlog-info=ON"}),
                                  {.output_path = scratch_->Sub("refused.log")});
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->exit_code, 2) << refused->output;
  EXPECT_THAT(refused->output, HasSubstr("log_bin is OFF"));

  ASSERT_THAT(RunToSuccess(BackupOf(*with, {"--binlog-info=OFF"}), scratch_->Sub("off.log")),
              IsOk());
  EXPECT_EQ(BackupFile("xtrabackup_binlog_info"), "(none)");
  EXPECT_THAT(BackupFile("hbk_manifest.json"), Not(HasSubstr("\"binlog\"")));
  ASSERT_THAT(RemoveTree(scratch_->Sub("backup")), IsOk());
  ASSERT_THAT(RunToSuccess(BackupOf(*with, {"--binlog-info=ON"}), scratch_->Sub("on.log")), IsOk());
  EXPECT_THAT(BackupFile("xtrabackup_binlog_info"), HasSubstr("binlog.000001\t"));
}

}  // namespace
}  // namespace hbk::testing
