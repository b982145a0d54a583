// A chain that was merged has the pages of a full backup that was taken at the same position and
// prepared.

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/integration/redo_backup_scenario.h"
#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/workload.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

constexpr milliseconds kLoadTime{2'500};  // before each backup
constexpr milliseconds kWriteTime{500};
constexpr milliseconds kRest{3'000};
constexpr auto kRestLimit = std::chrono::seconds(60);

class ChainEqualityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(scratch).value());
    // Changed pages stay in memory, but for those that the test has it write: the backups have
    // deltas and much redo.
    MariadbdOptions options{.base_dir = scratch_->Sub("source"), .extra = KeepChangesInMemory()};
    options.extra.insert(options.extra.end(), {"--log-bin=binlog", "--binlog-format=ROW"});
    auto server = Mariadbd::Start(options);
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
  }

  Status BackUp(const std::string& name, const std::string& base = "") {
    std::vector<std::string> extra;
    if (!base.empty()) extra.push_back("--incremental-basedir=" + scratch_->Sub(base));
    if (!base.empty() && trusts_file_times_) extra.emplace_back("--trust-file-times");
    return RunToSuccess(BackupCommand(BackupTool::kHbk, {.socket_path = server_->socket_path(),
                                                         .target_dir = scratch_->Sub(name),
                                                         .parallel = 2,
                                                         .extra = std::move(extra)}),
                        scratch_->Sub(name + ".log"))
        .status();
  }

  Status Prepare(const std::string& name, const std::vector<std::string>& extra = {}) {
    return RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub(name), extra),
                        scratch_->Sub(name + "-prepare.log"))
        .status();
  }

  static Status WriteSomePages(SqlClient& client) {
    HBK_RETURN_IF_ERROR(client.Execute("SET GLOBAL innodb_max_dirty_pages_pct = 1"));
    std::this_thread::sleep_for(kWriteTime);
    return client.Execute("SET GLOBAL innodb_max_dirty_pages_pct = 99");
  }

  // Until nothing is written to the log any more; the LSN.
  static Result<uint64_t> WaitForRest(SqlClient& client) {
    HBK_RETURN_IF_ERROR(WaitForPurge(client, kRestLimit));
    const auto deadline = std::chrono::steady_clock::now() + kRestLimit;
    while (std::chrono::steady_clock::now() < deadline) {
      HBK_ASSIGN_OR_RETURN(const uint64_t before, client.StatusNumber("Innodb_lsn_current"));
      std::this_thread::sleep_for(kRest);
      HBK_ASSIGN_OR_RETURN(const uint64_t after, client.StatusNumber("Innodb_lsn_current"));
      if (before == after) return after;
    }
    return FailedError("the server does not come to rest");
  }

  void CompareChainWithFullBackup();

  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  bool trusts_file_times_ = false;
};

void ChainEqualityTest::CompareChainWithFullBackup() {
  const uint64_t seed = SeedFromEnvironment();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << seed);
  auto client = server_->Connect();
  ASSERT_THAT(client, IsOk());
  Workload load(server_->socket_path(), {.seed = seed, .bulk_mib = 16, .has_ddl = true});
  ASSERT_THAT(load.CreateTables(), IsOk());
  load.Start();
  const std::vector<std::string> names = {"base", "i1", "i2"};
  for (size_t i = 0; i < names.size(); ++i) {
    std::this_thread::sleep_for(kLoadTime);
    if (i > 0) {
      ASSERT_THAT(WriteSomePages(client.value()), IsOk());
    }
    ASSERT_THAT(BackUp(names[i], i > 0 ? names[i - 1] : ""), IsOk());
  }
  std::this_thread::sleep_for(kLoadTime);
  ASSERT_THAT(load.Stop(), IsOk());
  const auto lsn = WaitForRest(client.value());
  ASSERT_THAT(lsn, IsOk());
  ASSERT_THAT(BackUp("i3", "i2"), IsOk());
  ASSERT_THAT(BackUp("full"), IsOk());
  ASSERT_THAT(client->StatusNumber("Innodb_lsn_current"), IsOkAndHolds(*lsn));

  std::vector<std::string> increments;
  for (const char* name : {"i1", "i2", "i3"})
    increments.push_back("--incremental-dir=" + scratch_->Sub(name));
  ASSERT_THAT(Prepare("base", increments), IsOk());
  ASSERT_THAT(Prepare("full"), IsOk());

  const auto pages = ComparePages(scratch_->Sub("full"), scratch_->Sub("base"));
  ASSERT_THAT(pages, IsOk());
  std::printf(
      "seed %llu: %llu pages of %llu files compared, %llu differ, %llu more in freed pages\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(pages->page_count),
      static_cast<unsigned long long>(pages->file_count),
      static_cast<unsigned long long>(pages->difference_count),
      static_cast<unsigned long long>(pages->freed_page_count));
  EXPECT_GT(pages->page_count, 1000U);
  EXPECT_EQ(pages->difference_count, 0U) << ::testing::PrintToString(pages->differences);
}

TEST_F(ChainEqualityTest, EveryPageIsThatOfAFullBackupAtTheSamePosition) {
  CompareChainWithFullBackup();
}

// Of files that were written to only what the redo log names is read.
TEST_F(ChainEqualityTest, SoItIsWithTrustInFileTimes) {
  trusts_file_times_ = true;
  CompareChainWithFullBackup();
}

}  // namespace
}  // namespace hbk::testing
