// A connection that is cut, stalls or lies, at each packet that a backup sends; and a server that
// is killed, a disk that fills up and a hbk that stands still in each stage. It may end in a whole
// backup, which can be prepared and says where the server's binlog stood, or in an error with its
// exit code, without a manifest and without "completed OK!"; the server is left unlocked.
//
// Every n-th packet only, and the first whole backup of each test is restored and its rows
// compared with the server's; with HBK_FAULTS=all every packet, and every whole backup. The seed of
// the bytes that are flipped: HBK_SEED.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include <sys/mount.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "tests/integration/socket_proxy.h"
#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/workload.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr milliseconds kLimit{60'000};
constexpr milliseconds kStallLimit{4'000};
constexpr uint64_t kUsualStride = 29;

bool WantsAll() {
  const char* value = std::getenv("HBK_FAULTS");
  return value != nullptr && std::string(value) == "all";
}

uint32_t Seed() {
  const char* text = std::getenv("HBK_SEED");
  const uint32_t seed =
      text == nullptr ? 1 : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
  std::printf("HBK_SEED=%u\n", seed);
  return seed;
}

bool IsThere(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

class ConnectionFaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
    StartServer();
    auto proxy = SocketProxy::Start(scratch_->Sub("p.sock"), server_->socket_path());
    ASSERT_THAT(proxy, IsOk());
    proxy_ = std::move(proxy).value();
    target_ = scratch_->Sub("backup");
  }

  virtual void StartServer() {
    auto server = Mariadbd::Start({.base_dir = scratch_->Sub("source"),
                                   .extra = {"--log-bin=binlog", "--innodb-log-file-size=12M"}});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    for (const char* statement :
         {"CREATE DATABASE d", "USE d",
          "CREATE TABLE d.a (i INT PRIMARY KEY, t TEXT) ENGINE=InnoDB",
          "CREATE TABLE d.m (i INT) ENGINE=MyISAM", "CREATE TABLE d.r (i INT) ENGINE=Aria",
          "INSERT INTO d.a SELECT seq, REPEAT('x', 1000) FROM seq_1_to_500",
          "INSERT INTO d.m VALUES (1)", "INSERT INTO d.r VALUES (1)"})
      ASSERT_THAT(client->Execute(statement), IsOk());
  }

  std::unique_ptr<Process> StartBackup() {
    NotePosition();
    auto process = Process::Start(
        BackupCommand(BackupTool::kHbk,
                      {.socket_path = scratch_->Sub("p.sock"), .target_dir = target_}),
        {.output_path = scratch_->Sub("backup.log")});
    EXPECT_THAT(process, IsOk());
    return process.ok() ? std::move(process).value() : nullptr;
  }

  // Nothing is written until the backup has ended.
  void NotePosition() {
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    const auto rows = client->Query("SHOW MASTER STATUS");
    ASSERT_THAT(rows, IsOk());
    const auto gtid = client->QueryValue("SELECT @@gtid_binlog_pos");
    ASSERT_THAT(gtid, IsOk());
    position_ = {.file = rows->Get(0, "File"), .position = rows->Get(0, "Position"), .gtid = *gtid};
  }

  void ExpectPosition() {
    if (position_.file.empty()) return;  // of a server without a binlog
    const auto info = ReadBinlogInfo(target_);
    ASSERT_THAT(info, IsOk());
    const bool is_same = info->file == position_.file && info->position == position_.position &&
                         info->gtid == position_.gtid;
    if (!is_same) ++wrong_positions_;
    EXPECT_TRUE(is_same || may_lie_)
        << info->file << " " << info->position << " " << info->gtid << " instead of "
        << position_.file << " " << position_.position << " " << position_.gtid;
  }

  void ExpectRows() {
    const std::string restored = scratch_->Sub("restored");
    ASSERT_THAT(MakeDirectory(restored + "/data"), IsOk());
    ASSERT_THAT(RunToSuccess(CopyBackCommand(BackupTool::kHbk, target_, restored + "/data"),
                             scratch_->Sub("copy_back.log")),
                IsOk());
    const auto server = Mariadbd::Start({.base_dir = restored, .has_data = true, .server_id = 2});
    ASSERT_THAT(server, IsOk());
    auto actual = (*server)->Connect();
    auto expected = server_->Connect();
    ASSERT_THAT(actual, IsOk());
    ASSERT_THAT(expected, IsOk());
    EXPECT_THAT(CompareTables(*expected, *actual), IsOk());
    ++restored_;
    (*server)->Kill9();
    ASSERT_THAT(RemoveTree(restored), IsOk());
  }

  // One of the allowed ends. Makes room for the next backup.
  void ExpectAllowedEnd(const ProcessEnd& end, const std::set<int>& exit_codes) {
    ++cases_;
    ++ends_[end.exit_code];
    EXPECT_FALSE(end.is_late) << "it had to be killed";
    if (end.exit_code == 0 || end.exit_code == 3) {
      EXPECT_THAT(end.output, HasSubstr("completed OK!"));
      EXPECT_TRUE(IsThere(target_ + "/hbk_manifest.json"));
      EXPECT_FALSE(IsThere(target_ + "/hbk_incomplete"));
      const auto prepared = RunProcess(PrepareCommand(BackupTool::kHbk, target_),
                                       {.output_path = scratch_->Sub("prepare.log")});
      ASSERT_THAT(prepared, IsOk());
      ASSERT_TRUE(prepared->succeeded()) << prepared->output;
      ExpectPosition();
      if (WantsAll() || restored_ == 0) ExpectRows();
    } else {
      EXPECT_TRUE(exit_codes.contains(end.exit_code)) << end.Describe();
      EXPECT_THAT(end.output, Not(HasSubstr("completed OK!")));
      EXPECT_FALSE(IsThere(target_ + "/hbk_manifest.json")) << end.output;
      EXPECT_TRUE(!IsThere(target_) || IsThere(target_ + "/hbk_incomplete")) << end.output;
    }
    ASSERT_THAT(RemoveTree(target_), IsOk());
  }

  void ExpectServerUnlocked() {
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    for (const char* statement :
         {"SET SESSION lock_wait_timeout=10", "CREATE TABLE d.after (i INT) ENGINE=InnoDB",
          "INSERT INTO d.after VALUES (1)", "INSERT INTO d.m VALUES (2)", "COMMIT",
          "DROP TABLE d.after"})
      EXPECT_THAT(client->Execute(statement), IsOk()) << statement;
  }

  void PrintEnds(const char* name) const {
    std::printf("%s: %llu cases;", name, static_cast<unsigned long long>(cases_));
    for (const auto& [code, count] : ends_)
      std::printf(" exit %d: %llu", code, static_cast<unsigned long long>(count));
    std::printf("; restored: %llu, with a wrong position: %llu\n",
                static_cast<unsigned long long>(restored_),
                static_cast<unsigned long long>(wrong_positions_));
  }

  // The fault at every packet, until a run has fewer.
  void RunAll(const char* name, ProxyFault fault, const std::set<int>& exit_codes) {
    const uint32_t seed = Seed();
    const uint64_t stride = WantsAll() ? 1 : kUsualStride;
    for (uint64_t k = 1;; k += stride) {
      proxy_->Arm(fault, k, seed * 7919 + static_cast<uint32_t>(k) * 104729);
      const auto backup = StartBackup();
      ASSERT_NE(backup, nullptr);
      // What stands still for ever is ended by its user.
      bool was_ended = false;
      if (fault != ProxyFault::kCutBefore && fault != ProxyFault::kCutAfter &&
          !backup->HasEndedWithin(kStallLimit)) {
        backup->Signal(SIGTERM);
        was_ended = true;
      }
      const ProcessEnd end = backup->Wait(kLimit);
      SCOPED_TRACE(std::string(name) + " at packet " + std::to_string(k) + ": " + end.Describe());
      std::set<int> codes = exit_codes;
      if (was_ended) codes.insert(143);
      ExpectAllowedEnd(end, codes);
      ExpectServerUnlocked();
      if (HasFatalFailure()) return;
      if (!proxy_->has_fired()) {
        EXPECT_TRUE(end.succeeded());
        EXPECT_GT(k, 30U);
        break;
      }
    }
    PrintEnds(name);
  }

  // Does something when the statement goes to the server; once.
  void DoAt(const std::string& statement, std::function<void()> action) {
    auto is_done = std::make_shared<std::atomic<bool>>(false);
    proxy_->Arm(ProxyFault::kNone, 0, 0,
                [statement, action = std::move(action), is_done](std::string_view packet) {
                  const bool is_it = packet.find(statement) != std::string_view::npos;
                  if (is_it && !is_done->exchange(true)) action();
                });
  }

  std::optional<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  std::unique_ptr<SocketProxy> proxy_;
  std::string target_;
  BinlogInfo position_;   // when the backup began
  bool may_lie_ = false;  // answers may be others than the server gave
  uint64_t cases_ = 0;
  uint64_t restored_ = 0;
  uint64_t wrong_positions_ = 0;
  std::map<int, uint64_t> ends_;
};

