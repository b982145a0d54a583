// Increments that mariadb-backup made: prepared by it and by hbk, on copies of the same set, they
// give the same pages, and servers that have what the source had.

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/redo_backup_scenario.h"
#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kChainBroken = 19;

// All that is written goes to the files at once, or stays in the redo.
const std::vector<std::string> kWritesAtOnce = {"--innodb-max-dirty-pages-pct=0",
                                                "--innodb-max-dirty-pages-pct-lwm=0"};

struct Case {
  const char* name;
  const char* series;  // empty: the installed server
  std::vector<std::string> install_options;
  std::vector<std::string> server_options;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class ForeignIncrementTest : public ::testing::TestWithParam<Case> {
 protected:
  void Start(const Case& c) {
    auto tree = FindServerTree(c.series);
    if (!tree.ok()) GTEST_SKIP() << tree.status().message();
    tree_ = *tree;
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(scratch).value());
    install_options_ = c.install_options;
    auto server = Mariadbd::Start({.base_dir = scratch_->Sub("s"),
                                   .install_options = c.install_options,
                                   .extra = c.server_options,
                                   .tree = tree_});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    client_ = std::make_unique<SqlClient>(std::move(client).value());
    Run({"CREATE DATABASE d", "CREATE DATABASE gone", "USE d",
         "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v CHAR(200), KEY (v)) ENGINE=InnoDB",
         "INSERT INTO t (v) SELECT CONCAT('a', seq) FROM seq_1_to_5000",
         "CREATE TABLE zip (id INT PRIMARY KEY, v CHAR(200)) ENGINE=InnoDB ROW_FORMAT=COMPRESSED",
         "INSERT INTO zip SELECT seq, MD5(seq) FROM seq_1_to_3000",
         "CREATE TABLE pc (id INT PRIMARY KEY, v VARCHAR(200)) ENGINE=InnoDB PAGE_COMPRESSED=1",
         "INSERT INTO pc SELECT seq, REPEAT('x', 150) FROM seq_1_to_3000",
         "CREATE TABLE dropped (id INT) ENGINE=InnoDB",
         "CREATE TABLE renamed (id INT) ENGINE=InnoDB", "INSERT INTO renamed VALUES (1)",
         "CREATE TABLE cut (id INT) ENGINE=InnoDB", "INSERT INTO cut VALUES (1)",
         "CREATE TABLE m (id INT) ENGINE=MyISAM", "CREATE TABLE a (id INT, v TEXT) ENGINE=Aria",
         "INSERT INTO a VALUES (1, 'one')", "CREATE TABLE gone.g (id INT) ENGINE=InnoDB",
         "INSERT INTO gone.g VALUES (1)"});
  }

  void Run(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements)
      ASSERT_THAT(client_->Execute(statement), IsOk()) << statement;
  }

  void Backup(const std::string& name, const std::string& base = "",
              BackupTool tool = BackupTool::kMariadbBackup) {
    std::vector<std::string> extra;
    if (!base.empty()) extra.push_back("--incremental-basedir=" + scratch_->Sub(base));
    ASSERT_THAT(RunToSuccess(BackupCommand(tool, {.socket_path = server_->socket_path(),
                                                  .target_dir = scratch_->Sub(name),
                                                  .extra = extra,
                                                  .tree = tree_}),
                             scratch_->Sub(name + ".log"), std::chrono::minutes(3)),
                IsOk());
  }

  // The increments of a set are below it, as it is what is copied.
  std::vector<std::string> PrepareHbk(const std::string& set,
                                      const std::vector<std::string>& names) {
    std::vector<std::string> extra;
    for (const std::string& name : names)
      extra.push_back("--incremental-dir=" + scratch_->Sub(set + "/" + name));
    return PrepareCommand(BackupTool::kHbk, scratch_->Sub(set + "/full"), extra);
  }

  void CopySet(const std::string& to, const std::vector<std::string>& names) {
    std::filesystem::create_directory(scratch_->Sub(to));
    for (const std::string& name : names)
      ASSERT_THAT(CopyTree(scratch_->Sub(name), scratch_->Sub(to + "/" + name)), IsOk());
  }

  // A server on what the set was prepared to has the tables of the source.
  void ExpectRestored(const std::string& set, BackupTool tool) {
    const std::string data = scratch_->Sub(set + "-data");
    ASSERT_THAT(MakeDirectory(data), IsOk());
    ASSERT_THAT(RunToSuccess(CopyBackCommand(tool, scratch_->Sub(set + "/full"), data, {}, tree_),
                             scratch_->Sub(set + "-copy-back.log")),
                IsOk());
    auto server = Mariadbd::Start({.base_dir = scratch_->Sub(set + "-server"),
                                   .data_dir = data,
                                   .has_data = true,
                                   .install_options = install_options_,
                                   .tree = tree_});
    ASSERT_THAT(server, IsOk());
    auto client = (*server)->Connect();
    ASSERT_THAT(client, IsOk());
    EXPECT_THAT(CompareTables(*client_, *client), IsOk());
    ASSERT_THAT(WaitForPurge(*client, std::chrono::seconds(30)), IsOk());
    EXPECT_THAT(CheckAllTables(*client), IsOk());
    EXPECT_THAT((*server)->Stop(), IsOk());
  }

  // What prepare says that fails.
  std::string Refused(const std::string& set, const std::vector<std::string>& names,
                      int exit_code) {
    const std::string log = scratch_->Sub("refused.log");
    auto process = Process::Start(PrepareHbk(set, names), {.output_path = log});
    EXPECT_THAT(process, IsOk());
    const ProcessEnd end = (*process)->Wait(kUsualTimeLimit);
    EXPECT_EQ(end.exit_code, exit_code) << end.Describe();
    return ReadWholeFile(log).value();
  }

  ServerTree tree_;
  std::vector<std::string> install_options_;
  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  std::unique_ptr<SqlClient> client_;
};

