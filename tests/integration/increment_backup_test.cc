// The backup side of increments against a real server: what they have in them, and what is refused.
// That a chain restores to what its source was is the business of the live tests.

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/delta/delta_file.h"
#include "hbk/manifest/backup_manifest.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using manifest::BackupManifest;
using manifest::FileContent;
using manifest::ManifestFile;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kChainBroken = 19;
constexpr int kDamaged = 20;

class IncrementBackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(scratch).value());
    auto server = Mariadbd::Start(
        {.base_dir = scratch_->Sub("s"),
         .extra = {"--innodb-max-dirty-pages-pct=0", "--innodb-max-dirty-pages-pct-lwm=0"}});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(server).value();
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    client_ = std::make_unique<SqlClient>(std::move(client).value());
    Run({"CREATE DATABASE d", "USE d",
         "CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200)) ENGINE=InnoDB STATS_PERSISTENT=0",
         "INSERT INTO t SELECT seq, REPEAT('b', 200) FROM seq_1_to_20000",
         "CREATE TABLE other (id INT) ENGINE=InnoDB STATS_PERSISTENT=0",
         "CREATE TABLE m (id INT) ENGINE=MyISAM", "INSERT INTO m VALUES (1)"});
    // A table whose making is in the redo of the base is copied whole by the first increment.
    Flush();
    PassCheckpoint();
  }

  void Run(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements)
      ASSERT_THAT(client_->Execute(statement), IsOk());
  }
  // Until everything is in the files.
  void Flush() {
    for (int i = 0; i < 600; ++i) {
      const auto dirty = client_->StatusNumber("Innodb_buffer_pool_pages_dirty");
      ASSERT_THAT(dirty, IsOk());
      if (dirty.value() == 0) return;
      std::this_thread::sleep_for(milliseconds(50));
    }
    FAIL() << "the server does not write its pages";
  }

  // Until the log does not have the making of tables any more.
  void PassCheckpoint() {
    const auto lsn = client_->StatusNumber("Innodb_lsn_current");
    ASSERT_THAT(lsn, IsOk());
    // An idle server's newest checkpoint is a record of its own behind what it had to do.
    for (int i = 0; i < 1800; ++i) {
      const auto checkpoint = client_->StatusNumber("Innodb_lsn_last_checkpoint");
      ASSERT_THAT(checkpoint, IsOk());
      if (checkpoint.value() + 1000 > lsn.value()) return;
      std::this_thread::sleep_for(milliseconds(50));
    }
    FAIL() << "the server makes no checkpoint";
  }

  std::vector<std::string> Command(const std::string& name, std::vector<std::string> extra) {
    return BackupCommand(BackupTool::kHbk, {.socket_path = server_->socket_path(),
                                            .target_dir = scratch_->Sub(name),
                                            .extra = std::move(extra)});
  }
  BackupManifest Backup(const std::string& name, std::vector<std::string> extra = {}) {
    EXPECT_THAT(RunToSuccess(Command(name, std::move(extra)), scratch_->Sub(name + ".log")),
                IsOk());
    return Manifest(name);
  }
  BackupManifest Increment(const std::string& name, const std::string& base,
                           std::vector<std::string> extra = {}) {
    extra.push_back("--incremental-basedir=" + scratch_->Sub(base));
    return Backup(name, std::move(extra));
  }
  BackupManifest Manifest(const std::string& name) {
    auto manifest = manifest::LoadManifest(fs_, scratch_->Sub(name));
    EXPECT_THAT(manifest, IsOk());
    return manifest.ok() ? std::move(manifest).value() : BackupManifest();
  }
  // What a backup that fails says.
  std::string Refused(std::vector<std::string> extra, int exit_code,
                      const std::string& name = "refused") {
    const std::string log = scratch_->Sub("refused.log");
    auto process = Process::Start(Command(name, std::move(extra)), {.output_path = log});
    EXPECT_THAT(process, IsOk());
    const ProcessEnd end = (*process)->Wait(kUsualTimeLimit);
    EXPECT_EQ(end.exit_code, exit_code) << end.Describe();
    std::filesystem::remove_all(scratch_->Sub("refused"));
    return ReadWholeFile(log).value();
  }

  static const ManifestFile& FileOf(const BackupManifest& manifest, const std::string& name) {
    for (const ManifestFile& file : manifest.files)
      if (file.name == name) return file;
    ADD_FAILURE() << name << " is not in the manifest";
    static const ManifestFile kNone;
    return kNone;
  }
  static bool Has(const BackupManifest& manifest, const std::string& name) {
    return std::any_of(manifest.files.begin(), manifest.files.end(),
                       [&name](const ManifestFile& file) { return file.name == name; });
  }
  uint64_t PagesIn(const std::string& increment, const std::string& name) {
    auto reader =
        delta::DeltaReader::Open(fs_, scratch_->Sub(increment) + "/" + name + ".hbk_delta");
    EXPECT_THAT(reader, IsOk());
    if (!reader.ok()) return 0;
    const auto index = (*reader)->ReadIndex({});
    EXPECT_THAT(index, IsOk());
    uint64_t pages = 0;
    for (const delta::DeltaRun& run : *index)
      pages += run.page_count;
    return pages;
  }

  io::FileSystem& fs_ = io::PosixFileSystem();
  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  std::unique_ptr<SqlClient> client_;
};