constexpr const char* kStages[] = {"BACKUP STAGE START", "BACKUP STAGE FLUSH",
                                   "BACKUP STAGE BLOCK_DDL", "BACKUP STAGE BLOCK_COMMIT",
                                   "BACKUP STAGE END"};

TEST_F(ConnectionFaultTest, CutBeforeThePacket) {
  RunAll("cut", ProxyFault::kCutBefore, {15});
}

TEST_F(ConnectionFaultTest, CutBeforeTheAnswer) {
  RunAll("cut before the answer", ProxyFault::kCutAfter, {15});
}

TEST_F(ConnectionFaultTest, StallOfAMoment) {
  RunAll("stall", ProxyFault::kStall, {});
}

TEST_F(ConnectionFaultTest, StallForEver) {
  // At the login: the connection is given up after ten seconds.
  RunAll("stall for ever", ProxyFault::kStallForever, {15});
}

// Bytes that the server cannot understand, or that say something else.
TEST_F(ConnectionFaultTest, FlippedByteOfAStatement) {
  RunAll("flipped statement", ProxyFault::kFlipStatement, {1, 13, 15, 16, 18});
}

// Which number the server has sent only TLS can tell.
TEST_F(ConnectionFaultTest, FlippedByteOfAnAnswer) {
  may_lie_ = true;
  RunAll("flipped answer", ProxyFault::kFlipAnswer, {1, 2, 13, 14, 15, 16, 17, 18, 20});
}

