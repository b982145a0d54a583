#include "aria_tables.h"

#include <utility>

#include "tests/support/mem_file_system.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/aria/golden_table.h"

namespace hbk::backup {
namespace {

using aria::kGoldenPageBytes;
using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::SilentReporter;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

constexpr size_t kCreateRenameLsn = 28;

class AriaTablesTest : public ::testing::Test {
 protected:
  AriaTablesTest() {
    fs_.PutDirectory("/target");
    fs_.PutFile("/data/ibdata1", "x");
    datadir::LayoutOptions options;
    options.datadir = "/data";
    auto layout = datadir::MakeLayout(options);
    EXPECT_THAT(layout, IsOk());
    layout_ = std::move(layout).value();
  }

  void PutTable(const std::string& stem) {
    fs_.PutFile("/data/" + stem + ".MAI", AsText(index_));
    fs_.PutFile("/data/" + stem + ".MAD", AsText(data_));
  }
  // As the server does when a table was loaded without logging.
  void Reload(const std::string& stem, uint8_t lsn) {
    const auto file = fs_.Open("/data/" + stem + ".MAI", {.write = true});
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->WriteAt(kCreateRenameLsn + 3, ByteView(&lsn, 1)), IsOk());
  }

  datadir::Scan Scan() {
    auto scan = datadir::ScanDatadir(fs_, layout_, {});
    EXPECT_THAT(scan, IsOk());
    return std::move(scan).value();
  }
  Status Pass(CopyStage stage, std::string must_copy = "") {
    HBK_RETURN_IF_ERROR(tables_.Look(Scan(), stage, [&must_copy](const datadir::DataFile& file) {
      return file.name == must_copy;
    }));
    return tables_.Copy(stage, {});
  }

  MemFileSystem fs_;
  SilentReporter reporter_;
  datadir::Layout layout_;
  BackupRecord record_;
  std::vector<uint8_t> index_ = aria::ReadGolden("table.MAI");
  std::vector<uint8_t> data_ = aria::ReadGolden("table.MAD");
  FileCopier copier_{fs_, reporter_, {.target_dir = "/target", .workers = 1, .page_size = 16384}};
  AriaTables tables_{fs_, copier_, "/target", record_};
};

TEST_F(AriaTablesTest, AreCopiedOnceIfNothingHappens) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  ASSERT_THAT(Pass(CopyStage::kBlockDdl), IsOk());
  ASSERT_THAT(tables_.CopyChangedSince({}), IsOk());

  EXPECT_EQ(record_.files["d/t.MAI"].stage, "start");
  EXPECT_EQ(record_.files["d/t.MAD"].stage, "start");
  EXPECT_EQ(fs_.Contents("/target/d/t.MAD"), AsText(data_));
  EXPECT_EQ(fs_.Contents("/target/d/t.MAI"), AsText(index_));
  EXPECT_TRUE(tables_.Owns("d/t.MAI"));
}

TEST_F(AriaTablesTest, WritesOfRowsDoNotMatter) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  const auto file = fs_.Open("/data/d/t.MAI", {.write = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->WriteAt(49, AsBytes("records!")), IsOk());
  ASSERT_THAT(Pass(CopyStage::kBlockDdl), IsOk());
  EXPECT_EQ(record_.files["d/t.MAI"].stage, "start");
}

TEST_F(AriaTablesTest, AnotherGenerationIsCopiedAgain) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  Reload("d/t", 0x77);
  ASSERT_THAT(Pass(CopyStage::kBlockDdl), IsOk());

  EXPECT_EQ(record_.files["d/t.MAI"].stage, "block-ddl");
  EXPECT_EQ(record_.files["d/t.MAD"].stage, "block-ddl");
  EXPECT_EQ(fs_.Contents("/target/d/t.MAI"), fs_.Contents("/data/d/t.MAI"));
}

