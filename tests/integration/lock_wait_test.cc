// Sessions in the way of a backup stage: what the user is told, that the wait is bounded, that no
// lock is left behind, and that nothing is killed that must not be.

#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr milliseconds kLimit{60'000};
constexpr uint32_t kQueryKilled = 1317;

// A statement on a session of its own, which runs while the test goes on, and is ended with it.
class Runner {
 public:
  Runner(const Mariadbd& server, const std::string& statement)
      : server_(server), client_(server.Connect().value()) {
    EXPECT_THAT(client_.Execute("USE d"), IsOk());
    id_ = client_.connection_id();
    done_ = std::async(std::launch::async, [this, statement] {
      (void)client_.Execute(statement).ok();
      return client_.last_error();
    });
  }

  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner() {
    if (done_.valid() && !IsDone()) Kill();
  }

  void Kill() {
    auto client = server_.Connect();
    ASSERT_THAT(client, IsOk());
    (void)client->Execute("KILL " + std::to_string(id_)).ok();
  }
  [[nodiscard]] uint64_t id() const { return id_; }
  bool IsDone() const { return done_.wait_for(seconds(0)) == std::future_status::ready; }
  uint32_t Error() { return done_.get(); }

 private:
  const Mariadbd& server_;
  SqlClient client_;
  uint64_t id_ = 0;
  std::future<uint32_t> done_;
};

class LockWaitTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(StartServer({}, {})); }

  void StartServer(const ServerTree& tree, const std::vector<std::string>& extra) {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    server_.reset();
    scratch_.emplace(std::move(scratch).value());
    auto server =
        Mariadbd::Start({.base_dir = scratch_->Sub("source"), .extra = extra, .tree = tree});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    for (const char* const statement :
         {"CREATE DATABASE d", "CREATE TABLE d.i(a INT PRIMARY KEY, b INT) ENGINE=InnoDB",
          "CREATE TABLE d.i2(a INT PRIMARY KEY, b INT) ENGINE=InnoDB",
          "CREATE TABLE d.m(a INT, b INT) ENGINE=MyISAM",
          "CREATE TABLE d.m2(a INT, b INT) ENGINE=MyISAM",
          "INSERT INTO d.i VALUES (1,1),(2,2),(3,3),(4,4),(5,5),(6,6),(7,7),(8,8)",
          "INSERT INTO d.i2 SELECT * FROM d.i", "CREATE USER hbk@localhost IDENTIFIED BY 'secret'",
          "GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR ON *.* TO "
          "hbk@localhost"})
      ASSERT_THAT(client->Execute(statement), IsOk()) << statement;
  }

  std::vector<std::string> Command(const std::vector<std::string>& extra, int throttle = 0) {
    const std::string target = scratch_->Sub("backup" + std::to_string(++backup_count_));
    std::vector<std::string> argv =
        BackupCommand(BackupTool::kHbk, {.socket_path = server_->socket_path(),
                                         .target_dir = target,
                                         .throttle = throttle,
                                         .extra = extra});
    for (std::string& argument : argv)
      if (argument == "--user=root") argument = "--user=hbk";
    argv.emplace_back("--password=secret");
    return argv;
  }

  ProcessEnd Backup(const std::vector<std::string>& extra) {
    const auto end =
        RunProcess(Command(extra), {.output_path = scratch_->Sub("backup.log")}, kLimit);
    EXPECT_THAT(end, IsOk());
    const ProcessEnd result = end.ok() ? *end : ProcessEnd{};
    // What a user sees, for whoever reads the test's log.
    printf("%s\n", result.output.c_str());
    return result;
  }

  void Start(const std::vector<std::string>& extra, int throttle) {
    auto process =
        Process::Start(Command(extra, throttle), {.output_path = scratch_->Sub("backup.log")});
    ASSERT_THAT(process, IsOk());
    backup_ = std::move(process).value();
  }

  ProcessEnd Finish() {
    const ProcessEnd end = backup_->Wait(kLimit);
    printf("%s\n", end.output.c_str());
    return end;
  }

  // Until the running backup has said so.
  void AwaitOutput(const std::string& text) {
    for (int i = 0; i < 400; ++i) {
      std::ifstream file(scratch_->Sub("backup.log"));
      std::ostringstream output;
      output << file.rdbuf();
      if (output.str().find(text) != std::string::npos) return;
      std::this_thread::sleep_for(milliseconds(50));
    }
    FAIL() << "the backup never said: " << text;
  }

  void AwaitState(uint64_t id, const std::string& state) {
    auto client = server_->Connect().value();
    const std::string question =
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID=" + std::to_string(id) +
        " AND STATE LIKE '" + state + "'";
    for (int i = 0; i < 400; ++i) {
      if (client.QueryNumber(question).value() == 1) return;
      std::this_thread::sleep_for(milliseconds(50));
    }
    FAIL() << "session " << id << " never was in state " << state;
  }

  void ExpectNotGranted(const ProcessEnd& end, const std::string& stage) {
    EXPECT_EQ(end.exit_code, 16) << end.output;
    EXPECT_THAT(end.output, HasSubstr("error: BACKUP STAGE " + stage + " was not granted"));
    EXPECT_THAT(end.output, Not(HasSubstr("completed OK!")));
    EXPECT_LT(end.seconds, 30);
  }

  void ExpectSuccess(const ProcessEnd& end) {
    EXPECT_EQ(end.exit_code, 0) << end.output;
    EXPECT_THAT(end.output, HasSubstr("completed OK!"));
  }

  // Tables that no other session uses can be written to, made and altered at once, and another
  // backup can begin.
  void ExpectServerUnlocked(bool stage_too = true) {
    auto client = server_->Connect().value();
    EXPECT_THAT(client.Execute("SET SESSION lock_wait_timeout=1"), IsOk());
    for (const char* const statement :
         {"INSERT INTO d.m2 VALUES(9,9)", "INSERT INTO d.i2 VALUES(9,9)",
          "ALTER TABLE d.i2 ADD COLUMN c INT", "CREATE TABLE d.n(a INT) ENGINE=MyISAM",
          "DROP TABLE d.n"})
      EXPECT_THAT(client.Execute(statement), IsOk()) << statement;
    if (!stage_too) return;
    EXPECT_THAT(client.Execute("BACKUP STAGE START"), IsOk());
    EXPECT_THAT(client.Execute("BACKUP STAGE END"), IsOk());
  }

  std::optional<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  std::unique_ptr<Process> backup_;
  int backup_count_ = 0;
};

