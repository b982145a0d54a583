// A backup of a node of a Galera cluster while all nodes write: the node is a full member
// afterwards, and a node that is restored from it is brought up to date from the position that was
// recorded, without a state snapshot transfer. The cluster's first copy is made from a backup, too.

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kProvider = "/usr/lib/galera/libgalera_smm.so";
constexpr milliseconds kStateLimit{120'000};
constexpr milliseconds kPoll{50};
constexpr milliseconds kPauseOfWriter{4};

// Servers call a script for a snapshot even when it turns out that none is needed. This one knows
// only that case; where a snapshot is really wanted it fails, and so does the node.
constexpr const char* kTransferScript = R"(#!/bin/bash
state=$(dirname "$0")/state
while [[ $# -gt 0 ]]; do
  case $1 in
    --role) role=$2 ;;
    --address) address=$2 ;;
    --gtid) gtid=$2 ;;
    --bypass) bypass=yes ;;
  esac
  shift
done
if [[ $role == donor ]]; then
  echo "donor bypass=$bypass" >>"$(dirname "$0")/log"
  [[ -n $bypass ]] || exit 1
  echo "$gtid" >"$state.new"
  mv "$state.new" "$state"
  echo "done $gtid"
  exit 0
fi
rm -f "$state"
echo "ready $address"
for ((i = 0; i < 600; i++)); do
  [[ -s $state ]] && cat "$state" && exit 0
  sleep 0.1
done
exit 1
)";

bool Await(const std::function<bool()>& is_met, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!is_met()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

// Small transactions at one node until told to stop. Nodes write the same rows: some transactions
// lose, as deadlocks.
class Writer {
 public:
  Writer(const Mariadbd& server, int seed)
      : thread_([this, socket = server.socket_path(), seed] { Run(socket, seed); }) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { Stop(); }

  void Stop() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] const Status& status() const { return status_; }  // after Stop
  [[nodiscard]] int commit_count() const { return commit_count_; }

 private:
  void Run(const std::string& socket, int seed) {
    auto client = SqlClient::Connect(socket);
    status_ = client.status();
    for (int i = 0; status_.ok() && !is_stopping_; ++i) {
      const int row = (i * 7 + seed) % 50;
      for (const std::string& statement :
           {std::string("BEGIN"),
            fmt::format("INSERT INTO d.t (node, v) VALUES ({}, REPEAT('x', {}))", seed,
                        100 + row * 20),
            fmt::format("UPDATE d.counters SET n = n + 1 WHERE id = {}", row),
            std::string("COMMIT")}) {
        status_ = client->Execute(statement);
        if (status_.ok()) continue;
        const bool has_lost = client->last_error() == 1213 || client->last_error() == 1205;
        if (has_lost) status_ = client->Execute("ROLLBACK");
        break;
      }
      ++commit_count_;
      std::this_thread::sleep_for(kPauseOfWriter);
    }
  }

  Status status_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<int> commit_count_ = 0;
  std::thread thread_;
};

class GaleraBackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kProvider)) GTEST_SKIP() << kProvider << " is not installed";
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
    ASSERT_THAT(MakeDirectory(scratch_->Sub("bin")), IsOk());
    const std::string script = scratch_->Sub("bin/wsrep_sst_hbk_none");
    std::ofstream(script) << kTransferScript;
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): no thread yet
    const std::string with_script = fmt::format("{}:{}", scratch_->Sub("bin"), path ? path : "");
    setenv("PATH", with_script.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    for (int& port : ports_) {
      const auto found = FreePort();
      ASSERT_THAT(found, IsOk());
      port = *found;
    }
  }
  void TearDown() override {
    if (scratch_ && HasFailure()) scratch_->Keep();
  }

  // Node 1 makes the cluster and outweighs node 2, which can thus be killed.
  std::unique_ptr<Mariadbd> StartNode(int node) {
    const int group_port = ports_.at(static_cast<size_t>(node - 1));
    const int transfer_port = ports_.at(static_cast<size_t>(node + 1));
    const std::string provider_options = fmt::format(
        "gmcast.listen_addr=tcp://127.0.0.1:{};ist.recv_addr=127.0.0.1:{};gcache.size=128M;"
        "pc.recovery=false;pc.weight={}",
        group_port, transfer_port, 3 - node);
    MariadbdOptions options{.base_dir = scratch_->Sub(fmt::format("node{}", node)),
                            .has_data = node == 2,
                            .server_id = node};
    options.extra = {"--wsrep-on=ON",
                     fmt::format("--wsrep-provider={}", kProvider),
                     "--wsrep-cluster-name=hbk_test",
                     fmt::format("--wsrep-node-name=node{}", node),
                     "--wsrep-node-address=127.0.0.1",
                     "--wsrep-sst-method=hbk_none",
                     "--wsrep-provider-options=" + provider_options,
                     "--binlog-format=ROW",
                     "--innodb-autoinc-lock-mode=2",
                     "--innodb-flush-log-at-trx-commit=2"};
    if (node == 1) {
      options.extra.insert(options.extra.end(),
                           {"--wsrep-cluster-address=gcomm://", "--wsrep-new-cluster"});
    } else {
      options.extra.push_back(
          fmt::format("--wsrep-cluster-address=gcomm://127.0.0.1:{}", ports_[0]));
    }
    auto server = Mariadbd::Start(options);
    EXPECT_THAT(server, IsOk());
    return server.ok() ? std::move(server).value() : nullptr;
  }

  static std::string StatusOf(const Mariadbd& server, const std::string& variable) {
    auto client = server.Connect();
    if (!client.ok()) return client.status().message();
    const auto rows = client->Query("SHOW GLOBAL STATUS LIKE '" + variable + "'");
    return rows.ok() ? rows->Get(0, "Value") : rows.status().message();
  }
  static bool BecomesMember(const Mariadbd& server, const std::string& size) {
    return Await(
        [&] {
          return StatusOf(server, "wsrep_local_state_comment") == "Synced" &&
                 StatusOf(server, "wsrep_cluster_size") == size;
        },
        kStateLimit);
  }

  void BackUp(const Mariadbd& server, int throttle) {
    ASSERT_THAT(RemoveTree(scratch_->Sub("backup")), IsOk());
    const auto end =
        RunToSuccess(BackupCommand(BackupTool::kHbk, {.socket_path = server.socket_path(),
                                                      .target_dir = scratch_->Sub("backup"),
                                                      .throttle = throttle,
                                                      .extra = {"--galera-info"}}),
                     scratch_->Sub("backup.log"));
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(end->exit_code, 0) << end->output;
    EXPECT_THAT(end->output, HasSubstr("node of a Galera cluster"));
    std::printf("%s\n", Tail(end->output, 6).c_str());
    ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("backup")),
                             scratch_->Sub("prepare.log")),
                IsOk());
  }

  void Restore(const std::string& data_dir) {
    ASSERT_THAT(RemoveTree(data_dir), IsOk());
    ASSERT_THAT(MakeDirectory(data_dir), IsOk());
    ASSERT_THAT(RunToSuccess(CopyBackCommand(BackupTool::kHbk, scratch_->Sub("backup"), data_dir),
                             scratch_->Sub("copy-back.log")),
                IsOk());
  }

  // The command of docs/replication.md.
  void WriteState(const std::string& data_dir) {
    const auto end = RunProcess(
        {"sed", "-E",
         R"(s/^([^:]+):([0-9]+) .*/# GALERA saved state\nversion: 2.1\nuuid:    \1\nseqno:   \2\nsafe_to_bootstrap: 0/)",
         data_dir + "/xtrabackup_galera_info"},
        {.output_path = data_dir + "/grastate.dat"});
    ASSERT_THAT(end, IsOk());
    ASSERT_TRUE(end->succeeded()) << end->output;
    EXPECT_THAT(end->output, HasSubstr("\nseqno:   "));
  }

  // "UUID:SEQNO" that InnoDB has in the restored files, by the server's own word.
  std::string PositionInData(const std::string& data_dir) {
    std::vector<std::string> argv = {"mariadbd",
                                     "--no-defaults",
                                     "--datadir=" + data_dir,
                                     "--socket=" + scratch_->Sub("recover.sock"),
                                     "--skip-networking",
                                     "--wsrep-recover",
                                     "--wsrep-on=ON",
                                     fmt::format("--wsrep-provider={}", kProvider),
                                     "--wsrep-sst-method=hbk_none",
                                     "--wsrep-cluster-address=gcomm://",
                                     "--binlog-format=ROW",
                                     "--innodb-buffer-pool-size=32M"};
    if (geteuid() == 0) argv.emplace_back("--user=root");
    const auto end = RunProcess(argv, {.output_path = scratch_->Sub("recover.log")});
    if (!end.ok()) return end.status().message();
    const std::string mark = "Recovered position: ";
    const size_t at = end->output.find(mark);
    if (at == std::string::npos) return end->output;
    const size_t begin = at + mark.size();
    return end->output.substr(begin, end->output.find_first_of(" \n,", begin) - begin);
  }

  std::optional<ScratchDir> scratch_;
  std::array<int, 4> ports_{};  // of the group, of transfers; of node 1, 2
};