TEST_F(ConnectionFaultTest, ServerKilledInEachStage) {
  for (const char* stage : kStages) {
    DoAt(stage, [this] { kill(server_->pid(), SIGKILL); });
    const auto backup = StartBackup();
    ASSERT_NE(backup, nullptr);
    const ProcessEnd end = backup->Wait(kLimit);
    SCOPED_TRACE(std::string(stage) + ": " + end.Describe());
    ExpectAllowedEnd(end, {15});
    server_->Kill9();
    ASSERT_THAT(server_->Start(), IsOk());
    ExpectServerUnlocked();
  }
  PrintEnds("server killed");
}

TEST_F(ConnectionFaultTest, DiskThatFillsUpInEachStage) {
  const std::string disk = scratch_->Sub("disk");
  ASSERT_THAT(MakeDirectory(disk), IsOk());
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=300m") != 0) {
    GTEST_SKIP() << ErrnoStatus(errno, "mounting a tmpfs").message();
  }
  const std::shared_ptr<void> unmount(nullptr,
                                      [&](void*) { (void)umount2(disk.c_str(), MNT_DETACH); });
  target_ = disk + "/backup";
  const std::string filler = disk + "/filler";
  for (const char* stage : kStages) {
    DoAt(stage, [&filler] {
      const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(filler.c_str(), "w"),
                                                       std::fclose);
      const std::string block(4096, 'x');
      while (file != nullptr && std::fwrite(block.data(), 1, block.size(), file.get()) != 0) {
      }
    });
    const auto backup = StartBackup();
    ASSERT_NE(backup, nullptr);
    const ProcessEnd end = backup->Wait(kLimit);
    (void)std::remove(filler.c_str());
    SCOPED_TRACE(std::string(stage) + ": " + end.Describe());
    ExpectAllowedEnd(end, {14});
    ExpectServerUnlocked();
  }
  EXPECT_GT(ends_[14], 2U);
  PrintEnds("full disk");
}

// The tailer stands still while the server writes more than its log holds.
class StandstillTest : public ConnectionFaultTest {
 protected:
  void StartServer() override {
    auto server = Mariadbd::Start(
        {.base_dir = scratch_->Sub("source"), .extra = {"--innodb-log-file-size=4M"}});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    for (const char* statement :
         {"CREATE DATABASE d", "USE d",
          "CREATE TABLE d.a (i INT PRIMARY KEY, t TEXT) ENGINE=InnoDB",
          "CREATE TABLE d.m (i INT) ENGINE=MyISAM",
          "INSERT INTO d.a SELECT seq, REPEAT('x', 1000) FROM seq_1_to_2000"})
      ASSERT_THAT(client->Execute(statement), IsOk());
  }
};

TEST_F(StandstillTest, IsASuccessOrExit17) {
  for (const int updates : {1, 4, 12}) {
    std::atomic<pid_t> pid = 0;
    // In the middle of the copying.
    DoAt("BACKUP STAGE FLUSH", [&pid] {
      while (pid == 0)
        std::this_thread::sleep_for(milliseconds(1));
      kill(pid, SIGSTOP);
    });
    const auto backup = StartBackup();
    ASSERT_NE(backup, nullptr);
    pid = backup->pid();
    EXPECT_FALSE(backup->HasEndedWithin(milliseconds(1500)));
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    for (int i = 0; i < updates; ++i)
      ASSERT_THAT(client->Execute("UPDATE d.a SET t=REPEAT(CHAR(65 + FLOOR(RAND() * 26)), 1000)"),
                  IsOk());
    backup->Signal(SIGCONT);
    const ProcessEnd end = backup->Wait(kLimit);
    SCOPED_TRACE(std::to_string(updates) + " updates: " + end.Describe());
    ExpectAllowedEnd(end, {17});
    ExpectServerUnlocked();
  }
  PrintEnds("standstill");
  EXPECT_GT(ends_[17], 0U);
}

}  // namespace
}  // namespace hbk::testing
