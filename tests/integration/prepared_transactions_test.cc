// A replica that applies in parallel, backed up while transactions of it are prepared: the restored
// server rolls back those of replication, without being told to, and keeps those of users.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_header.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/instance_format.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr milliseconds kLimit{120'000};
constexpr size_t kUndoState = 56;
constexpr int kPreparedCount = 4;

struct Instance {
  const char* name;
  const char* series;  // empty: the installed server
  uint32_t page_kib;
  const char* checksum;
  PageCipher cipher;
  int undo_tablespaces;
  bool has_binlog;  // the restored server
};

void PrintTo(const Instance& instance, std::ostream* out) {
  *out << instance.name;
}

bool AwaitNumber(SqlClient& client, const std::string& query, uint64_t wanted) {
  const auto deadline = steady_clock::now() + kLimit;
  while (client.QueryNumber(query).value() != wanted) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(50));
  }
  return true;
}

Status ExecuteAll(SqlClient& client, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements)
    HBK_RETURN_IF_ERROR(client.Execute(statement));
  return OkStatus();
}

std::string Update(int id) {
  return fmt::format("UPDATE d.t SET v = {} WHERE id = {}", id, id);
}

// Where an undo segment is prepared in `to` and active in `from`, makes it active, and seals the
// page: what differs afterwards is more than that. Returns how many there were.
Result<int> TakeStates(const std::string& from, const std::string& to) {
  HBK_ASSIGN_OR_RETURN(const std::string source, ReadWholeFile(from));
  HBK_ASSIGN_OR_RETURN(std::string target, ReadWholeFile(to));
  const auto first = innodb::ClassifyFirstPage(
      AsBytes(source).first(std::min<size_t>(source.size(), 65536)), source.size(), 0);
  if (first.kind != innodb::FirstPageKind::kValid || source.size() != target.size())
    return FailedError(from + " and " + to);
  const size_t size = first.header.flags.physical_size();
  int changed_count = 0;
  for (size_t page = 0; page < source.size() / size; ++page) {
    const ByteView a = AsBytes(source).subspan(page * size, size);
    const MutableByteView b{reinterpret_cast<uint8_t*>(target.data()) + page * size, size};
    // In the doublewrite buffer there are copies of other pages.
    if (LoadBe16(a, kUndoState) == LoadBe16(b, kUndoState) || innodb::PageNumber(b) != page)
      continue;
    if (LoadBe16(a, kUndoState) != 1 || LoadBe16(b, kUndoState) != 5)
      return FailedError(fmt::format("{}, page {}: state {} and {}", from, page,
                                     LoadBe16(a, kUndoState), LoadBe16(b, kUndoState)));
    ++changed_count;
    StoreBe16(b, kUndoState, 1);
    innodb::SealPage(b, first.header.flags,
                     {.space = first.header.space_id, .page = static_cast<uint32_t>(page)});
  }
  std::ofstream(to, std::ios::binary) << target;
  return changed_count;
}