// Writes rows until it goes out of scope, and counts those of table t. What else it does meets
// tables that are gone or locked.
class Writer {
 public:
  Writer(const Mariadbd& server, std::atomic<int>& written)
      : thread_([&server, &written](const std::stop_token& stop) {
          auto client = server.Connect();
          if (!client.ok()) return;
          for (int i = 0; !stop.stop_requested(); ++i) {
            const Status inserted =
                client->Execute("INSERT INTO d.t (v) VALUES ('written " + std::to_string(i) + "')");
            written += inserted.ok() ? 1 : 0;
            (void)client->Execute("UPDATE d.zip SET v = MD5(v) WHERE id = 1 + " +
                                  std::to_string(i % 3000));
            (void)client->Execute("UPDATE d.pc SET v = REPEAT('z', 140) WHERE id = 1 + " +
                                  std::to_string(i % 3000));
          }
        }) {}

 private:
  std::jthread thread_;
};

TEST_P(ForeignIncrementTest, EveryPageIsThatOfMariadbBackup) {
  Start(GetParam());
  if (IsSkipped() || HasFatalFailure()) return;
  std::atomic<int> written = 0;
  {
    const Writer writer(*server_, written);
    Backup("full");
    Run({"DROP TABLE dropped", "RENAME TABLE renamed TO renamed2", "TRUNCATE TABLE cut",
         "INSERT INTO cut VALUES (2)", "CREATE TABLE made (id INT PRIMARY KEY, v CHAR(200))",
         "INSERT INTO made SELECT seq, 'm' FROM seq_1_to_1000", "INSERT INTO m VALUES (2)",
         "UPDATE a SET v = 'two'", "UPDATE t SET v = CONCAT('b', id) WHERE id % 7 = 0",
         "CREATE DATABASE later"});
    Backup("inc1", "full");
    Run({"CREATE TABLE later.l (id INT PRIMARY KEY, v CHAR(100)) ROW_FORMAT=COMPRESSED",
         "INSERT INTO later.l SELECT seq, MD5(seq) FROM seq_1_to_500",
         "RENAME TABLE renamed2 TO later.renamed3", "DROP TABLE made",
         "ALTER TABLE zip ADD COLUMN more INT, ALGORITHM=COPY", "DELETE FROM t WHERE id % 3 = 0",
         "CREATE TABLE made (id INT PRIMARY KEY) PAGE_COMPRESSED=1",
         "INSERT INTO made SELECT seq FROM seq_1_to_3000"});
  }
  EXPECT_GT(written, 0);
  Backup("inc2", "inc1");
  CopySet("theirs", {"full", "inc1", "inc2"});
  CopySet("ours", {"full", "inc1", "inc2"});
  CopySet("steps", {"full", "inc1", "inc2"});

  for (const std::string step : {"", "inc1", "inc2"}) {
    std::vector<std::string> extra;
    if (!step.empty()) extra.push_back("--incremental-dir=" + scratch_->Sub("theirs/" + step));
    ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kMariadbBackup,
                                            scratch_->Sub("theirs/full"), extra, tree_),
                             scratch_->Sub("theirs" + step + ".log")),
                IsOk());
    ASSERT_THAT(RunToSuccess(PrepareHbk("steps", step.empty() ? std::vector<std::string>()
                                                              : std::vector<std::string>{step}),
                             scratch_->Sub("steps" + step + ".log")),
                IsOk());
  }
  ASSERT_THAT(RunToSuccess(PrepareHbk("ours", {"inc1", "inc2"}), scratch_->Sub("ours.log")),
              IsOk());
  for (const std::string set : {"ours", "steps"}) {
    const auto pages = ComparePages(scratch_->Sub("theirs/full"), scratch_->Sub(set + "/full"));
    ASSERT_THAT(pages, IsOk());
    std::printf("%s: %llu pages of %llu files compared, %llu differ, %llu more in freed pages\n",
                set.c_str(), static_cast<unsigned long long>(pages->page_count),
                static_cast<unsigned long long>(pages->file_count),
                static_cast<unsigned long long>(pages->difference_count),
                static_cast<unsigned long long>(pages->freed_page_count));
    EXPECT_GT(pages->page_count, 1000U);
    EXPECT_EQ(pages->difference_count, 0U) << ::testing::PrintToString(pages->differences);
  }
  ExpectRestored("ours", BackupTool::kHbk);
  ExpectRestored("theirs", BackupTool::kMariadbBackup);
  // Given twice, and an increment that mariadb-backup has used up.
  EXPECT_THAT(Refused("ours", {"inc1"}, kChainBroken), HasSubstr("already"));
  EXPECT_THAT(Refused("theirs", {"inc1"}, kChainBroken), HasSubstr("removes the deltas"));
}