TEST_F(AriaTablesTest, ALoadThatEndsUnderBlockDdlIsCopiedUnderBlockCommit) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  ASSERT_THAT(Pass(CopyStage::kBlockDdl), IsOk());
  Reload("d/t", 0x78);
  ASSERT_THAT(tables_.CopyChangedSince({}), IsOk());

  EXPECT_EQ(record_.files["d/t.MAD"].stage, "block-commit");
  EXPECT_EQ(tables_.copied_again_count(), 1U);
}

TEST_F(AriaTablesTest, ARenamedTableIsCopiedUnderItsName) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  ASSERT_THAT(fs_.Rename("/data/d/t.MAI", "/data/d/u.MAI"), IsOk());
  ASSERT_THAT(fs_.Rename("/data/d/t.MAD", "/data/d/u.MAD"), IsOk());
  Reload("d/u", 0x79);
  ASSERT_THAT(Pass(CopyStage::kBlockDdl), IsOk());

  EXPECT_THAT(record_.files, UnorderedElementsAre(Key("d/u.MAI"), Key("d/u.MAD")));
  EXPECT_FALSE(io::Exists(fs_, "/target/d/t.MAI").value());
}

TEST_F(AriaTablesTest, AnotherDataFileUnderTheSameNameIsCopied) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  ASSERT_THAT(fs_.Remove("/data/d/t.MAD"), IsOk());
  fs_.PutFile("/data/d/t.MAD", AsText(data_));
  ASSERT_THAT(Pass(CopyStage::kBlockDdl), IsOk());
  EXPECT_EQ(record_.files["d/t.MAD"].stage, "block-ddl");
}

TEST_F(AriaTablesTest, TablesOnTheServersListAreCopiedAgain) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  ASSERT_THAT(Pass(CopyStage::kBlockDdl, "d/t.MAI"), IsOk());
  EXPECT_EQ(record_.files["d/t.MAI"].stage, "block-ddl");
}

TEST_F(AriaTablesTest, DroppedTablesLeaveTheTarget) {
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  ASSERT_THAT(fs_.Remove("/data/d/t.MAI"), IsOk());
  ASSERT_THAT(fs_.Remove("/data/d/t.MAD"), IsOk());
  ASSERT_THAT(Pass(CopyStage::kBlockDdl), IsOk());
  EXPECT_THAT(record_.files, IsEmpty());
  EXPECT_FALSE(io::Exists(fs_, "/target/d/t.MAD").value());
}

TEST_F(AriaTablesTest, OtherAriaTablesAreNotItsBusiness) {
  index_[4] = static_cast<uint8_t>(index_[4] & 0xF7);  // no page checksums
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  EXPECT_FALSE(tables_.Owns("d/t.MAI"));
  EXPECT_THAT(record_.files, IsEmpty());
}

TEST_F(AriaTablesTest, APageThatIsBadBeforeTheLockWaitsForIt) {
  data_[kGoldenPageBytes + 50] ^= 1;
  PutTable("d/t");
  ASSERT_THAT(Pass(CopyStage::kStart), IsOk());
  EXPECT_THAT(record_.files, IsEmpty());
  EXPECT_FALSE(io::Exists(fs_, "/target/d/t.MAI").value());
  EXPECT_THAT(Pass(CopyStage::kBlockDdl),
              StatusIs(StatusCode::kCorruption, HasSubstr("page 1 at offset 8192")));
}

TEST_F(AriaTablesTest, AnIndexFileThatIsNoneIsLeftToOthersWithAWarning) {
  fs_.PutFile("/data/d/t.MAI", "not Aria");
  fs_.PutFile("/data/d/t.MAD", "rows");
  EXPECT_THAT(Pass(CopyStage::kStart), IsOk());
  EXPECT_THAT(record_.warnings, IsEmpty());
  EXPECT_THAT(Pass(CopyStage::kBlockDdl), IsOk());
  EXPECT_FALSE(tables_.Owns("d/t.MAI"));
  EXPECT_THAT(record_.warnings, ElementsAre(HasSubstr("/data/d/t.MAI")));
}

}  // namespace
}  // namespace hbk::backup