TEST_F(GaleraBackupTest, NodeStaysAMemberAndComesBackFromItsBackup) {
  const auto one = StartNode(1);
  ASSERT_TRUE(one);
  ASSERT_TRUE(BecomesMember(*one, "1"));
  auto client = one->Connect().value();
  for (const char* statement :
       {"CREATE DATABASE d",
        "CREATE TABLE d.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, node INT NOT NULL, v TEXT, KEY "
        "(node)) ENGINE=InnoDB",
        "CREATE TABLE d.counters (id INT PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB", "USE d",
        "INSERT INTO d.counters SELECT seq, 0 FROM seq_0_to_49",
        "INSERT INTO d.t (node, v) SELECT 0, REPEAT(MD5(seq), 60) FROM seq_1_to_10000"}) {
    ASSERT_THAT(client.Execute(statement), IsOk());
  }

  Writer first_writer(*one, 1);
  BackUp(*one, 0);
  if (HasFatalFailure()) return;
  Restore(scratch_->Sub("node2/data"));
  WriteState(scratch_->Sub("node2/data"));
  if (HasFatalFailure()) return;
  auto two = StartNode(2);
  ASSERT_TRUE(two);
  ASSERT_TRUE(BecomesMember(*two, "2")) << Tail(two->ErrorLog(), 40);

  std::optional<Writer> second_writer;
  second_writer.emplace(*two, 2);
  const int commits_before = second_writer->commit_count();
  BackUp(*two, 8);
  if (HasFatalFailure()) return;
  EXPECT_GT(second_writer->commit_count(), commits_before);
  EXPECT_TRUE(BecomesMember(*two, "2"));
  EXPECT_EQ(StatusOf(*two, "wsrep_desync_count"), "0");
  EXPECT_EQ(StatusOf(*two, "wsrep_cluster_status"), "Primary");
  EXPECT_EQ(StatusOf(*one, "wsrep_cluster_size"), "2");

  second_writer->Stop();
  EXPECT_THAT(second_writer->status(), IsOk());
  two->Kill9();
  Restore(scratch_->Sub("looked-at"));
  if (HasFatalFailure()) return;
  const auto info = ReadWholeFile(scratch_->Sub("looked-at/donor_galera_info"));
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(PositionInData(scratch_->Sub("looked-at")), info->substr(0, info->find(' ')));

  Restore(scratch_->Sub("node2/data"));
  WriteState(scratch_->Sub("node2/data"));
  if (HasFatalFailure()) return;
  two = StartNode(2);
  ASSERT_TRUE(two);
  ASSERT_TRUE(BecomesMember(*two, "2")) << Tail(two->ErrorLog(), 40);
  second_writer.emplace(*two, 3);
  std::this_thread::sleep_for(milliseconds(500));
  second_writer->Stop();
  first_writer.Stop();
  EXPECT_THAT(first_writer.status(), IsOk());
  EXPECT_THAT(second_writer->status(), IsOk());
  EXPECT_TRUE(Await(
      [&] {
        return StatusOf(*one, "wsrep_last_committed") == StatusOf(*two, "wsrep_last_committed");
      },
      kStateLimit));

  auto other = two->Connect().value();
  EXPECT_THAT(CompareTables(client, other), IsOk());
  EXPECT_THAT(two->ErrorLog(), HasSubstr("IST received: " + info->substr(0, info->find(':'))));
  const auto transfers = ReadWholeFile(scratch_->Sub("bin/log"));
  ASSERT_THAT(transfers, IsOk());
  EXPECT_EQ(*transfers, "donor bypass=yes\ndonor bypass=yes\n");
}

TEST_F(GaleraBackupTest, NodeThatIsNoMemberIsRefused) {
  const auto one = StartNode(1);
  ASSERT_TRUE(one);
  ASSERT_TRUE(BecomesMember(*one, "1"));
  auto client = one->Connect().value();
  ASSERT_THAT(client.Execute("SET GLOBAL wsrep_cluster_address=''"), IsOk());
  const auto end =
      RunProcess(BackupCommand(BackupTool::kHbk, {.socket_path = one->socket_path(),
                                                  .target_dir = scratch_->Sub("backup"),
                                                  .extra = {"--galera-info"}}),
                 {.output_path = scratch_->Sub("backup.log")});
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 1) << end->output;
  EXPECT_THAT(end->output, HasSubstr("no member of its cluster"));
}

}  // namespace
}  // namespace hbk::testing