TEST_F(LockWaitTest, LongSelectsHoldNothingUp) {
  Runner innodb(*server_, "SELECT a, SLEEP(30) FROM i");
  Runner myisam(*server_, "SELECT COUNT(*), SLEEP(30) FROM m");
  AwaitState(innodb.id(), "User sleep");
  AwaitState(myisam.id(), "User sleep");

  const ProcessEnd end = Backup({"--lock-wait-timeout=3", "--lock-retry-time=0"});

  ExpectSuccess(end);
  EXPECT_THAT(end.output, Not(HasSubstr("waiting for BACKUP STAGE")));
  EXPECT_FALSE(innodb.IsDone());
  EXPECT_FALSE(myisam.IsDone());
}

TEST_F(LockWaitTest, LockTablesBeforeTheStart) {
  auto holder = server_->Connect().value();
  ASSERT_THAT(holder.Execute("LOCK TABLES d.i WRITE"), IsOk());
  std::this_thread::sleep_for(milliseconds(300));

  const ProcessEnd end = Backup({"--lock-wait-timeout=2", "--lock-retry-time=0"});

  ExpectNotGranted(end, "START");
  const std::string id = "session " + std::to_string(holder.connection_id()) + " of root@localhost";
  EXPECT_THAT(end.output, AllOf(HasSubstr("waiting for BACKUP STAGE START: no statement that runs"),
                                HasSubstr(id), HasSubstr("idle")));
  // With their lock still there; only another backup would have to wait for it.
  ExpectServerUnlocked(/*stage_too=*/false);
}

TEST_F(LockWaitTest, LockTablesThatEndWithinTheRetryTime) {
  auto holder = server_->Connect().value();
  ASSERT_THAT(holder.Execute("LOCK TABLES d.i WRITE"), IsOk());
  ASSERT_NO_FATAL_FAILURE(Start({"--lock-wait-timeout=1", "--lock-retry-time=40"}, 0));
  ASSERT_NO_FATAL_FAILURE(AwaitOutput("within 1 s; trying again in 5 s"));
  // In the pause DDL passes.
  auto client = server_->Connect().value();
  EXPECT_THAT(client.Execute("SET SESSION lock_wait_timeout=2"), IsOk());
  EXPECT_THAT(client.Execute("CREATE TABLE d.n(a INT)"), IsOk());
  ASSERT_THAT(holder.Execute("UNLOCK TABLES"), IsOk());
  ExpectSuccess(Finish());
}