TEST_F(IncrementBackupTest, ThirtyChangedRowsAreFewPages) {
  const BackupManifest full = Backup("full");
  Run({"UPDATE t SET v = 'new' WHERE id % 667 = 1"});
  Flush();

  const BackupManifest increment =
      Increment("inc", "full", {"--extra-lsndir=" + scratch_->Sub("x")});

  EXPECT_EQ(increment.base->backup_uuid, full.backup_uuid);
  EXPECT_EQ(increment.base->last_lsn, full.last_lsn);
  EXPECT_GE(increment.start_checkpoint_lsn, full.last_lsn);
  EXPECT_EQ(FileOf(increment, "d/t.ibd").content, FileContent::kDelta);
  EXPECT_FALSE(FileOf(increment, "d/t.ibd").replaces_base);
  const uint64_t pages = PagesIn("inc", "d/t.ibd");
  EXPECT_GE(pages, 28U);  // two rows may share a page
  EXPECT_LE(pages, 31U);
  EXPECT_EQ(FileOf(increment, "d/other.ibd").content, FileContent::kBase);
  EXPECT_EQ(FileOf(increment, "d/m.MYD").content, FileContent::kBase);
  EXPECT_EQ(FileOf(increment, "d/m.MYD").digest, FileOf(full, "d/m.MYD").digest);
  EXPECT_LT(TreeBytes(scratch_->Sub("inc")), TreeBytes(scratch_->Sub("full")) / 5);
  EXPECT_EQ(ReadWholeFile(scratch_->Sub("x/hbk_manifest.json")).value(),
            ReadWholeFile(scratch_->Sub("inc/hbk_manifest.json")).value());
  EXPECT_THAT(
      ReadWholeFile(scratch_->Sub("x/xtrabackup_checkpoints")).value(),
      AllOf(HasSubstr("incremental"), HasSubstr("from_lsn = " + std::to_string(full.last_lsn))));

  // Its copy is as good a base.
  const BackupManifest next = Increment("next", "x");
  EXPECT_EQ(next.base->backup_uuid, increment.backup_uuid);
  EXPECT_EQ(FileOf(next, "d/t.ibd").content, FileContent::kBase);
}

