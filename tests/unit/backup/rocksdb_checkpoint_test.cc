#include "rocksdb_checkpoint.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/scripted_sql_client.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::rocksdb_checkpoint_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::SilentReporter;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kCheckpoint = "/rocks/mariabackup-checkpoint";
constexpr const char* kFlush = "rocksdb_force_flush_memtable_now";
constexpr uint32_t kLost = 2013;

// A server with MyRocks: its checkpoints are files in memory.
struct FakeServer {
  MemFileSystem& fs;
  bool is_locked_by_other = false;
  bool makes_nothing = false;
  uint32_t create_error = 0;
  int lost_at = -1;  // the number of the statement with which the connection ends
  int statement_count = 0;
  std::vector<std::string> log = {};  // without settings; a connection that ends is "bye"

  server::SqlAnswer Answer(std::string_view sql) {
    if (sql.starts_with("SET SESSION")) return {};
    if (statement_count++ == lost_at) return SqlError(kLost, "lost");
    const std::string_view word = sql.substr(0, sql.find_first_of("(="));
    log.emplace_back(word.substr(word.rfind(' ') + 1));
    if (sql.starts_with("SELECT GET_LOCK")) return SqlRows({{is_locked_by_other ? "0" : "1"}});
    if (sql.starts_with("SELECT RELEASE_LOCK")) return SqlRows({{"1"}});
    if (sql.starts_with("SET GLOBAL rocksdb_create_checkpoint")) {
      if (create_error != 0) return SqlError(create_error, "no");
      if (makes_nothing) return {};
      fs.PutFile(std::string(kCheckpoint) + "/CURRENT", "MANIFEST-000004\n");
      fs.PutFile(std::string(kCheckpoint) + "/000012.sst", std::string(5000, 's'));
      return {};
    }
    if (sql.starts_with("SET GLOBAL rocksdb_force_flush")) return {};
    const auto entries = fs.List(kCheckpoint);
    if (!entries.ok()) return {};
    for (const io::DirectoryEntry& entry : *entries)
      (void)fs.Remove(io::JoinPath(kCheckpoint, entry.name));
    (void)fs.RemoveDirectory(kCheckpoint);
    return {};
  }
};

class FakeClient final : public server::SqlClient {
 public:
  explicit FakeClient(FakeServer& server) : server_(server) {}
  ~FakeClient() override { server_.log.emplace_back("bye"); }
  server::SqlAnswer Execute(std::string_view sql, const server::SqlWait& /*wait*/) override {
    if (is_lost_) return SqlError(kLost, "lost");
    server::SqlAnswer answer = server_.Answer(sql);
    is_lost_ = answer.error_number == kLost;
    return answer;
  }
  [[nodiscard]] std::string server_version() const override { return "10.11.19-MariaDB"; }

 private:
  FakeServer& server_;
  bool is_lost_ = false;
};

class RocksdbCheckpointTest : public ::testing::Test {
 protected:
  RocksdbCheckpointTest() {
    fs_.PutFile("/rocks/CURRENT", "x");
    fs_.PutDirectory("/target");
  }

  Result<std::unique_ptr<RocksdbCheckpoint>> Reserve() {
    return RocksdbCheckpoint::Reserve(
        fs_,
        [this] { return server::ServerSession::Create(std::make_unique<FakeClient>(server_)); },
        "/rocks", 5, {});
  }

  [[nodiscard]] bool IsThere() { return io::Exists(fs_, kCheckpoint).value(); }

  MemFileSystem fs_;
  FakeServer server_{fs_};
  SilentReporter reporter_;
};

TEST_F(RocksdbCheckpointTest, ItsFilesComeIntoTheBackupAndItIsRemoved) {
  auto checkpoint = Reserve();
  ASSERT_THAT(checkpoint, IsOk());
  ASSERT_THAT((*checkpoint)->Create(), IsOk());
  FileCopier copier(fs_, reporter_, {.target_dir = "/target"});
  BackupRecord record;

  ASSERT_THAT((*checkpoint)->Copy(copier, record, {}), IsOk());
  ASSERT_THAT((*checkpoint)->Remove(), IsOk());

  EXPECT_EQ(fs_.Contents("/target/#rocksdb/000012.sst"), std::string(5000, 's'));
  EXPECT_EQ(record.files.size(), 2U);
  EXPECT_EQ(record.files.at("#rocksdb/CURRENT").kind, "rocksdb");
  EXPECT_EQ(record.files.at("#rocksdb/CURRENT").digest.size(), 32U);
  EXPECT_FALSE(IsThere());
  EXPECT_THAT(server_.log,
              ElementsAre("GET_LOCK", kFlush, "rocksdb_create_checkpoint",
                          "rocksdb_remove_mariabackup_checkpoint", "RELEASE_LOCK", "bye"));
}

TEST_F(RocksdbCheckpointTest, ALeftoverIsRemovedFirst) {
  fs_.PutFile(std::string(kCheckpoint) + "/000001.sst", "old");
  const auto checkpoint = Reserve();
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_FALSE(IsThere());
  EXPECT_THAT((*checkpoint)->Create(), IsOk());
}

