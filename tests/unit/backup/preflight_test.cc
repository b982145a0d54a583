#include "preflight.h"

#include <memory>
#include <utility>
#include <vector>

#include "hbk/redo/log_file.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using server::SqlAnswer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr redo::Lsn kCheckpoint = 50000;

class PreflightTest : public ::testing::Test {
 protected:
  PreflightTest() {
    facts_.version_text = "10.11.19-MariaDB";
    facts_.current_user = "hbk@localhost";
    facts_.variables = {{"datadir", "/data/"},
                        {"hostname", "db1"},
                        {"pid_file", "/data/db.pid"},
                        {"innodb_data_home_dir", ""},
                        {"log_bin", "ON"},
                        {"innodb_data_file_path", "ibdata1:12M"}};
    fs_.PutFile("/data/ibdata1", "pages");
    fs_.PutFile("/data/aria_log_control", "control");
    fs_.PutFile("/data/db.pid", "77\n");
    fs_.PutFile("/data/ib_logfile0",
                redo::RenderLogHead(kCheckpoint, {kCheckpoint, kCheckpoint}, "MariaDB 10.11.19") +
                    std::string(4096, '\0'));
    fs_.PutDirectory("/backups");
    auto layout = LayoutOfServer(facts_);
    EXPECT_THAT(layout, IsOk());
    layout_ = std::move(layout).value();
  }

  std::unique_ptr<server::ServerSession> MakeSession(std::vector<ScriptedStatement> script) {
    std::vector<ScriptedStatement> whole = {{"SET SESSION wait_timeout=*", {}},
                                            {"SET SESSION wsrep_sync_wait=0", {}}};
    whole.insert(whole.end(), script.begin(), script.end());
    auto session =
        server::ServerSession::Create(std::make_unique<ScriptedSqlClient>(std::move(whole), log_));
    EXPECT_THAT(session, IsOk());
    return std::move(session).value();
  }

  void ServerHoldsLocks(int64_t pid) {
    fs_.SetLockHolder("/data/ibdata1", pid);
    fs_.SetLockHolder("/data/aria_log_control", pid);
  }

  static ScriptedStatement CheckpointAnswer(redo::Lsn lsn) {
    return {"SHOW GLOBAL STATUS LIKE 'Innodb_lsn%'",
            SqlRows({{"Innodb_lsn_current", std::to_string(lsn)},
                     {"Innodb_lsn_flushed", std::to_string(lsn)},
                     {"Innodb_lsn_last_checkpoint", std::to_string(lsn)}})};
  }

  MemFileSystem fs_;
  server::ServerFacts facts_;
  datadir::Layout layout_;
  ScriptLog log_;
};

TEST_F(PreflightTest, MissingPrivilegesComeInOneMessageWithTheirGrant) {
  const SqlAnswer denied = SqlError(1227, "Access denied");
  const auto session = MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", denied},
                                    {"SHOW ENGINE INNODB STATUS", {}},
                                    {"SHOW MASTER STATUS", denied}});

  const Status status = CheckPrivileges(*session, facts_, {.has_binlog = true});

  EXPECT_THAT(status, StatusIs(StatusCode::kMissingPrivilege,
                               AllOf(HasSubstr("`hbk`@`localhost` lacks RELOAD"),
                                     HasSubstr("BINLOG MONITOR"), Not(HasSubstr("PROCESS")))));
  EXPECT_EQ(status.hint(), "GRANT RELOAD, BINLOG MONITOR ON *.* TO `hbk`@`localhost`;");
}

TEST_F(PreflightTest, RightToKillIsAskedForWithItsOption) {
  const auto session = MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}},
                                    {"SHOW ENGINE INNODB STATUS", {}},
                                    {"SHOW MASTER STATUS", {}},
                                    {"SET GLOBAL slow_launch_time*", SqlError(1227, "denied")}});

  const Status status =
      CheckPrivileges(*session, facts_, {.has_binlog = true, .kills_queries = true});

  EXPECT_THAT(status, StatusIs(StatusCode::kMissingPrivilege,
                               HasSubstr("CONNECTION ADMIN (for --kill-long-queries-timeout)")));
  EXPECT_EQ(status.hint(), "GRANT CONNECTION ADMIN ON *.* TO `hbk`@`localhost`;");
}

