// What goes wrong during a backup: it fails with its exit code and message, leaves no manifest,
// never says "completed OK!", and leaves no lock on the server.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include <sys/mount.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/workload.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr milliseconds kStageLimit{60'000};

class BackupFaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
    auto server =
        Mariadbd::Start({.base_dir = scratch_->Sub("source"), .extra = {"--log-bin=binlog"}});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
    load_ = std::make_unique<Workload>(
        server_->socket_path(), WorkloadOptions{.seed = 1, .thread_count = 1, .bulk_mib = 60});
    ASSERT_THAT(load_->CreateTables(), IsOk());
    target_ = scratch_->Sub("backup");
  }

  // Starts a backup that takes seconds, and returns once it is in BACKUP STAGE START.
  void StartBackup() {
    auto process = Process::Start(
        BackupCommand(
            BackupTool::kHbk,
            {.socket_path = server_->socket_path(), .target_dir = target_, .throttle = 5}),
        {.output_path = scratch_->Sub("backup.log")});
    ASSERT_THAT(process, IsOk());
    backup_ = std::move(process).value();
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    const auto deadline = std::chrono::steady_clock::now() + kStageLimit;
    while (std::chrono::steady_clock::now() < deadline) {
      // The copy of a table has begun: the stage is held, and the tailer runs.
      if (TreeBytes(target_ + "/live") > (4U << 20)) return;
      ASSERT_FALSE(backup_->HasEndedWithin(milliseconds(20))) << backup_->Wait(kStageLimit).output;
    }
    FAIL() << "the backup did not get to copying";
  }

  // The session that holds the stage, by the general log.
  std::string StageConnection() {
    auto client = server_->Connect().value();
    return client
        .QueryValue(
            "SELECT thread_id FROM mysql.general_log WHERE command_type = 'Query' "
            "AND argument LIKE 'BACKUP STAGE START%' ORDER BY event_time DESC LIMIT 1")
        .value();
  }

  void ExpectFailure(const ProcessEnd& end, int exit_code, const std::string& message) {
    EXPECT_EQ(end.exit_code, exit_code) << end.output;
    EXPECT_THAT(end.output, HasSubstr(message));
    ExpectNoBackup(end);
  }

  void ExpectNoBackup(const ProcessEnd& end) {
    EXPECT_THAT(end.output, Not(HasSubstr("completed OK!")));
    struct stat info {};
    EXPECT_NE(stat((target_ + "/hbk_manifest.json").c_str(), &info), 0);
    EXPECT_EQ(stat((target_ + "/hbk_incomplete").c_str(), &info), 0);
  }

  // Another backup can begin at once, and tables can be altered.
  void ExpectServerUnlocked() {
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    EXPECT_THAT(client->Execute("SET SESSION lock_wait_timeout=3"), IsOk());
    EXPECT_THAT(client->Execute("BACKUP STAGE START"), IsOk());
    EXPECT_THAT(client->Execute("BACKUP STAGE END"), IsOk());
    EXPECT_THAT(client->Execute("CREATE TABLE live.after_backup (i INT) ENGINE=InnoDB"), IsOk());
  }

  std::optional<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  std::unique_ptr<Workload> load_;
  std::unique_ptr<Process> backup_;
  std::string target_;
};

