#include "table_files.h"

#include <memory>
#include <string>
#include <utility>

#include "hbk/filter/tree_digest.h"

#include "increment_base.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::SilentReporter;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

std::string CsvState(uint8_t rows, bool is_dirty) {
  std::string state(35, '\0');
  state[0] = '\xFE';
  state[1] = 1;
  state[2] = static_cast<char>(rows);
  state[34] = is_dirty ? 1 : 0;
  return state;
}

class TableFilesTest : public ::testing::Test {
 protected:
  TableFilesTest() {
    fs_.PutDirectory("/target");
    fs_.PutFile("/data/ibdata1", "x");
    datadir::LayoutOptions options;
    options.datadir = "/data";
    auto layout = datadir::MakeLayout(options);
    EXPECT_THAT(layout, IsOk());
    layout_ = std::move(layout).value();
  }

  datadir::Scan Scan() {
    auto scan = datadir::ScanDatadir(fs_, layout_, {});
    EXPECT_THAT(scan, IsOk());
    return std::move(scan).value();
  }

  datadir::Scan ScanAfter(datadir::Scan before) {
    datadir::ScanOptions options;
    options.needs_no_look = [](const datadir::DataFile& file) {
      return IsReplacedOnly(file);
    };
    auto scan = datadir::ScanDatadir(fs_, layout_, options, std::move(before));
    EXPECT_THAT(scan, IsOk());
    return std::move(scan).value();
  }

  MemFileSystem fs_;
  SilentReporter reporter_;
  datadir::Layout layout_;
  BackupRecord record_;
  FileCopier copier_{fs_, reporter_, {.target_dir = "/target", .workers = 1, .page_size = 16384}};
  TableFiles files_{fs_, copier_, "/target", record_};
};

TEST_F(TableFilesTest, EachStageCopiesItsFiles) {
  fs_.PutFile("/data/d/t.frm", "definition");
  fs_.PutFile("/data/d/t.MYD", "rows");
  fs_.PutFile("/data/d/t.MYI", std::string(40, '\0'));
  fs_.PutFile("/data/d.mrn", "mapped");
  fs_.PutFile("/data/mysql/table_stats.MAD", "statistics");
  fs_.PutFile("/data/ib_buffer_pool", "1,2\n");
  fs_.PutFile("/data/aria_log.00000001", "log");

  ASSERT_THAT(files_.CopyEarly(Scan(), CopyStage::kStart, {}), IsOk());
  EXPECT_THAT(record_.files, UnorderedElementsAre(Key("d/t.frm"), Key("d/t.MYD"), Key("d/t.MYI")));
  ASSERT_THAT(files_.Settle(Scan(), {}, {}), IsOk());
  ASSERT_THAT(files_.CopyUnderBlockCommit(Scan(), {}), IsOk());
  ASSERT_THAT(files_.CopyAfterEnd(Scan(), {}), IsOk());

  EXPECT_EQ(record_.files["d/t.MYD"].stage, "start");
  EXPECT_EQ(record_.files["d.mrn"].stage, "block-ddl");
  EXPECT_EQ(record_.files["mysql/table_stats.MAD"].stage, "block-commit");
  EXPECT_EQ(record_.files["ib_buffer_pool"].stage, "end");
  EXPECT_EQ(record_.files.count("aria_log.00000001"), 0U);
  EXPECT_EQ(fs_.Contents("/target/d/t.MYD"), "rows");
}