// The pages are dirty still: what changed is in the redo behind the base, and nothing before.
TEST_F(IncrementBackupTest, RedoBeginsAtTheEndOfTheBase) {
  Run({"SET GLOBAL innodb_max_dirty_pages_pct=90", "SET GLOBAL innodb_max_dirty_pages_pct_lwm=0",
       "SET GLOBAL innodb_adaptive_flushing=0", "UPDATE t SET v = 'a'"});
  const BackupManifest full = Backup("full");
  Run({"UPDATE t SET v = 'c' WHERE id < 30"});

  const BackupManifest increment = Increment("inc", "full");

  EXPECT_GT(full.redo_bytes, 1'000'000U);
  EXPECT_EQ(increment.start_checkpoint_lsn, full.last_lsn);
  EXPECT_LT(increment.redo_bytes, 100'000U);
}

TEST_F(IncrementBackupTest, OfAnIdleServerThereIsHardlyAnything) {
  Flush();
  (void)Backup("full");
  const BackupManifest increment = Increment("inc", "full");

  for (const ManifestFile& file : increment.files) {
    EXPECT_NE(file.content, FileContent::kDelta) << file.name;
    if (file.kind == "definition" || file.kind == "tablespace" || file.kind == "myisam-table") {
      EXPECT_EQ(file.content, FileContent::kBase) << file.name;
    }
  }
}

TEST_F(IncrementBackupTest, AnImportedTableIsInItThoughItsPagesHaveNoLsn) {
  Run({"CREATE TABLE model LIKE t", "INSERT INTO model SELECT seq, MD5(seq) FROM seq_1_to_999"});
  (void)Backup("full");
  Run({"FLUSH TABLES d.model FOR EXPORT"});
  const std::string from = server_->data_dir() + "/d/model";
  const std::string to = server_->data_dir() + "/d/other";
  std::filesystem::copy_file(from + ".ibd", scratch_->Sub("m.ibd"));
  Run({"UNLOCK TABLES", "DROP TABLE other", "CREATE TABLE other LIKE model"});
  Flush();
  PassCheckpoint();
  const BackupManifest between = Increment("between", "full");
  ASSERT_TRUE(FileOf(between, "d/other.ibd").space);
  Run({"ALTER TABLE d.other DISCARD TABLESPACE"});
  std::filesystem::copy_file(scratch_->Sub("m.ibd"), to + ".ibd");
  Run({"ALTER TABLE d.other IMPORT TABLESPACE"});
  Flush();

  const BackupManifest increment = Increment("inc", "between");

  const ManifestFile& imported = FileOf(increment, "d/other.ibd");
  ASSERT_TRUE(imported.space);
  EXPECT_EQ(imported.space->space_id, FileOf(between, "d/other.ibd").space->space_id);
  EXPECT_EQ(imported.content, FileContent::kDelta);
  EXPECT_TRUE(imported.replaces_base);
  EXPECT_GT(PagesIn("inc", "d/other.ibd"), 6U);
}

TEST_F(IncrementBackupTest, TablesThatChangeTheirNamesOrThemselvesAreTold) {
  Run({"CREATE TABLE gone (id INT)", "CREATE TABLE cut (id INT)", "INSERT INTO cut VALUES (1)"});
  Flush();
  PassCheckpoint();
  const BackupManifest full = Backup("full");
  Run({"RENAME TABLE t TO renamed, m TO m2", "DROP TABLE gone", "TRUNCATE TABLE cut",
       "CREATE TABLE made (id INT)"});
  Flush();

  const BackupManifest increment = Increment("inc", "full");

  EXPECT_FALSE(Has(increment, "d/t.ibd") || Has(increment, "d/gone.ibd") ||
               Has(increment, "d/m.MYD"));
  const ManifestFile& renamed = FileOf(increment, "d/renamed.ibd");
  EXPECT_EQ(renamed.space, FileOf(full, "d/t.ibd").space);
  EXPECT_FALSE(renamed.replaces_base);
  EXPECT_EQ(FileOf(increment, "d/m2.MYD").content, FileContent::kWhole);
  ASSERT_TRUE(FileOf(increment, "d/cut.ibd").space && FileOf(full, "d/cut.ibd").space);
  EXPECT_TRUE(FileOf(increment, "d/cut.ibd").replaces_base);
  EXPECT_NE(FileOf(increment, "d/cut.ibd").space->space_id,
            FileOf(full, "d/cut.ibd").space->space_id);
  EXPECT_TRUE(FileOf(increment, "d/made.ibd").replaces_base);
}

// Full backup, increment: each begins right after a table was made, of which no page is written.
TEST_F(IncrementBackupTest, ATableWithoutAFirstPageNeedsTheRedoThatMakesIt) {
  Run({"SET GLOBAL innodb_max_dirty_pages_pct=90", "SET GLOBAL innodb_max_dirty_pages_pct_lwm=0",
       "CREATE TABLE fresh (id INT)", "INSERT INTO fresh VALUES (1)"});
  const BackupManifest full = Backup("full");
  if (FileOf(full, "d/fresh.ibd").space) GTEST_SKIP() << "the server has written its first page";

  const BackupManifest increment = Increment("inc", "full");

  EXPECT_LT(increment.start_checkpoint_lsn, full.last_lsn);
  EXPECT_NE(FileOf(increment, "d/fresh.ibd").content, FileContent::kBase);
}

TEST_F(IncrementBackupTest, WhatIsNoBaseOfThisServerIsRefused) {
  const BackupManifest full = Backup("full");
  const auto basedir = [this](const std::string& name) {
    return "--incremental-basedir=" + scratch_->Sub(name);
  };
  EXPECT_THAT(Refused({basedir("none")}, kChainBroken), HasSubstr("does not exist"));
  std::filesystem::create_directory(scratch_->Sub("empty"));
  EXPECT_THAT(Refused({basedir("empty")}, kChainBroken), HasSubstr("no backup"));
  ASSERT_THAT(io::WriteNewFile(fs_, scratch_->Sub("empty/hbk_incomplete"), "", 0600), IsOk());
  EXPECT_THAT(Refused({basedir("empty")}, kChainBroken), HasSubstr("incomplete"));
  EXPECT_THAT(Refused({basedir("full")}, 2, "full/inside"), HasSubstr("inside"));
  EXPECT_THAT(Refused({"--incremental-lsn=99999999999999"}, kChainBroken),
              AllOf(HasSubstr("99999999999999"), HasSubstr("take a full backup")));

  BackupManifest edited = full;
  edited.server.uid = "another";
  std::filesystem::create_directory(scratch_->Sub("other"));
  ASSERT_THAT(manifest::StoreManifest(fs_, scratch_->Sub("other"), edited), IsOk());
  EXPECT_THAT(Refused({basedir("other")}, kChainBroken), HasSubstr("another server"));
  ASSERT_THAT(io::WriteFileAtomically(fs_, scratch_->Sub("other/hbk_manifest.json"), "{}", 0600),
              IsOk());
  EXPECT_THAT(Refused({basedir("other")}, kDamaged), HasSubstr("hbk_manifest.json"));
}

TEST_F(IncrementBackupTest, AnLsnAtWhichNothingBeginsIsOfAnotherHistory) {
  Run({"SET GLOBAL innodb_max_dirty_pages_pct=90", "SET GLOBAL innodb_max_dirty_pages_pct_lwm=0",
       "UPDATE t SET v = 'a' WHERE id < 1000"});
  const uint64_t lsn = client_->StatusNumber("Innodb_lsn_current").value();
  EXPECT_THAT(Refused({"--incremental-lsn=" + std::to_string(lsn - 3)}, kChainBroken),
              HasSubstr("another history"));
}

// The files are the same, and in other inodes.
TEST_F(IncrementBackupTest, AServerWhoseFilesWereCopiedIsRefused) {
  BackupManifest base = Backup("full");
  ASSERT_THAT(server_->Stop(), IsOk());
  const std::string data = server_->data_dir();
  ASSERT_THAT(CopyTree(data, data + ".copy"), IsOk());
  std::filesystem::rename(data, data + ".old");
  std::filesystem::rename(data + ".copy", data);
  ASSERT_THAT(server_->Start(), IsOk());
  auto client = server_->Connect();
  ASSERT_THAT(client, IsOk());
  // The test starts it with another port, of which the id is made.
  base.server.uid = client->QueryValue("SELECT @@server_uid").value();
  std::filesystem::create_directory(scratch_->Sub("base"));
  ASSERT_THAT(manifest::StoreManifest(fs_, scratch_->Sub("base"), base), IsOk());

  EXPECT_THAT(Refused({"--incremental-basedir=" + scratch_->Sub("base")}, kChainBroken),
              AllOf(HasSubstr("ibdata1"), HasSubstr("restored or moved")));
}

TEST_F(IncrementBackupTest, AnIncrementIsNotRestored) {
  (void)Backup("full");
  (void)Increment("inc", "full");
  const std::string log = scratch_->Sub("copy-back.log");
  auto process = Process::Start(
      CopyBackCommand(BackupTool::kHbk, scratch_->Sub("inc"), scratch_->Sub("restored")),
      {.output_path = log});
  ASSERT_THAT(process, IsOk());
  EXPECT_NE((*process)->Wait(kUsualTimeLimit).exit_code, 0);
  EXPECT_THAT(ReadWholeFile(log).value(), HasSubstr("is an increment"));
}

TEST_F(IncrementBackupTest, PreparedElsewhereTheChainStaysAsItIs) {
  (void)Backup("full");
  Run({"UPDATE t SET v = 'first' WHERE id % 3 = 0", "INSERT INTO m VALUES (2)", "DROP TABLE other",
       "CREATE TABLE made AS SELECT * FROM t WHERE id < 1000"});
  Flush();
  (void)Increment("inc1", "full");
  Run({"DELETE FROM t WHERE id % 5 = 0", "RENAME TABLE made TO renamed", "INSERT INTO m VALUES (3)",
       "CREATE DATABASE d2", "CREATE TABLE d2.last AS SELECT * FROM d.t"});
  Flush();
  (void)Increment("inc2", "inc1");
  const auto sums = client_->QueryValue("SELECT CONCAT_WS(' ', COUNT(*), SUM(id)) FROM d2.last");
  ASSERT_THAT(sums, IsOk());
  for (const std::string dir : {"full", "inc1", "inc2"})
    ASSERT_THAT(CopyTree(scratch_->Sub(dir), scratch_->Sub(dir + ".was")), IsOk());
  ASSERT_THAT(CopyTree(scratch_->Sub("full"), scratch_->Sub("in-place")), IsOk());
  std::vector<std::string> options = {"--incremental-dir=" + scratch_->Sub("inc1"),
                                      "--incremental-dir=" + scratch_->Sub("inc2")};
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("in-place"), options),
                           scratch_->Sub("in-place.log")),
              IsOk());

  options.push_back("--output-dir=" + scratch_->Sub("new"));
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("full"), options),
                           scratch_->Sub("elsewhere.log")),
              IsOk());

  for (const std::string dir : {"full", "inc1", "inc2"}) {
    EXPECT_THAT(CompareFiles(scratch_->Sub(dir + ".was"), scratch_->Sub(dir), {}),
                IsOkAndHolds(IsEmpty()));
  }
  EXPECT_THAT(CompareFiles(scratch_->Sub("in-place"), scratch_->Sub("new"), {"hbk_manifest.json"}),
              IsOkAndHolds(IsEmpty()));
  BackupManifest made = Manifest("new");
  made.prepared_time = Manifest("in-place").prepared_time;
  EXPECT_EQ(manifest::RenderManifest(made), manifest::RenderManifest(Manifest("in-place")));

  ASSERT_THAT(
      RunToSuccess(CopyBackCommand(BackupTool::kHbk, scratch_->Sub("new"), scratch_->Sub("r/data")),
                   scratch_->Sub("copy-back.log")),
      IsOk());
  const auto restored = Mariadbd::Start({.base_dir = scratch_->Sub("r"), .has_data = true});
  ASSERT_THAT(restored, IsOk());
  auto client = (*restored)->Connect();
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(CheckAllTables(*client), IsOk());
  EXPECT_THAT(CompareTables(*client_, *client), IsOk());
  EXPECT_EQ(client->QueryValue("SELECT CONCAT_WS(' ', COUNT(*), SUM(id)) FROM d2.last").value(),
            sums.value());
}