TEST_F(LockWaitTest, LockTablesOnMyisamBeforeBlockDdl) {
  // Slow enough to take the lock between START and FLUSH.
  ASSERT_NO_FATAL_FAILURE(Start({"--lock-wait-timeout=2", "--lock-retry-time=6"}, 12));
  ASSERT_NO_FATAL_FAILURE(AwaitOutput("copy innodb files"));
  auto holder = server_->Connect().value();
  ASSERT_THAT(holder.Execute("LOCK TABLES d.m WRITE"), IsOk());

  const ProcessEnd end = Finish();

  ExpectNotGranted(end, "BLOCK_DDL");
  EXPECT_THAT(end.output, HasSubstr("attempts within"));
  EXPECT_THAT(end.output, HasSubstr("session " + std::to_string(holder.connection_id())));
  ExpectServerUnlocked(/*stage_too=*/false);
  EXPECT_THAT(holder.Execute("INSERT INTO d.m VALUES(1,1)"), IsOk());
}

TEST_F(LockWaitTest, AlterThatCopiesHoldsNothingUp) {
  auto client = server_->Connect().value();
  ASSERT_THAT(client.Execute("CREATE TABLE d.big(a INT PRIMARY KEY AUTO_INCREMENT, b VARCHAR(200), "
                             "KEY(b)) ENGINE=InnoDB"),
              IsOk());
  ASSERT_THAT(client.Execute("INSERT INTO d.big(b) SELECT REPEAT(x.a, 100) FROM d.i x, d.i y, d.i "
                             "z, d.i u, d.i v"),
              IsOk());
  ASSERT_THAT(
      client.Execute("INSERT INTO d.big(b) SELECT x.b FROM d.big x, (SELECT a FROM d.i LIMIT "
                     "3) y"),
      IsOk());
  Runner alter(*server_, "ALTER TABLE big ADD COLUMN c INT DEFAULT 1, ALGORITHM=COPY");
  AwaitState(alter.id(), "copy to tmp table");

  const ProcessEnd end = Backup({"--lock-wait-timeout=15", "--lock-retry-time=0"});

  ExpectSuccess(end);
  EXPECT_THAT(end.output, Not(HasSubstr("waiting for BACKUP STAGE START")));
  EXPECT_EQ(alter.Error(), 0U);
}

TEST_F(LockWaitTest, AlterInItsLastPhase) {
  auto reader = server_->Connect().value();
  ASSERT_THAT(reader.Execute("BEGIN"), IsOk());
  ASSERT_THAT(reader.Execute("SELECT * FROM d.i"), IsOk());
  Runner alter(*server_, "ALTER TABLE i ADD COLUMN c INT DEFAULT 1, ALGORITHM=COPY");
  AwaitState(alter.id(), "Waiting for table metadata lock");

  const ProcessEnd end = Backup({"--lock-wait-timeout=2", "--lock-retry-time=0"});

  ExpectNotGranted(end, "START");
  EXPECT_THAT(end.output,
              AllOf(HasSubstr("session " + std::to_string(alter.id())),
                    HasSubstr("Waiting for table metadata lock: ALTER TABLE i ADD COLUMN c")));
  ExpectServerUnlocked(/*stage_too=*/false);
  ASSERT_THAT(reader.Execute("COMMIT"), IsOk());
  EXPECT_EQ(alter.Error(), 0U);
}

TEST_F(LockWaitTest, LongWriteToMyisam) {
  Runner writer(*server_, "INSERT INTO m SELECT a, SLEEP(30) FROM i");
  AwaitState(writer.id(), "User sleep");

  const ProcessEnd end = Backup({"--lock-wait-timeout=2", "--lock-retry-time=5"});

  ExpectNotGranted(end, "BLOCK_DDL");
  EXPECT_THAT(end.output, AllOf(HasSubstr("session " + std::to_string(writer.id())),
                                HasSubstr("INSERT INTO m SELECT a, SLEEP(30)")));
  ExpectServerUnlocked();
}

TEST_F(LockWaitTest, LongWriteThatEndsWithinTheRetryTime) {
  Runner writer(*server_, "INSERT INTO m SELECT a, SLEEP(30) FROM i");
  AwaitState(writer.id(), "User sleep");
  ASSERT_NO_FATAL_FAILURE(Start({"--lock-wait-timeout=1", "--lock-retry-time=40"}, 0));
  ASSERT_NO_FATAL_FAILURE(
      AwaitOutput("BACKUP STAGE BLOCK_DDL was not granted within 1 s; trying again in 1 s"));
  writer.Kill();
  ExpectSuccess(Finish());
}