TEST_F(PreflightTest, MissingSuperComesWithAWayOut) {
  const auto session = MakeSession({{"FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", {}},
                                    {"SHOW ENGINE INNODB STATUS", {}},
                                    {"SHOW MASTER STATUS", {}},
                                    {"SET GLOBAL rocksdb_*", SqlError(1227, "Access denied")}});

  const Status status =
      CheckPrivileges(*session, facts_, {.has_binlog = true, .makes_rocksdb_checkpoint = true});

  EXPECT_THAT(status, StatusIs(StatusCode::kMissingPrivilege, HasSubstr("lacks SUPER")));
  EXPECT_THAT(status.hint(), AllOf(HasSubstr("GRANT SUPER ON *.* TO `hbk`@`localhost`;"),
                                   HasSubstr("--skip-rocksdb-backup")));
}

TEST_F(PreflightTest, MyrocksIsWhereTheServerSaysIfItIsLoaded) {
  facts_.variables["rocksdb_datadir"] = "./#rocksdb";
  facts_.variables["rocksdb_wal_dir"] = "/wal";
  EXPECT_EQ(LayoutOfServer(facts_)->rocksdb_dir, "");
  facts_.plugins = {{"ROCKSDB", "STORAGE ENGINE", true}};
  EXPECT_EQ(LayoutOfServer(facts_)->rocksdb_dir, "/data/#rocksdb");
  EXPECT_EQ(LayoutOfServer(facts_)->rocksdb_wal_dir, "/wal");
}

TEST_F(PreflightTest, WhatIsSaidOfMyrocksMeansNothingWithoutIt) {
  datadir::LayoutOptions said;
  said.rocksdb_datadir = "/elsewhere";
  EXPECT_THAT(CheckSaidLayout(fs_, said, layout_), IsOk());
  layout_.SetHasRocksdb(true);
  EXPECT_THAT(CheckSaidLayout(fs_, said, layout_),
              StatusIs(StatusCode::kUsage, HasSubstr("--rocksdb-datadir=/elsewhere")));
}

TEST_F(PreflightTest, SpaceForMyrocksIsThatOfItsTables) {
  fs_.PutFile("/data/#rocksdb/000012.sst", std::string(1000, 'x'));
  fs_.PutFile("/data/#rocksdb/LOG", std::string(5000, 'x'));
  fs_.SetFreeBytes(1500);
  EXPECT_THAT(CheckSpace(fs_, "/backups/new", {}, "/data/#rocksdb", 500), IsOk());
  EXPECT_THAT(CheckSpace(fs_, "/backups/new", {}, "/data/#rocksdb", 501),
              StatusIs(StatusCode::kNoSpace, HasSubstr("/backups/new")));
}

TEST_F(PreflightTest, LocksOfTheServerProveThatItsFilesAreHere) {
  ServerHoldsLocks(77);
  EXPECT_THAT(CheckLocality(fs_, *MakeSession({}), facts_, layout_), IsOk());
}

TEST_F(PreflightTest, WithoutLocksTheCheckpointDecides) {
  const auto session = MakeSession({CheckpointAnswer(kCheckpoint), CheckpointAnswer(kCheckpoint)});
  EXPECT_THAT(CheckLocality(fs_, *session, facts_, layout_), IsOk());
}

TEST_F(PreflightTest, FilesWithAnotherCheckpointAreNotTheServers) {
  const std::vector<ScriptedStatement> script(5, CheckpointAnswer(kCheckpoint + 1));
  EXPECT_THAT(CheckLocality(fs_, *MakeSession(script), facts_, layout_),
              StatusIs(StatusCode::kUnsupported,
                       AllOf(HasSubstr("not on this machine"), HasSubstr("db1"))));
}

TEST_F(PreflightTest, MissingFilesAreElsewhere) {
  ASSERT_THAT(fs_.Remove("/data/ibdata1"), IsOk());
  EXPECT_THAT(CheckLocality(fs_, *MakeSession({}), facts_, layout_),
              StatusIs(StatusCode::kUnsupported, HasSubstr("/data/ibdata1 is missing")));
}

TEST_F(PreflightTest, FilesOfAnotherServerAreRefused) {
  ServerHoldsLocks(78);
  const std::vector<ScriptedStatement> script(5, CheckpointAnswer(kCheckpoint + 1));
  EXPECT_THAT(CheckLocality(fs_, *MakeSession(script), facts_, layout_),
              StatusIs(StatusCode::kUnsupported, AllOf(HasSubstr("pid 78"), HasSubstr("pid 77"))));
}