class FileTimesTest : public IncrementBackupTest {
 protected:
  void SetUp() override {
    IncrementBackupTest::SetUp();
    const auto keeps_times = fs_.KeepsFileTimes(scratch_->path());
    ASSERT_THAT(keeps_times, IsOk());
    if (!keeps_times.value()) GTEST_SKIP() << "the file system is none whose times are trusted";
    for (int i = 0; i < kTables; ++i)
      Run({"CREATE TABLE many" + std::to_string(i) + " (id INT) ENGINE=InnoDB STATS_PERSISTENT=0"});
    Flush();
    PassCheckpoint();
    std::this_thread::sleep_for(milliseconds(2500));  // they come to rest
  }
  static constexpr int kTables = 150;
};

TEST_F(FileTimesTest, FilesThatAreAsTheyWereAreNotRead) {
  (void)Backup("full");
  Run({"INSERT INTO many7 VALUES (1)"});
  Flush();

  const BackupManifest increment = Increment("inc", "full", {"--trust-file-times"});

  int skipped = 0;
  for (const ManifestFile& file : increment.files)
    skipped += file.source && file.source->skip_count == 1 && file.kind == "tablespace" ? 1 : 0;
  EXPECT_GE(skipped, kTables * 9 / 10);  // of the others some are in the sample
  EXPECT_LE(skipped, kTables + 10);
  EXPECT_EQ(FileOf(increment, "d/many7.ibd").content, FileContent::kDelta);
  const BackupManifest next = Increment("next", "inc", {"--trust-file-times"});
  EXPECT_EQ(FileOf(next, "d/t.ibd").content, FileContent::kBase);
}

