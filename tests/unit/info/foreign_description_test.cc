#include "foreign_description.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::info {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class ForeignDescriptionTest : public ::testing::Test {
 protected:
  void Put(const std::string& type) {
    fs_.PutFile("/f/xtrabackup_checkpoints",
                "backup_type = " + type + "\nfrom_lsn = 50\nto_lsn = 100\nlast_lsn = 120\n");
    fs_.PutFile("/f/backup-my.cnf",
                "[mysqld]\ninnodb_data_file_path=ibdata1:1M\ninnodb_page_size=16384\n");
  }
  void PutInfo() {
    fs_.PutFile("/f/xtrabackup_info",
                "uuid = u\ntool_version = 10.11.19-MariaDB\nserver_version = 10.11.19\n"
                "start_time = 2026-01-31 16:55:30\nend_time = 2026-01-31 16:55:40\n"
                "binlog_pos = filename 'b.8'\n");
    fs_.PutFile("/f/xtrabackup_slave_info", "CHANGE MASTER\n");
    fs_.PutFile("/f/xtrabackup_galera_info", "c:1\n");
  }

  bool Describe() {
    backup_ = BackupDescription();
    backup_.directory = "/f";
    StoredFiles files;
    files.names = {"a", "b"};
    return DescribeForeign(fs_, files, backup_);
  }

  MemFileSystem fs_;
  BackupDescription backup_;
};

TEST_F(ForeignDescriptionTest, ItsFilesSayWhatItIs) {
  Put("full-backuped");
  PutInfo();

  ASSERT_TRUE(Describe());

  EXPECT_THAT(backup_.status, IsOk());
  EXPECT_EQ(backup_.tool, BackupTool::kMariadbBackup);
  EXPECT_EQ(backup_.tool_version, "10.11.19-MariaDB");
  EXPECT_EQ(backup_.state, DirectoryState::kUnprepared);
  EXPECT_FALSE(backup_.base);
  EXPECT_EQ(backup_.to_lsn, 100U);
  EXPECT_EQ(backup_.last_lsn, 120U);
  EXPECT_EQ(backup_.duration_s, 10U);
  EXPECT_EQ(backup_.binlog_text, "filename 'b.8'");
  EXPECT_EQ(backup_.replica_text, "CHANGE MASTER\n");
  EXPECT_EQ(backup_.galera_text, "c:1\n");
  EXPECT_EQ(backup_.server.version, "10.11.19");
  EXPECT_EQ(backup_.server.page_size, 16384U);
  EXPECT_EQ(backup_.file_count, 2U);
}

TEST_F(ForeignDescriptionTest, TheTypeSaysTheKindAndTheState) {
  Put("incremental");
  ASSERT_TRUE(Describe());
  ASSERT_TRUE(backup_.base);
  EXPECT_EQ(backup_.base->last_lsn, 50U);
  EXPECT_EQ(backup_.base->origin, "mariadb-backup");
  EXPECT_EQ(backup_.state, DirectoryState::kUnprepared);

  for (const char* type : {"log-applied", "full-prepared"}) {
    Put(type);
    ASSERT_TRUE(Describe());
    EXPECT_EQ(backup_.state, DirectoryState::kPrepared);
  }
  Put("hbk-unfinished");
  ASSERT_TRUE(Describe());
  EXPECT_EQ(backup_.state, DirectoryState::kPrepareInterrupted);
}

TEST_F(ForeignDescriptionTest, WithoutCheckpointsItIsNone) {
  fs_.PutFile("/f/ibdata1", "x");

  EXPECT_FALSE(Describe());
}

TEST_F(ForeignDescriptionTest, WhatCannotBeReadIsSaid) {
  Put("full-backuped");
  fs_.PutFile("/f/xtrabackup_info", std::string("a = b\0", 6));
  ASSERT_TRUE(Describe());
  EXPECT_THAT(backup_.status, StatusIs(StatusCode::kCorruption, HasSubstr("xtrabackup_info")));

  fs_.PutFile("/f/xtrabackup_checkpoints", "backup_type = nothing\n");
  ASSERT_TRUE(Describe());
  EXPECT_EQ(backup_.state, DirectoryState::kUnreadable);
  EXPECT_THAT(backup_.status,
              StatusIs(StatusCode::kCorruption, HasSubstr("xtrabackup_checkpoints")));
}

}  // namespace
}  // namespace hbk::info