TEST_F(TableFilesTest, WhatChangesAfterAnEarlyCopyIsCopiedAgain) {
  fs_.PutFile("/data/d/t.frm", "definition");
  fs_.PutFile("/data/d/same.frm", "same");
  fs_.PutFile("/data/d/dropped.frm", "dropped");
  ASSERT_THAT(files_.CopyEarly(Scan(), CopyStage::kStart, {}), IsOk());
  fs_.PutFile("/data/d/t.frm", "altered");
  fs_.PutFile("/data/d/new.frm", "new");
  ASSERT_THAT(fs_.Remove("/data/d/dropped.frm"), IsOk());

  ASSERT_THAT(files_.Settle(Scan(), {}, {}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/d/t.frm"), "altered");
  EXPECT_EQ(fs_.Contents("/target/d/new.frm"), "new");
  EXPECT_EQ(record_.files["d/t.frm"].stage, "block-ddl");
  EXPECT_EQ(record_.files["d/same.frm"].stage, "start");
  EXPECT_THAT(record_.files,
              UnorderedElementsAre(Key("d/t.frm"), Key("d/same.frm"), Key("d/new.frm")));
  EXPECT_FALSE(io::Exists(fs_, "/target/d/dropped.frm").value());
  EXPECT_EQ(files_.counts().late, 2U);
}

TEST_F(TableFilesTest, DefinitionsAreDecidedEarlyWhereTheirDirectoryStaysAsItIs) {
  for (const char* name : {"/data/d/t.frm", "/data/d/db.opt", "/data/e/t.frm", "/data/f/t.frm"})
    fs_.PutFile(name, "as it was");
  datadir::Scan scan = Scan();
  ASSERT_THAT(files_.CopyEarly(scan, CopyStage::kFlush, {}), IsOk());
  files_.DecideEarly(scan);
  EXPECT_TRUE(scan.aside.contains("d"));
  EXPECT_EQ(scan.aside["d"].size(), 1U);
  fs_.PutFile("/data/d/db.opt", "altered in place");
  fs_.PutFile("/data/e/t.frm.new", "altered");
  ASSERT_THAT(fs_.Rename("/data/e/t.frm.new", "/data/e/t.frm"), IsOk());
  ASSERT_THAT(fs_.Remove("/data/f/t.frm"), IsOk());
  ASSERT_THAT(fs_.RemoveDirectory("/data/f"), IsOk());

  ASSERT_THAT(files_.Settle(ScanAfter(std::move(scan)), {}, {}), IsOk());

  EXPECT_THAT(record_.files, UnorderedElementsAre(Key("d/t.frm"), Key("d/db.opt"), Key("e/t.frm")));
  EXPECT_EQ(record_.files["d/t.frm"].stage, "flush");
  EXPECT_EQ(fs_.Contents("/target/d/db.opt"), "altered in place");
  EXPECT_EQ(fs_.Contents("/target/e/t.frm"), "altered");
  EXPECT_FALSE(io::Exists(fs_, "/target/f").value());
}

TEST_F(TableFilesTest, ADefinitionWhoseCopyDoesNotCountIsNotDecidedEarly) {
  fs_.PutFile("/data/d/t.frm", "old");
  ASSERT_THAT(files_.CopyEarly(Scan(), CopyStage::kFlush, {}), IsOk());
  fs_.PutFile("/data/d/t.frm", "newer");
  fs_.PutFile("/data/d/u.frm", "not copied");
  datadir::Scan scan = Scan();

  files_.DecideEarly(scan);

  EXPECT_TRUE(scan.aside.empty());
  ASSERT_THAT(files_.Settle(ScanAfter(std::move(scan)), {}, {}), IsOk());
  EXPECT_EQ(fs_.Contents("/target/d/t.frm"), "newer");
  EXPECT_EQ(fs_.Contents("/target/d/u.frm"), "not copied");
}

TEST_F(TableFilesTest, TablesThatAreOpenWaitForBlockDdl) {
  std::string index(40, '\0');
  index[25] = 1;  // open_count
  fs_.PutFile("/data/d/t.MYI", index);
  fs_.PutFile("/data/d/t.MYD", "half");

  ASSERT_THAT(files_.CopyEarly(Scan(), CopyStage::kFlush, {}), IsOk());
  EXPECT_TRUE(record_.files.empty());
  fs_.PutFile("/data/d/t.MYD", "whole");
  ASSERT_THAT(files_.Settle(Scan(), {}, {}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/d/t.MYD"), "whole");
}

TEST_F(TableFilesTest, MappedTablesWaitForBlockDdl) {
  files_.SetMyisamMapped(true);
  fs_.PutFile("/data/d/t.MYI", std::string(40, '\0'));
  fs_.PutFile("/data/d/t.MYD", "rows");
  fs_.PutFile("/data/d/c.CSV", "rows");

  ASSERT_THAT(files_.CopyEarly(Scan(), CopyStage::kFlush, {}), IsOk());

  EXPECT_THAT(record_.files, UnorderedElementsAre(Key("d/c.CSV")));
}

TEST_F(TableFilesTest, TablesOnTheServersListAreCopiedAgain) {
  fs_.PutFile("/data/d/t#P#p0.MYD", "rows");
  fs_.PutFile("/data/d/other.MYD", "rows");
  ASSERT_THAT(files_.CopyEarly(Scan(), CopyStage::kFlush, {}), IsOk());

  ASSERT_THAT(files_.Settle(Scan(), {"d/t"}, {}), IsOk());

  EXPECT_EQ(record_.files["d/t#P#p0.MYD"].stage, "block-ddl");
  EXPECT_EQ(record_.files["d/other.MYD"].stage, "flush");
}

TEST_F(TableFilesTest, SystemTablesAreComparedAgainUnderBlockCommit) {
  fs_.PutFile("/data/mysql/help_topic.MYD", "rows");
  fs_.PutFile("/data/d/t.MYD", "rows");
  ASSERT_THAT(files_.Settle(Scan(), {}, {}), IsOk());
  const datadir::Scan scan = Scan();
  fs_.PutFile("/data/mysql/help_topic.MYD", "more");

  ASSERT_THAT(files_.CopyUnderBlockCommit(scan, {}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/mysql/help_topic.MYD"), "more");
  EXPECT_EQ(record_.files["mysql/help_topic.MYD"].stage, "block-commit");
  EXPECT_EQ(record_.files["d/t.MYD"].stage, "block-ddl");
}

TEST_F(TableFilesTest, EmptyDatabasesAreMadeAndDroppedOnesRemoved) {
  fs_.PutDirectory("/data/empty");
  fs_.PutDirectory("/target/dropped");

  ASSERT_THAT(files_.Settle(Scan(), {}, {}), IsOk());

  EXPECT_TRUE(io::Exists(fs_, "/target/empty").value());
  EXPECT_FALSE(io::Exists(fs_, "/target/dropped").value());
  EXPECT_THAT(record_.databases, ElementsAre("empty"));
}

TEST_F(TableFilesTest, CsvLogTableEndsWithItsLastRow) {
  fs_.PutFile("/data/mysql/general_log.CSV", "a\nb\nhalf a ro");
  fs_.PutFile("/data/mysql/general_log.CSM", CsvState(1, true));

  ASSERT_THAT(files_.CopyEarly(Scan(), CopyStage::kFlush, {}), IsOk());
  ASSERT_THAT(files_.Settle(Scan(), {}, {}), IsOk());
  EXPECT_TRUE(record_.files.empty());
  ASSERT_THAT(files_.CopyUnderBlockCommit(Scan(), {}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/mysql/general_log.CSV"), "a\nb\n");
  EXPECT_EQ(fs_.Contents("/target/mysql/general_log.CSM"), CsvState(2, false));
  EXPECT_EQ(record_.files["mysql/general_log.CSV"].stage, "block-commit");
}

TEST_F(TableFilesTest, FileThatVanishesBeforeTheLockIsNoError) {
  fs_.PutFile("/data/d/t.frm", "definition");
  const datadir::Scan scan = Scan();
  ASSERT_THAT(fs_.Remove("/data/d/t.frm"), IsOk());
  EXPECT_THAT(files_.CopyEarly(scan, CopyStage::kStart, {}), IsOk());
  EXPECT_TRUE(record_.files.empty());
}

TEST_F(TableFilesTest, FileThatVanishesAfterTheEndIsNoError) {
  fs_.PutFile("/data/ib_buffer_pool", "1,2\n");
  const datadir::Scan scan = Scan();
  ASSERT_THAT(fs_.Remove("/data/ib_buffer_pool"), IsOk());
  EXPECT_THAT(files_.CopyAfterEnd(scan, {}), IsOk());
  EXPECT_TRUE(record_.files.empty());
}

TEST_F(TableFilesTest, FileThatVanishesUnderTheLockIsAnError) {
  fs_.PutFile("/data/d/t.frm", "definition");
  const datadir::Scan scan = Scan();
  ASSERT_THAT(fs_.Remove("/data/d/t.frm"), IsOk());
  EXPECT_FALSE(files_.Settle(scan, {}, {}).ok());
}

// An increment to what the data directory has when the test begins.
class IncrementFilesTest : public TableFilesTest {
 protected:
  void MakeBase() {
    manifest::BackupManifest manifest;
    for (const datadir::DataFile& file : Scan().files) {
      manifest::ManifestFile known;
      known.name = file.name;
      known.kind = datadir::FileKindName(file.kind);
      const std::string bytes = fs_.Contents(file.source_path);
      known.size = bytes.size();
      known.digest = filter::DigestOf(AsBytes(bytes));
      manifest.files.push_back(known);
    }
    base_ = std::make_unique<IncrementBase>(manifest);
    copier_ = std::make_unique<FileCopier>(
        fs_, reporter_,
        FileCopierOptions{
            .target_dir = "/target", .workers = 1, .page_size = 16384, .base = base_.get()});
    files_ = std::make_unique<TableFiles>(fs_, *copier_, "/target", record_);
  }
  void CopyAll() {
    EXPECT_THAT(files_->CopyEarly(Scan(), CopyStage::kStart, {}), IsOk());
    EXPECT_THAT(files_->Settle(Scan(), {}, {}), IsOk());
    EXPECT_THAT(files_->CopyUnderBlockCommit(Scan(), {}), IsOk());
    EXPECT_THAT(files_->CopyAfterEnd(Scan(), {}), IsOk());
  }
  manifest::FileContent ContentOf(const std::string& name) {
    return record_.files.at(name).content;
  }

  std::unique_ptr<IncrementBase> base_;
  std::unique_ptr<FileCopier> copier_;
  std::unique_ptr<TableFiles> files_;
};

TEST_F(IncrementFilesTest, OnlyWhatDiffersIsCopied) {
  fs_.PutFile("/data/d/t.MYD", "rows");
  fs_.PutFile("/data/d/t.frm", "definition");
  fs_.PutFile("/data/ib_buffer_pool", "1,2");
  MakeBase();
  fs_.PutFile("/data/d/t.MYD", "ROWS");
  fs_.PutFile("/data/d/new.frm", "new");

  CopyAll();

  EXPECT_EQ(ContentOf("d/t.MYD"), manifest::FileContent::kWhole);
  EXPECT_EQ(ContentOf("d/new.frm"), manifest::FileContent::kWhole);
  EXPECT_EQ(ContentOf("d/t.frm"), manifest::FileContent::kBase);
  EXPECT_EQ(ContentOf("ib_buffer_pool"), manifest::FileContent::kBase);
  EXPECT_THAT(fs_.Tree("/target"),
              UnorderedElementsAre(Key("/target/d/t.MYD"), Key("/target/d/new.frm")));
}

TEST_F(IncrementFilesTest, WhatIsRenamedDuringTheBackupIsCopied) {
  const std::string rows(2 << 20, 'r');
  fs_.SetHasBirths(true);
  fs_.PutFile("/data/d/a.MYD", rows);
  fs_.PutFile("/data/d/dropped.frm", "definition");
  MakeBase();
  ASSERT_THAT(files_->CopyEarly(Scan(), CopyStage::kStart, {}), IsOk());
  EXPECT_EQ(ContentOf("d/a.MYD"), manifest::FileContent::kBase);
  ASSERT_THAT(fs_.Rename("/data/d/a.MYD", "/data/d/b.MYD"), IsOk());
  ASSERT_THAT(fs_.Remove("/data/d/dropped.frm"), IsOk());

  ASSERT_THAT(files_->Settle(Scan(), {}, {}), IsOk());

  EXPECT_THAT(record_.files, ElementsAre(Key("d/b.MYD")));
  EXPECT_EQ(fs_.Contents("/target/d/b.MYD"), rows);
}

TEST_F(IncrementFilesTest, ALogTableThatDidNotGrowIsInTheBase) {
  fs_.PutFile("/data/mysql/slow_log.CSV", "1\n2\n");
  fs_.PutFile("/data/mysql/slow_log.CSM", CsvState(2, false));
  fs_.PutFile("/data/mysql/general_log.CSV", "1\n");
  fs_.PutFile("/data/mysql/general_log.CSM", CsvState(1, false));
  MakeBase();
  fs_.PutFile("/data/mysql/general_log.CSV", "1\n2\n");

  CopyAll();

  EXPECT_THAT(fs_.Tree("/target"), UnorderedElementsAre(Key("/target/mysql/general_log.CSV"),
                                                        Key("/target/mysql/general_log.CSM")));
  EXPECT_EQ(ContentOf("mysql/slow_log.CSV"), manifest::FileContent::kBase);
}

}  // namespace
}  // namespace hbk::backup