// As if the times of the files had not shown that they were written since the base. Their first
// pages were not.
TEST_F(FileTimesTest, ASampleThatWasWrittenFailsTheIncrement) {
  const uint64_t lsn = client_->StatusNumber("Innodb_lsn_current").value();
  for (int i = 0; i < kTables; ++i)
    Run({"INSERT INTO many" + std::to_string(i) + " VALUES (1)"});
  Flush();
  std::this_thread::sleep_for(milliseconds(2500));
  BackupManifest base = Backup("full");
  base.last_lsn = base.to_lsn = base.start_checkpoint_lsn = lsn;
  std::filesystem::create_directory(scratch_->Sub("older"));
  ASSERT_THAT(manifest::StoreManifest(fs_, scratch_->Sub("older"), base), IsOk());

  // One of 50 is in the sample, chosen anew for each backup: once in 20 times it is none of 150.
  // The redo then has named all pages, and the increment is right.
  std::string said;
  for (int i = 0; i < 5 && said.find("cannot be trusted") == std::string::npos; ++i) {
    const std::string name = "try" + std::to_string(i);
    const auto end = RunProcess(
        Command(name, {"--trust-file-times", "--incremental-basedir=" + scratch_->Sub("older")}),
        {.output_path = scratch_->Sub(name + ".log")});
    ASSERT_THAT(end, IsOk());
    said = end->output;
    EXPECT_TRUE(end->exit_code == 0 || end->exit_code == kDamaged) << end->Describe();
    EXPECT_EQ(end->exit_code == kDamaged, said.find("cannot be trusted") != std::string::npos)
        << end->Describe();
  }
  EXPECT_THAT(said, HasSubstr("cannot be trusted"));
}