TEST_F(PreflightTest, SaidDirectoriesAreComparedAsPlaces) {
  fs_.PutSymlink("/link", "/data");
  datadir::LayoutOptions said;
  said.datadir = "/link/";
  EXPECT_THAT(CheckSaidLayout(fs_, said, layout_), IsOk());
  said.innodb_undo_directory = ".";
  EXPECT_THAT(CheckSaidLayout(fs_, said, layout_), IsOk());
  said.datadir = "/backups";
  EXPECT_THAT(CheckSaidLayout(fs_, said, layout_),
              StatusIs(StatusCode::kUsage, HasSubstr("--datadir=/backups")));
}

TEST_F(PreflightTest, SaidDataFilePathMustBeTheServers) {
  datadir::LayoutOptions said;
  said.innodb_data_file_path = "ibdata1:12M";
  EXPECT_THAT(CheckSaidLayout(fs_, said, layout_), IsOk());
  said.innodb_data_file_path = "ibdata1:12M;ibdata2:12M";
  EXPECT_THAT(CheckSaidLayout(fs_, said, layout_),
              StatusIs(StatusCode::kUsage, HasSubstr("ibdata2")));
}

TEST_F(PreflightTest, RedoLogOfThisFormatIsTaken) {
  EXPECT_THAT(CheckRedoLog(fs_, layout_), IsOk());
}

TEST_F(PreflightTest, ForeignRedoLogIsUnsupported) {
  fs_.PutFile("/data/ib_logfile0", std::string(16384, '\x7F'));
  EXPECT_THAT(CheckRedoLog(fs_, layout_), Not(IsOk()));
  fs_.PutFile("/data/ib_logfile0", "short");
  EXPECT_THAT(CheckRedoLog(fs_, layout_),
              StatusIs(StatusCode::kUnsupported, HasSubstr("too short")));
}

TEST_F(PreflightTest, AbsentOrEmptyTargetIsTaken) {
  EXPECT_THAT(CheckTarget(fs_, "/backups/new/one", layout_), IsOk());
  EXPECT_THAT(CheckTarget(fs_, "/backups", layout_), IsOk());
  fs_.PutDirectory("/backups/lost+found");
  EXPECT_THAT(CheckTarget(fs_, "/backups", layout_), IsOk());
}

TEST_F(PreflightTest, UsedTargetIsRefused) {
  fs_.PutFile("/backups/x", "");
  EXPECT_THAT(CheckTarget(fs_, "/backups", layout_),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("holds x")));
  EXPECT_THAT(CheckTarget(fs_, "/backups/x", layout_),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("not a directory")));
}

TEST_F(PreflightTest, LeftoverOfAnUnfinishedBackupIsNamed) {
  fs_.PutFile("/backups/hbk_incomplete", "");
  EXPECT_THAT(CheckTarget(fs_, "/backups", layout_).hint(), HasSubstr("unfinished backup"));
}

TEST_F(PreflightTest, TargetInsideOfTheServersDirectoriesIsRefused) {
  for (const char* target : {"/data/backup", "/data", "/data/a/b/c"}) {
    EXPECT_THAT(CheckTarget(fs_, target, layout_),
                StatusIs(StatusCode::kUsage, HasSubstr("lies inside /data")))
        << target;
  }
}

TEST_F(PreflightTest, SpaceForFilesAndRedoIsNeeded) {
  datadir::Scan scan;
  datadir::DataFile file;
  file.info.size = 1000;
  file.info.allocated_bytes = 4096;
  scan.files = {file, file};
  fs_.SetFreeBytes(2500);
  EXPECT_THAT(CheckSpace(fs_, "/backups/new", scan, "", 500), IsOk());
  EXPECT_THAT(CheckSpace(fs_, "/backups/new", scan, "", 501),
              StatusIs(StatusCode::kNoSpace, HasSubstr("/backups/new")));
}

TEST_F(PreflightTest, AnIncrementDoesNotLieInItsBase) {
  fs_.PutDirectory("/backups/base");
  EXPECT_THAT(CheckTargetApart(fs_, "/backups/increment", "/backups/base"), IsOk());
  EXPECT_THAT(CheckTargetApart(fs_, "/backups/base/increment", "/backups/base"),
              StatusIs(StatusCode::kUsage, HasSubstr("/backups/base")));
  EXPECT_THAT(CheckTargetApart(fs_, "/backups/base", "/backups/../backups/base"),
              StatusIs(StatusCode::kUsage, HasSubstr("/backups/base")));
}

}  // namespace
}  // namespace hbk::backup