TEST_F(RocksdbCheckpointTest, ALeftoverThatTheServerCannotRemoveIsNamed) {
  fs_.PutFile(std::string(kCheckpoint) + "/sub/x", "x");
  const auto checkpoint = Reserve();
  EXPECT_THAT(checkpoint, StatusIs(StatusCode::kFailed, HasSubstr(kCheckpoint)));
  EXPECT_THAT(checkpoint.status().hint(), HasSubstr("rm -r"));
  EXPECT_EQ(server_.log.back(), "bye");
}

TEST_F(RocksdbCheckpointTest, SuchALeftoverIsSeenBeforeAnythingIsAskedOfTheServer) {
  EXPECT_THAT(RocksdbCheckpoint::CheckLeftover(fs_, "/rocks"), IsOk());
  fs_.PutFile(std::string(kCheckpoint) + "/000001.sst", "old");
  EXPECT_THAT(RocksdbCheckpoint::CheckLeftover(fs_, "/rocks"), IsOk());
  fs_.PutFile(std::string(kCheckpoint) + "/sub/x", "x");
  EXPECT_THAT(RocksdbCheckpoint::CheckLeftover(fs_, "/rocks"),
              StatusIs(StatusCode::kFailed, HasSubstr(kCheckpoint)));
}

TEST_F(RocksdbCheckpointTest, AnotherToolIsNotWaitedForWithoutEnd) {
  server_.is_locked_by_other = true;
  EXPECT_THAT(Reserve(), StatusIs(StatusCode::kLockWaitTimeout, HasSubstr("5 s")));
  EXPECT_THAT(server_.log, ElementsAre("GET_LOCK", "bye"));
}

TEST_F(RocksdbCheckpointTest, WhatIsNotRemovedGoesWithTheObject) {
  {
    const auto checkpoint = Reserve();
    ASSERT_THAT(checkpoint, IsOk());
    ASSERT_THAT((*checkpoint)->Create(), IsOk());
    EXPECT_TRUE(IsThere());
  }
  EXPECT_FALSE(IsThere());
  EXPECT_THAT(server_.log,
              ElementsAre("GET_LOCK", kFlush, "rocksdb_create_checkpoint",
                          "rocksdb_remove_mariabackup_checkpoint", "RELEASE_LOCK", "bye"));
}

TEST_F(RocksdbCheckpointTest, WithoutACheckpointOnlyTheLockIsGivenBack) {
  { ASSERT_THAT(Reserve(), IsOk()); }
  EXPECT_THAT(server_.log, ElementsAre("GET_LOCK", kFlush, "RELEASE_LOCK", "bye"));
}

TEST_F(RocksdbCheckpointTest, ALostConnectionIsReplacedToRemoveIt) {
  server_.lost_at = 3;
  {
    const auto checkpoint = Reserve();
    ASSERT_THAT(checkpoint, IsOk());
    ASSERT_THAT((*checkpoint)->Create(), IsOk());
  }
  EXPECT_FALSE(IsThere());
  EXPECT_EQ(std::count(server_.log.begin(), server_.log.end(), "GET_LOCK"), 2);
  EXPECT_EQ(std::count(server_.log.begin(), server_.log.end(), "bye"), 2);
}

TEST_F(RocksdbCheckpointTest, WhatAnotherToolHasTakenOverIsLeftToIt) {
  server_.lost_at = 3;
  {
    const auto checkpoint = Reserve();
    ASSERT_THAT(checkpoint, IsOk());
    ASSERT_THAT((*checkpoint)->Create(), IsOk());
    server_.is_locked_by_other = true;
  }
  EXPECT_TRUE(IsThere());
}

TEST_F(RocksdbCheckpointTest, ARefusedCheckpointIsAnError) {
  server_.create_error = 1227;
  const auto checkpoint = Reserve();
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_THAT((*checkpoint)->Create(),
              StatusIs(StatusCode::kMissingPrivilege, HasSubstr("MyRocks")));
}

TEST_F(RocksdbCheckpointTest, ACheckpointThatIsNotWhereWeLookIsAnError) {
  server_.makes_nothing = true;
  const auto checkpoint = Reserve();
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_THAT((*checkpoint)->Create(), StatusIs(StatusCode::kFailed, HasSubstr("not there")));
}

TEST_F(RocksdbCheckpointTest, NothingInItIsLeftOut) {
  const auto checkpoint = Reserve();
  ASSERT_THAT(checkpoint, IsOk());
  ASSERT_THAT((*checkpoint)->Create(), IsOk());
  fs_.PutDirectory(std::string(kCheckpoint) + "/blobs");
  FileCopier copier(fs_, reporter_, {.target_dir = "/target"});
  BackupRecord record;
  EXPECT_THAT((*checkpoint)->Copy(copier, record, {}),
              StatusIs(StatusCode::kFailed, HasSubstr("blobs")));
}

}  // namespace
}  // namespace hbk::backup::rocksdb_checkpoint_test