// Only what the redo log names is read; of files whose times are believed, only if it names any.
class NamedPagesChainTest : public FileTimesTest,
                            public ::testing::WithParamInterface<std::vector<std::string>> {};

INSTANTIATE_TEST_SUITE_P(Readings, NamedPagesChainTest,
                         ::testing::Values(std::vector<std::string>(),
                                           std::vector<std::string>{"--trust-file-times"}));

// Tables are changed in every way that there is, with and without redo, in two rounds; the second
// one stays in memory in part.
TEST_P(NamedPagesChainTest, ATableThatWasChangedInWhateverWayIsInTheChain) {
  Run({"CREATE TABLE model (id INT PRIMARY KEY, v VARCHAR(100), KEY (v)) ENGINE=InnoDB",
       "INSERT INTO model SELECT seq, MD5(seq) FROM seq_1_to_2000",
       "CREATE TABLE text (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB",
       "INSERT INTO text SELECT seq, CONCAT('word', seq, ' and ', MD5(seq)) FROM seq_1_to_500",
       "CREATE TABLE zip (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB ROW_FORMAT=COMPRESSED",
       "INSERT INTO zip SELECT seq, REPEAT(MD5(seq), 9) FROM seq_1_to_3000",
       "CREATE TABLE hole (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB PAGE_COMPRESSED=1",
       "INSERT INTO hole SELECT seq, REPEAT(MD5(seq), 9) FROM seq_1_to_3000",
       "CREATE TABLE part (id INT PRIMARY KEY, v INT) ENGINE=InnoDB PARTITION BY HASH (id) "
       "PARTITIONS 4",
       "INSERT INTO part SELECT seq, seq FROM seq_1_to_4000",
       "SET GLOBAL innodb_undo_log_truncate = ON", "SET GLOBAL innodb_max_undo_log_size = 10485760",
       "FLUSH TABLES model FOR EXPORT"});
  for (const char* extension : {".ibd", ".cfg"}) {
    std::filesystem::copy_file(server_->data_dir() + "/d/model" + extension,
                               scratch_->Sub("exported") + extension);
  }
  Run({"UNLOCK TABLES"});
  Flush();
  PassCheckpoint();
  std::this_thread::sleep_for(milliseconds(2500));
  (void)Backup("full");

  for (const int round : {1, 2}) {
    const auto many = [round](int number) {
      return "many" + std::to_string(20 * round + number);
    };
    for (int i = 100; i < 140; ++i)
      Run({"INSERT INTO many" + std::to_string(i) + " SELECT seq FROM seq_1_to_" +
           std::to_string(i * round)});
    Run({"UPDATE t SET v = MD5(id + " + std::to_string(round) + ") WHERE id % 7 = 0",
         "DELETE FROM t WHERE id % 11 = " + std::to_string(round),
         "UPDATE zip SET v = REVERSE(v) WHERE id % 13 = 0",
         "DELETE FROM zip WHERE id % 17 = 0",
         "UPDATE hole SET v = REVERSE(v) WHERE id % 13 = 0",
         "UPDATE part SET v = v + 1 WHERE id % 100 = 0",
         "ALTER TABLE t ADD KEY v" + std::to_string(round) + " (v), ALGORITHM=INPLACE",
         round == 1 ? "ALTER TABLE text ADD FULLTEXT KEY (v)" : "UPDATE text SET v = 'word again'",
         "TRUNCATE TABLE " + many(1),
         "INSERT INTO " + many(1) + " VALUES (4711)",
         "RENAME TABLE " + many(2) + " TO renamed" + std::to_string(round),
         "INSERT INTO renamed" + std::to_string(round) + " VALUES (7)",
         "ALTER TABLE " + many(3) + " ADD COLUMN c INT DEFAULT 5, ALGORITHM=INSTANT",
         "INSERT INTO " + many(3) + " (id) VALUES (8)",
         "ALTER TABLE " + many(4) + " ADD COLUMN c INT DEFAULT 5, ALGORITHM=COPY",
         "DROP TABLE " + many(5),
         "OPTIMIZE TABLE " + many(6),
         "ALTER TABLE " + many(7) + " FORCE",
         "INSERT INTO " + many(8) + " SELECT seq FROM seq_1_to_3000",
         "ALTER TABLE " + many(8) + " PAGE_COMPRESSED=1",
         "INSERT INTO " + many(8) + " SELECT seq FROM seq_1_to_30",
         "DROP TABLE " + many(9),
         "CREATE TABLE " + many(9) + " LIKE model",
         "CREATE TABLE new" + std::to_string(round) + " AS SELECT * FROM model",
         "ALTER TABLE part TRUNCATE PARTITION p" + std::to_string(round)});
    // Redo of undo logs enough for their truncation.
    for (int i = 0; i < 4; ++i)
      Run({"UPDATE t SET v = REVERSE(v)"});
    Run({"CREATE TABLE imported" + std::to_string(round) + " LIKE model",
         "ALTER TABLE imported" + std::to_string(round) + " DISCARD TABLESPACE"});
    for (const std::string& table : {std::string("model"), "imported" + std::to_string(round)}) {
      if (table == "model") Run({"ALTER TABLE model DISCARD TABLESPACE"});
      for (const char* extension : {".ibd", ".cfg"}) {
        std::filesystem::copy_file(scratch_->Sub("exported") + extension,
                                   server_->data_dir() + "/d/" + table + extension,
                                   std::filesystem::copy_options::overwrite_existing);
      }
      Run({"ALTER TABLE " + table + " IMPORT TABLESPACE",
           "UPDATE " + table + " SET v = 'after' WHERE id % 50 = " + std::to_string(round)});
    }
    Flush();
    PassCheckpoint();
    if (round == 2)
      Run({"SET GLOBAL innodb_max_dirty_pages_pct_lwm=0",
           "SET GLOBAL innodb_max_dirty_pages_pct=90", "UPDATE t SET v = MD5(id) WHERE id % 5 = 0",
           "INSERT INTO many101 VALUES (99)"});

    const std::string name = "inc" + std::to_string(round);
    const BackupManifest increment = Increment(name, round == 1 ? "full" : "inc1", GetParam());

    int read_in_part = 0;
    for (const ManifestFile& file : increment.files) {
      read_in_part += file.kind == "tablespace" && file.content == FileContent::kDelta &&
                              !file.replaces_base && file.source->skip_count != 0
                          ? 1
                          : 0;
    }
    EXPECT_GE(read_in_part, 30) << name;
  }
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("full"),
                                          {"--incremental-dir=" + scratch_->Sub("inc1"),
                                           "--incremental-dir=" + scratch_->Sub("inc2")}),
                           scratch_->Sub("prepare.log")),
              IsOk());
  ASSERT_THAT(RunToSuccess(
                  CopyBackCommand(BackupTool::kHbk, scratch_->Sub("full"), scratch_->Sub("r/data")),
                  scratch_->Sub("copy-back.log")),
              IsOk());
  const auto restored = Mariadbd::Start({.base_dir = scratch_->Sub("r"), .has_data = true});
  ASSERT_THAT(restored, IsOk());
  auto client = (*restored)->Connect();
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(CheckAllTables(*client), IsOk());
  EXPECT_THAT(CompareTables(*client_, *client), IsOk());
}

}  // namespace
}  // namespace hbk::testing