class PreparedTransactionsTest : public ::testing::TestWithParam<Instance> {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
  }
  void TearDown() override {
    if (HasFailure()) scratch_->Keep();
  }

  [[nodiscard]] InstanceFormat Format(const ServerTree& tree) const {
    const Instance& instance = GetParam();
    return {.tree = tree,
            .page_kib = instance.page_kib,
            .checksum = instance.checksum,
            .cipher = instance.cipher};
  }

  Result<std::unique_ptr<Mariadbd>> StartServer(const std::string& name, int server_id,
                                                const std::vector<std::string>& extra,
                                                bool has_data = false) {
    MariadbdOptions options{.base_dir = scratch_->Sub(name),
                            .has_data = has_data,
                            .server_id = server_id,
                            .install_options = InstallOptions(Format(tree_)),
                            .extra = extra,
                            .tree = tree_};
    options.install_options.push_back(
        fmt::format("--innodb-undo-tablespaces={}", GetParam().undo_tablespaces));
    HBK_ASSIGN_OR_RETURN(const auto format_options,
                         ServerOptions(Format(tree_), scratch_->Sub("keys")));
    options.extra.insert(options.extra.end(), format_options.begin(), format_options.end());
    return Mariadbd::Start(options);
  }

  void StartSourceAndReplica() {
    auto source = StartServer("source", 1, {"--log-bin=binlog", "--binlog-format=ROW"});
    auto replica =
        StartServer("replica", 2,
                    {"--log-bin=copied", "--binlog-format=ROW", "--log-slave-updates=ON",
                     "--relay-log=relay", "--slave-parallel-threads=6",
                     "--slave-parallel-mode=optimistic", "--innodb-lock-wait-timeout=600"});
    ASSERT_THAT(source, IsOk());
    ASSERT_THAT(replica, IsOk());
    source_ = std::move(source).value();
    replica_ = std::move(replica).value();
    on_source_.emplace(source_->Connect().value());
    on_replica_.emplace(replica_->Connect().value());
    ASSERT_THAT(ExecuteAll(*on_source_,
                           {"CREATE USER replica IDENTIFIED BY 'replica'",
                            "GRANT REPLICATION SLAVE ON *.* TO replica", "CREATE DATABASE d",
                            "USE d", "CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB",
                            "INSERT INTO t SELECT seq, 0 FROM seq_1_to_20",
                            "CREATE TABLE mine (id INT PRIMARY KEY) ENGINE=InnoDB"}),
                IsOk());
    ASSERT_THAT(
        AttachReplica(*source_, *replica_, {.file = "binlog.000001", .position = "4", .gtid = ""},
                      ReplicationStart::kGtid),
        IsOk());
    ASSERT_THAT(CatchUp(*source_, *replica_, kLimit), IsOk());
    if (GetParam().cipher != PageCipher::kNone) {
      ASSERT_TRUE(
          AwaitNumber(*on_replica_,
                      "SELECT COUNT(*) FROM information_schema.innodb_tablespaces_encryption "
                      "WHERE min_key_version = 0 AND name LIKE 'innodb_%'",
                      0));
    }
  }

  // A user prepares two transactions; the first of several transactions of the source cannot go
  // on, so that those after it wait for it when they are prepared.
  void PrepareTransactions() {
    for (const auto& [xid, id] : {std::pair{"'of a user','b',7", 1}, {"'plain'", 2}}) {
      auto user = replica_->Connect().value();
      ASSERT_THAT(
          ExecuteAll(user, {"SET sql_log_bin = 0", "USE d", fmt::format("XA START {}", xid),
                            fmt::format("INSERT INTO mine VALUES ({})", id),
                            fmt::format("XA END {}", xid), fmt::format("XA PREPARE {}", xid)}),
          IsOk());
    }
    blocker_.emplace(replica_->Connect().value());
    ASSERT_THAT(ExecuteAll(*blocker_, {"BEGIN", "SELECT * FROM d.t WHERE id = 1 FOR UPDATE"}),
                IsOk());
    for (int id = 1; id <= kPreparedCount; ++id)
      ASSERT_THAT(on_source_->Execute(Update(id)), IsOk());
    // Committed in one phase: it has a user's XID on the source only.
    ASSERT_THAT(ExecuteAll(*on_source_, {"XA START 'one'", Update(kPreparedCount + 1),
                                         "XA END 'one'", "XA COMMIT 'one' ONE PHASE"}),
                IsOk());
    ASSERT_TRUE(AwaitNumber(*on_replica_,
                            "SELECT COUNT(*) FROM information_schema.processlist "
                            "WHERE state = 'Waiting for prior transaction to commit'",
                            kPreparedCount));
  }

  void BackUpAndPrepare() {
    ASSERT_THAT(
        RunToSuccess(BackupCommand(BackupTool::kHbk, {.socket_path = replica_->socket_path(),
                                                      .target_dir = made_,
                                                      .parallel = 2,
                                                      .extra = {"--slave-info"},
                                                      .tree = tree_}),
                     scratch_->Sub("backup.log")),
        IsOk());
    ASSERT_THAT(CopyTree(made_, theirs_), IsOk());
    const auto end =
        RunToSuccess(PrepareCommand(BackupTool::kHbk, made_), scratch_->Sub("prepare.log"));
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(end->exit_code, 0);
    EXPECT_THAT(end->output,
                HasSubstr(fmt::format("{} transactions were prepared for the binlog, but not "
                                      "committed: the server rolls them back when it starts",
                                      kPreparedCount)));
  }

  // The states of the transactions are all that mariadb-backup leaves otherwise.
  void CompareWithMariadbBackup() {
    ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kMariadbBackup, theirs_, {}, tree_),
                             scratch_->Sub("theirs.log")),
                IsOk());
    auto pages = ComparePages(theirs_, made_, KeysOf(Format(tree_)));
    ASSERT_THAT(pages, IsOk());
    EXPECT_EQ(pages->difference_count, kPreparedCount)
        << ::testing::PrintToString(pages->differences);
    std::printf("%llu pages, %llu differ, as they should\n",
                static_cast<unsigned long long>(pages->page_count),
                static_cast<unsigned long long>(pages->difference_count));
    if (GetParam().cipher != PageCipher::kNone) {
      EXPECT_GT(pages->by_database[""].encoded_page_count, 0U);
      return;
    }
    const std::string stated = scratch_->Sub("stated");
    ASSERT_THAT(CopyTree(theirs_, stated), IsOk());
    int changed_count = 0;
    for (const char* name : {"ibdata1", "undo001", "undo002", "undo003"}) {
      if (!std::filesystem::exists(stated + "/" + name)) continue;
      const auto changed = TakeStates(made_ + "/" + name, stated + "/" + name);
      ASSERT_THAT(changed, IsOk());
      changed_count += *changed;
    }
    EXPECT_EQ(changed_count, kPreparedCount);
    pages = ComparePages(stated, made_);
    ASSERT_THAT(pages, IsOk());
    EXPECT_THAT(pages->differences, IsEmpty());
  }

  // What this is all about: no server starts on what mariadb-backup has prepared.
  void ExpectRefusal() {
    ASSERT_THAT(MakeDirectory(scratch_->Sub("refused")), IsOk());
    ASSERT_THAT(CopyTree(theirs_, scratch_->Sub("refused/data")), IsOk());
    const auto refused = StartServer("refused", 5, {"--relay-log=relay"}, /*has_data=*/true);
    EXPECT_FALSE(refused.ok());
    const auto log = ReadWholeFile(scratch_->Sub("refused/error.log"));
    ASSERT_THAT(log, IsOk());
    EXPECT_THAT(log.value(), HasSubstr(fmt::format("Found {} prepared", kPreparedCount)));
  }

  void Restore() {
    ASSERT_THAT(MakeDirectory(scratch_->Sub("restored/data")), IsOk());
    ASSERT_THAT(
        RunToSuccess(CopyBackCommand(BackupTool::kHbk, made_, scratch_->Sub("restored/data")),
                     scratch_->Sub("copy-back.log")),
        IsOk());
    std::vector<std::string> options = {"--relay-log=relay"};
    if (GetParam().has_binlog) options.emplace_back("--log-bin=own");
    auto restored = StartServer("restored", 3, options, /*has_data=*/true);
    ASSERT_THAT(restored, IsOk());
    restored_ = std::move(restored).value();
    on_restored_.emplace(restored_->Connect().value());
  }

  // The two of the user are there, and can be ended either way.
  void EndTransactionsOfUser() {
    const auto rows = on_restored_->Query("XA RECOVER");
    ASSERT_THAT(rows, IsOk());
    std::vector<std::string> xids;
    for (size_t i = 0; i < rows->rows.size(); ++i)
      xids.push_back(rows->Get(i, "formatID") + " " + rows->Get(i, "data"));
    EXPECT_THAT(xids, ::testing::UnorderedElementsAre("7 of a userb", "1 plain"));
    ASSERT_THAT(ExecuteAll(*on_restored_, {"XA COMMIT 'of a user','b',7", "XA ROLLBACK 'plain'"}),
                IsOk());
    EXPECT_THAT(on_restored_->QueryValue("SELECT GROUP_CONCAT(id) FROM d.mine"), IsOkAndHolds("1"));
  }

  // Those of replication are gone, with their locks, and come again.
  void FollowSource() {
    EXPECT_THAT(on_restored_->QueryNumber("SELECT SUM(v) FROM d.t FOR UPDATE"), IsOkAndHolds(0U));
    ASSERT_THAT(on_restored_->Execute(
                    fmt::format("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={}, "
                                "MASTER_USER='replica', MASTER_PASSWORD='replica'",
                                source_->port())),
                IsOk());
    auto info = ReadWholeFile(made_ + "/xtrabackup_slave_info");
    if (!info.ok()) info = ReadWholeFile(made_ + "/mariadb_backup_slave_info");
    ASSERT_THAT(info, IsOk());
    std::istringstream lines(info.value());
    for (std::string line; std::getline(lines, line);)
      ASSERT_THAT(on_restored_->Execute(line.substr(0, line.find(';'))), IsOk()) << line;
    ASSERT_THAT(on_restored_->Execute("START SLAVE"), IsOk());
    ASSERT_THAT(CatchUp(*source_, *restored_, kLimit), IsOk());
    EXPECT_THAT(on_restored_->QueryNumber("SELECT SUM(v) FROM d.t"), IsOkAndHolds(15U));
    EXPECT_THAT(WaitForPurge(*on_restored_, milliseconds(20'000)), IsOk());
    EXPECT_THAT(CheckAllTables(*on_restored_), IsOk());
    EXPECT_THAT(restored_->Stop(), IsOk());
  }

  ServerTree tree_;
  std::optional<ScratchDir> scratch_;
  std::string made_;
  std::string theirs_;
  std::unique_ptr<Mariadbd> source_;
  std::unique_ptr<Mariadbd> replica_;
  std::unique_ptr<Mariadbd> restored_;
  std::optional<SqlClient> on_source_;
  std::optional<SqlClient> on_replica_;
  std::optional<SqlClient> blocker_;
  std::optional<SqlClient> on_restored_;
};

TEST_P(PreparedTransactionsTest, ThoseOfReplicationAreRolledBackAndThoseOfUsersStay) {
  HBK_TREE_OR_SKIP(tree, GetParam().series);
  tree_ = tree;
  made_ = scratch_->Sub("made");
  theirs_ = scratch_->Sub("theirs");

  ASSERT_NO_FATAL_FAILURE(StartSourceAndReplica());
  ASSERT_NO_FATAL_FAILURE(PrepareTransactions());
  ASSERT_NO_FATAL_FAILURE(BackUpAndPrepare());
  ASSERT_NO_FATAL_FAILURE(CompareWithMariadbBackup());
  ASSERT_NO_FATAL_FAILURE(ExpectRefusal());
  ASSERT_NO_FATAL_FAILURE(Restore());
  ASSERT_NO_FATAL_FAILURE(EndTransactionsOfUser());
  FollowSource();
}

INSTANTIATE_TEST_SUITE_P(
    Instances, PreparedTransactionsTest,
    ::testing::Values(Instance{"Installed", "", 16, "full_crc32", PageCipher::kNone, 2, false},
                      Instance{"Series10_5", "10.5", 4, "crc32", PageCipher::kNone, 0, true},
                      Instance{"Series11_8", "11.8", 64, "full_crc32", PageCipher::kNone, 3, true},
                      Instance{"EncryptedCbc", "10.11", 16, "full_crc32", PageCipher::kCbc, 2,
                               false},
                      Instance{"EncryptedCtr", "10.5", 8, "crc32", PageCipher::kCtr, 0, false}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace hbk::testing