TEST_F(LockWaitTest, ThresholdIsWaitedForWithoutHoldingUpWriters) {
  Runner writer(*server_, "INSERT INTO m SELECT a, SLEEP(30) FROM i");
  AwaitState(writer.id(), "User sleep");
  std::this_thread::sleep_for(milliseconds(1100));
  ASSERT_NO_FATAL_FAILURE(Start({"--lock-wait-threshold=1", "--lock-retry-time=4"}, 0));
  ASSERT_NO_FATAL_FAILURE(AwaitOutput("waiting before BACKUP STAGE FLUSH"));
  ExpectServerUnlocked(/*stage_too=*/false);

  const ProcessEnd end = Finish();

  EXPECT_EQ(end.exit_code, 16);
  EXPECT_THAT(end.output, HasSubstr("error: BACKUP STAGE FLUSH was not asked for"));
}

TEST_F(LockWaitTest, KillNeedsItsPrivilege) {
  const ProcessEnd end = Backup({"--kill-long-queries-timeout=2"});
  EXPECT_EQ(end.exit_code, 13);
  EXPECT_THAT(end.output, HasSubstr("GRANT CONNECTION ADMIN ON *.* TO `hbk`@`localhost`;"));
}

TEST_F(LockWaitTest, WhatHoldsItUpIsKilledAndNothingElse) {
  auto client = server_->Connect().value();
  ASSERT_THAT(client.Execute("GRANT CONNECTION ADMIN ON *.* TO hbk@localhost"), IsOk());
  Runner select(*server_, "SELECT a, SLEEP(30) FROM i2");
  Runner innodb(*server_, "UPDATE i SET b = b + 1 + SLEEP(IF(a < 3, 0, 30))");
  Runner writer(*server_, "INSERT INTO m SELECT a, SLEEP(30) FROM i2");
  AwaitState(writer.id(), "User sleep");
  AwaitState(innodb.id(), "User sleep");

  const ProcessEnd end = Backup({"--lock-wait-timeout=20", "--lock-retry-time=0",
                                 "--kill-long-queries-timeout=2", "--kill-long-query-type=all"});

  ExpectSuccess(end);
  EXPECT_THAT(end.output, HasSubstr("ended the statement of session " +
                                    std::to_string(writer.id()) + " of root@localhost"));
  EXPECT_EQ(writer.Error(), kQueryKilled);
  EXPECT_FALSE(select.IsDone());
  EXPECT_FALSE(innodb.IsDone());
}

TEST_F(LockWaitTest, WriteIsNotKilledAsASelect) {
  auto client = server_->Connect().value();
  ASSERT_THAT(client.Execute("GRANT CONNECTION ADMIN ON *.* TO hbk@localhost"), IsOk());
  Runner writer(*server_, "INSERT INTO m SELECT a, SLEEP(30) FROM i");
  AwaitState(writer.id(), "User sleep");

  const ProcessEnd end =
      Backup({"--lock-wait-timeout=4", "--lock-retry-time=0", "--kill-long-queries-timeout=2"});

  ExpectNotGranted(end, "BLOCK_DDL");
  EXPECT_THAT(end.output, HasSubstr("--kill-long-query-type=select left it alone"));
  EXPECT_FALSE(writer.IsDone());
}

TEST_F(LockWaitTest, WithTheLockListNamesAreCertain) {
  HBK_TREE_OR_SKIP(tree, "10.11");
  ASSERT_NO_FATAL_FAILURE(StartServer(
      tree, {"--plugin-maturity=experimental", "--plugin-load-add=metadata_lock_info"}));
  auto idle = server_->Connect().value();  // Is not named.
  auto holder = server_->Connect().value();
  ASSERT_THAT(holder.Execute("LOCK TABLES d.i WRITE"), IsOk());
  std::this_thread::sleep_for(milliseconds(300));

  const ProcessEnd end = Backup({"--lock-wait-timeout=2", "--lock-retry-time=0"});

  ExpectNotGranted(end, "START");
  EXPECT_THAT(end.output, HasSubstr("held up by session " + std::to_string(holder.connection_id()) +
                                    " of root@localhost"));
  EXPECT_THAT(end.output, AllOf(HasSubstr("holds BACKUP_DDL"), Not(HasSubstr("perhaps"))));
  EXPECT_THAT(end.output, Not(HasSubstr("session " + std::to_string(idle.connection_id()) + " ")));
}

}  // namespace
}  // namespace hbk::testing
