// Tables that get their tablespaces by IMPORT between a base and its increments. IMPORT writes no
// redo, and the pages keep the LSNs of where they came from: what is judged by LSNs loses them.
// mariadb-backup 10.11.19 does, which is shown too, so that the case is known to be one.

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

class IncrementImportTest : public ::testing::TestWithParam<BackupTool> {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_ = std::make_unique<ScratchDir>(std::move(scratch).value());
    auto source = Mariadbd::Start({.base_dir = scratch_->Sub("source")});
    ASSERT_THAT(source, IsOk());
    source_ = std::move(source).value();
    auto client = source_->Connect();
    ASSERT_THAT(client, IsOk());
    client_ = std::make_unique<SqlClient>(std::move(client).value());
  }

  Status Execute(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements)
      HBK_RETURN_IF_ERROR(client_->Execute(statement).WithContext(statement));
    return OkStatus();
  }

  // `model` has the rows that the others get.
  Status MakeTables() {
    HBK_RETURN_IF_ERROR(Execute(
        {"CREATE DATABASE d", "USE d",
         "CREATE TABLE model (id INT PRIMARY KEY, v VARCHAR(100), KEY (v)) ENGINE=InnoDB",
         "CREATE TABLE first LIKE model", "CREATE TABLE second LIKE model",
         "CREATE TABLE twice LIKE model", "INSERT INTO first SELECT seq, 'old' FROM seq_1_to_50",
         "INSERT INTO second SELECT seq, 'old' FROM seq_1_to_50",
         "INSERT INTO model SELECT seq, MD5(seq) FROM seq_1_to_5000"}));
    HBK_RETURN_IF_ERROR(Export("model"));
    return Execute({"UPDATE model SET v = MD5(v)", "FLUSH TABLES"});
  }

  Status Export(const std::string& table) {
    HBK_RETURN_IF_ERROR(Execute({"FLUSH TABLES d." + table + " FOR EXPORT"}));
    std::filesystem::create_directories(scratch_->Sub("exported"));
    for (const char* extension : {".ibd", ".cfg"}) {
      std::filesystem::copy_file(source_->data_dir() + "/d/" + table + extension,
                                 scratch_->Sub("exported/" + table) + extension);
    }
    return Execute({"UNLOCK TABLES"});
  }

  Status Import(const std::string& table, const std::string& from) {
    HBK_RETURN_IF_ERROR(Execute({"ALTER TABLE d." + table + " DISCARD TABLESPACE"}));
    for (const char* extension : {".ibd", ".cfg"}) {
      std::filesystem::copy_file(scratch_->Sub("exported/" + from) + extension,
                                 source_->data_dir() + "/d/" + table + extension,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    return Execute({"ALTER TABLE d." + table + " IMPORT TABLESPACE"});
  }

  Status Run(const std::vector<std::string>& command, const std::string& log) {
    return RunToSuccess(command, scratch_->Sub(log + ".log")).status();
  }
  Status BackUp(const std::string& name, std::vector<std::string> extra = {}) {
    return Run(BackupCommand(GetParam(), {.socket_path = source_->socket_path(),
                                          .target_dir = scratch_->Sub(name),
                                          .extra = std::move(extra)}),
               name);
  }
  Status Prepare(const std::string& log, const std::vector<std::string>& extra = {}) {
    return Run(PrepareCommand(GetParam(), scratch_->Sub("base"), extra), log);
  }

  // A base, an increment and an increment to that, with imports before each.
  Status MakeChain() {
    HBK_RETURN_IF_ERROR(MakeTables());
    HBK_RETURN_IF_ERROR(BackUp("base"));
    HBK_RETURN_IF_ERROR(Import("first", "model"));
    HBK_RETURN_IF_ERROR(Import("twice", "model"));
    HBK_RETURN_IF_ERROR(BackUp("i1", {"--incremental-basedir=" + scratch_->Sub("base")}));
    HBK_RETURN_IF_ERROR(Export("first"));
    HBK_RETURN_IF_ERROR(Import("second", "model"));
    HBK_RETURN_IF_ERROR(Import("twice", "first"));
    HBK_RETURN_IF_ERROR(Execute({"DELETE FROM d.twice WHERE id % 3 = 0"}));
    return BackUp("i2", {"--incremental-basedir=" + scratch_->Sub("i1")});
  }

  Status CheckRestored() {
    HBK_RETURN_IF_ERROR(Prepare("prepare"));
    for (const std::string increment : {"i1", "i2"}) {
      HBK_RETURN_IF_ERROR(
          Prepare("prepare-" + increment, {"--incremental-dir=" + scratch_->Sub(increment)}));
    }
    const std::string data_dir = scratch_->Sub("restored/data");
    HBK_RETURN_IF_ERROR(
        Run(CopyBackCommand(GetParam(), scratch_->Sub("base"), data_dir), "copy-back"));
    HBK_ASSIGN_OR_RETURN(
        const auto restored,
        Mariadbd::Start({.base_dir = scratch_->Sub("restored"), .has_data = true}));
    HBK_ASSIGN_OR_RETURN(SqlClient client, restored->Connect());
    HBK_RETURN_IF_ERROR(CompareTables(*client_, client));
    return CheckAllTables(client);
  }

  std::unique_ptr<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> source_;
  std::unique_ptr<SqlClient> client_;
};

INSTANTIATE_TEST_SUITE_P(Tool, IncrementImportTest,
                         ::testing::Values(BackupTool::kHbk, BackupTool::kMariadbBackup),
                         [](const auto& parameter) {
                           return parameter.param == BackupTool::kHbk ? "Hbk" : "MariadbBackup";
                         });

TEST_P(IncrementImportTest, ImportedTablesAreRestored) {
  ASSERT_THAT(MakeChain(), IsOk());
  const Status restored = CheckRestored();
  if (GetParam() == BackupTool::kHbk) {
    EXPECT_THAT(restored, IsOk());
    return;
  }
  std::printf("restored: %s\n", restored.ToString().c_str());
  if (restored.ok()) GTEST_SKIP() << "the defect of 10.11.19 does not show";
}

}  // namespace
}  // namespace hbk::testing