INSTANTIATE_TEST_SUITE_P(
    Sets, ForeignIncrementTest,
    ::testing::Values(Case{"Written", "", {"--innodb-undo-tablespaces=3"}, kWritesAtOnce},
                      Case{"InTheRedo", "", {}, KeepChangesInMemory()},
                      Case{
                          "OldChecksums", "", {"--innodb-checksum-algorithm=crc32"}, kWritesAtOnce},
                      Case{"Series10_5", "10.5", {}, kWritesAtOnce},
                      Case{"Series11_8", "11.8", {}, kWritesAtOnce}),
    [](const auto& param) { return std::string(param.param.name); });

class ForeignChainTest : public ForeignIncrementTest {};

// Each of the two takes its increments to those of the other.
TEST_P(ForeignChainTest, MixedChainsAreRestored) {
  Start(GetParam());
  if (IsSkipped() || HasFatalFailure()) return;
  Backup("full", "", BackupTool::kHbk);
  // What mariadb-backup's own prepare of 10.11.19 fails at: a database that is dropped.
  Run({"CREATE TABLE made (id INT PRIMARY KEY)", "INSERT INTO made VALUES (1)",
       "DROP DATABASE gone", "UPDATE t SET v = 'c' WHERE id < 100",
       "RENAME TABLE renamed TO x, cut TO renamed, x TO cut"});
  Backup("inc1", "full", BackupTool::kMariadbBackup);
  Run({"INSERT INTO made SELECT seq + 1 FROM seq_1_to_1000", "DROP TABLE dropped",
       "INSERT INTO m VALUES (3)"});
  Backup("inc2", "inc1", BackupTool::kHbk);
  Run({"CREATE TABLE last (id INT)", "INSERT INTO last VALUES (1)", "TRUNCATE TABLE made"});
  Backup("inc3", "inc2", BackupTool::kMariadbBackup);
  CopySet("at-once", {"full", "inc1", "inc2", "inc3"});
  CopySet("steps", {"full", "inc1", "inc2", "inc3"});

  EXPECT_THAT(Refused("steps", {"inc2"}, kChainBroken), HasSubstr("inc2 begins at LSN"));
  ASSERT_THAT(
      RunToSuccess(PrepareHbk("at-once", {"inc1", "inc2", "inc3"}), scratch_->Sub("at-once.log")),
      IsOk());
  for (const std::string step : {"inc1", "inc2", "inc3"})
    ASSERT_THAT(RunToSuccess(PrepareHbk("steps", {step}), scratch_->Sub(step + "-step.log")),
                IsOk());

  EXPECT_FALSE(std::filesystem::exists(scratch_->Sub("at-once/full/gone")));
  ExpectRestored("at-once", BackupTool::kHbk);
  ExpectRestored("steps", BackupTool::kHbk);
  // The sum is a base again.
  Run({"INSERT INTO last VALUES (2)"});
  Backup("next", "at-once/full", BackupTool::kHbk);
  CopySet("more", {"next"});
  ASSERT_THAT(CopyTree(scratch_->Sub("at-once/full"), scratch_->Sub("more/full")), IsOk());
  ASSERT_THAT(RunToSuccess(PrepareHbk("more", {"next"}), scratch_->Sub("more.log")), IsOk());
  ExpectRestored("more", BackupTool::kHbk);
}

INSTANTIATE_TEST_SUITE_P(Sets, ForeignChainTest,
                         ::testing::Values(Case{"InTheRedo", "", {}, KeepChangesInMemory()}),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace hbk::testing
