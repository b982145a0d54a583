// Tables whose tablespace is replaced (DISCARD and IMPORT) while the backup runs: the restored
// server has what was imported. IMPORT keeps the id and writes no redo, so the log may end with the
// deletion of a file that is there again.

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using std::filesystem::copy_file;

constexpr const char* kReplaced[] = {"only_read", "changed_later"};

// `model` has the rows that the others get by import.
Status MakeTables(SqlClient& client) {
  for (const std::string statement :
       {"CREATE DATABASE d", "USE d",
        "CREATE TABLE bulk (id INT PRIMARY KEY, v CHAR(200)) ENGINE=InnoDB",
        "INSERT INTO bulk SELECT seq, REPEAT('b', 200) FROM seq_1_to_120000",
        "CREATE TABLE model (id INT PRIMARY KEY, v VARCHAR(100), KEY (v)) ENGINE=InnoDB",
        "CREATE TABLE only_read LIKE model", "CREATE TABLE changed_later LIKE model",
        "INSERT INTO only_read SELECT seq, 'old' FROM seq_1_to_50",
        "INSERT INTO changed_later SELECT seq, 'old' FROM seq_1_to_50",
        "INSERT INTO model SELECT seq, MD5(seq) FROM seq_1_to_5000"}) {
    HBK_RETURN_IF_ERROR(client.Execute(statement));
  }
  return OkStatus();
}

Status Export(SqlClient& client, const std::string& data_dir, const std::string& to) {
  HBK_RETURN_IF_ERROR(client.Execute("FLUSH TABLES d.model FOR EXPORT"));
  std::filesystem::create_directories(to);
  for (const char* extension : {".ibd", ".cfg"})
    copy_file(data_dir + "/d/model" + extension, to + "/model" + extension);
  return client.Execute("UNLOCK TABLES");
}

Status Import(SqlClient& client, const std::string& table, const std::string& from,
              const std::string& data_dir) {
  HBK_RETURN_IF_ERROR(client.Execute("ALTER TABLE d." + table + " DISCARD TABLESPACE"));
  for (const char* extension : {".ibd", ".cfg"})
    copy_file(from + "/model" + extension, data_dir + "/d/" + table + extension);
  return client.Execute("ALTER TABLE d." + table + " IMPORT TABLESPACE");
}

TEST(ImportTest, TheImportedTableIsRestored) {
  auto scratch = ScratchDir::Make();
  ASSERT_THAT(scratch, IsOk());
  const auto source = Mariadbd::Start({.base_dir = scratch->Sub("source")});
  ASSERT_THAT(source, IsOk());
  const std::string& data_dir = (*source)->data_dir();
  auto client = (*source)->Connect();
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(MakeTables(client.value()), IsOk());
  const std::string exported = scratch->Sub("exported");
  ASSERT_THAT(Export(client.value(), data_dir, exported), IsOk());

  const std::string backup = scratch->Sub("backup");
  const auto running = Process::Start(
      BackupCommand(
          BackupTool::kHbk,
          {.socket_path = (*source)->socket_path(), .target_dir = backup, .throttle = 10}),
      {.output_path = scratch->Sub("backup.log")});
  ASSERT_THAT(running, IsOk());
  // The log is followed before the first file is there.
  for (int i = 0; i < 600 && !std::filesystem::exists(backup + "/ibdata1"); ++i)
    std::this_thread::sleep_for(milliseconds(20));
  for (const char* table : kReplaced)
    ASSERT_THAT(Import(client.value(), table, exported, data_dir), IsOk());
  ASSERT_THAT(client->Execute("UPDATE d.changed_later SET v = 'new' WHERE id < 100"), IsOk());
  ASSERT_FALSE((*running)->HasEndedWithin(milliseconds(0))) << "the backup was faster than IMPORT";
  ASSERT_THAT(CheckCompleted((*running)->Wait(kUsualTimeLimit), "backup"), IsOk());

  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, backup), scratch->Sub("prepare.log")),
              IsOk());
  const std::string restored_dir = scratch->Sub("restored");
  ASSERT_THAT(RunToSuccess(CopyBackCommand(BackupTool::kHbk, backup, restored_dir + "/data"),
                           scratch->Sub("copy-back.log")),
              IsOk());
  const auto restored = Mariadbd::Start({.base_dir = restored_dir, .has_data = true});
  ASSERT_THAT(restored, IsOk());
  auto other = (*restored)->Connect();
  ASSERT_THAT(other, IsOk());
  for (const char* table : kReplaced) {
    const std::string name = std::string("d.") + table;
    EXPECT_THAT(other->QueryNumber("SELECT COUNT(*) FROM " + name), IsOkAndHolds(5000U));
    const auto verdict = other->Query("CHECK TABLE " + name + " EXTENDED");
    ASSERT_THAT(verdict, IsOk());
    EXPECT_EQ(verdict->Get(0, "Msg_text"), "OK");
    const std::string sum = "CHECKSUM TABLE " + name + " EXTENDED";
    const auto expected = client->Query(sum);
    const auto actual = other->Query(sum);
    ASSERT_THAT(expected, IsOk());
    ASSERT_THAT(actual, IsOk());
    EXPECT_EQ(actual->Get(0, "Checksum"), expected->Get(0, "Checksum")) << name;
  }
}

}  // namespace
}  // namespace hbk::testing