TEST_F(BackupFaultTest, SigtermEndsItWith143) {
  StartBackup();
  backup_->Signal(SIGTERM);
  const ProcessEnd end = backup_->Wait(milliseconds(15'000));
  ASSERT_FALSE(end.is_late);
  ExpectFailure(end, 143, "interrupted");
  ExpectServerUnlocked();
}

TEST_F(BackupFaultTest, SigkillLeavesNoLockAndNoManifest) {
  StartBackup();
  backup_->Signal(SIGKILL);
  const ProcessEnd end = backup_->Wait(milliseconds(15'000));
  EXPECT_EQ(end.signal, SIGKILL);
  ExpectNoBackup(end);
  ExpectServerUnlocked();
}

TEST_F(BackupFaultTest, LostStageSessionIsNeverASuccess) {
  auto client = server_->Connect();
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(client->Execute("SET GLOBAL log_output='TABLE', GLOBAL general_log=ON"), IsOk());
  StartBackup();
  ASSERT_THAT(client->Execute("KILL CONNECTION " + StageConnection()), IsOk());
  const ProcessEnd end = backup_->Wait(kStageLimit);
  ASSERT_FALSE(end.is_late);
  ExpectFailure(end, 15, "BACKUP STAGE START still holds");
  ExpectServerUnlocked();
}

TEST_F(BackupFaultTest, ServerShutdownIsAnError) {
  StartBackup();
  ASSERT_THAT(server_->Stop(), IsOk());
  const ProcessEnd end = backup_->Wait(kStageLimit);
  ASSERT_FALSE(end.is_late);
  ExpectFailure(end, 15, "error: ");
  ASSERT_THAT(server_->Start(), IsOk());
  ExpectServerUnlocked();
}

TEST_F(BackupFaultTest, FullTargetDiskEndsItWith14) {
  const std::string disk = scratch_->Sub("disk");
  ASSERT_THAT(MakeDirectory(disk), IsOk());
  // Large enough for the estimate of the start, and then somebody else fills it.
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=400m") != 0) {
    GTEST_SKIP() << ErrnoStatus(errno, "mounting a tmpfs").message();
  }
  const std::shared_ptr<void> unmount(nullptr,
                                      [&](void*) { (void)umount2(disk.c_str(), MNT_DETACH); });
  target_ = disk + "/backup";
  StartBackup();
  {
    std::unique_ptr<FILE, int (*)(FILE*)> filler(std::fopen((disk + "/filler").c_str(), "w"),
                                                 std::fclose);
    ASSERT_NE(filler, nullptr);
    const std::string block(1 << 20, 'x');
    while (std::fwrite(block.data(), 1, block.size(), filler.get()) == block.size()) {
    }
  }
  const ProcessEnd end = backup_->Wait(kStageLimit);
  ASSERT_FALSE(end.is_late);
  ExpectFailure(end, 14, "No space left");
  ExpectServerUnlocked();
}

TEST_F(BackupFaultTest, TooSmallATargetIsRefusedBeforeTheFirstByte) {
  const std::string disk = scratch_->Sub("disk");
  ASSERT_THAT(MakeDirectory(disk), IsOk());
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=20m") != 0) {
    GTEST_SKIP() << ErrnoStatus(errno, "mounting a tmpfs").message();
  }
  const std::shared_ptr<void> unmount(nullptr,
                                      [&](void*) { (void)umount2(disk.c_str(), MNT_DETACH); });
  target_ = disk + "/backup";
  const auto end =
      RunProcess(BackupCommand(BackupTool::kHbk,
                               {.socket_path = server_->socket_path(), .target_dir = target_}),
                 {.output_path = scratch_->Sub("backup.log")});
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 14) << end->output;
  struct stat info {};
  EXPECT_NE(stat(target_.c_str(), &info), 0) << "nothing was to be made";
  ExpectServerUnlocked();
}

TEST_F(BackupFaultTest, LockThatIsNotGrantedEndsItWith16) {
  auto client = server_->Connect();
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(client->Execute("LOCK TABLES live.accounts WRITE"), IsOk());
  const auto end = RunProcess(
      BackupCommand(BackupTool::kHbk, {.socket_path = server_->socket_path(),
                                       .target_dir = target_,
                                       .extra = {"--lock-wait-timeout=3", "--lock-retry-time=0"}}),
      {.output_path = scratch_->Sub("backup.log")});
  ASSERT_THAT(end, IsOk());
  ExpectFailure(end.value(), 16, "BACKUP STAGE START");
  EXPECT_LT(end->seconds, 30);
  ASSERT_THAT(client->Execute("UNLOCK TABLES"), IsOk());
  ExpectServerUnlocked();
}

TEST_F(BackupFaultTest, MissingPrivilegesAreNamedTogether) {
  auto client = server_->Connect();
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(client->Execute("CREATE USER weak@localhost IDENTIFIED BY 'secret'"), IsOk());
  std::vector<std::string> argv = BackupCommand(
      BackupTool::kHbk, {.socket_path = server_->socket_path(), .target_dir = target_});
  for (std::string& argument : argv)
    if (argument == "--user=root") argument = "--user=weak";
  argv.emplace_back("--password=secret");
  const auto end = RunProcess(argv, {.output_path = scratch_->Sub("backup.log")});
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 13) << end->output;
  EXPECT_THAT(end->output, HasSubstr("RELOAD"));
  EXPECT_THAT(end->output, HasSubstr("PROCESS"));
  EXPECT_THAT(end->output, HasSubstr("BINLOG MONITOR"));
  EXPECT_THAT(end->output, HasSubstr("GRANT "));
  EXPECT_THAT(end->output, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace hbk::testing
