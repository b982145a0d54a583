#include "backup_record.h"

#include <algorithm>

#include "hbk/manifest/mariadb_backup_files.h"

#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using server::BackupStage;
using ::testing::ElementsAre;

BackupRecord SomeRecord() {
  BackupRecord record;
  record.uuid = "31dfe97c-e503-11f1-ab80-02fc00000001";
  record.start_time = 1'700'000'000;
  record.end_time = 1'700'000'090;
  record.facts.version_text = "10.11.19-MariaDB-log";
  record.facts.variables = {{"innodb_page_size", "16384"},
                            {"innodb_log_file_size", "100663296"},
                            {"innodb_checksum_algorithm", "full_crc32"},
                            {"innodb_undo_tablespaces", "0"},
                            {"server_id", "7"},
                            {"secret_setting", "must not be recorded"}};
  record.layout.system_files = {{"sub/ibdata1", 12 << 20, true}};
  record.redo.start_lsn = 100;
  record.redo.last_lsn = 900;
  record.redo.to_lsn = 500;
  record.stages = {{BackupStage::kStart, 5, 60000},
                   {BackupStage::kFlush, 1, 100},
                   {BackupStage::kBlockDdl, 7000, 1500},
                   {BackupStage::kBlockCommit, 400, 600}};
  record.AddFile("d/t.frm", datadir::FileKind::kDefinition, CopyStage::kBlockDdl, 10,
                 std::string(32, '1'));
  record.AddFile("d/t.ibd", datadir::FileKind::kTablespace, CopyStage::kStart, 20,
                 std::string(32, '2'));
  return record;
}

std::string ContentOf(const BackupRecord& record, const std::string& name) {
  for (const auto& file : RenderMetadataFiles(record))
    if (file.first == name) return file.second;
  return "(none)";
}

TEST(BackupRecordTest, LockTimeRunsFromTheGrantOfBlockDdl) {
  EXPECT_EQ(SomeRecord().LockMilliseconds(), 1500U + 400U + 600U);
}

TEST(BackupRecordTest, BinlogInfoHasThreeFieldsAndALineFeed) {
  BackupRecord record = SomeRecord();
  EXPECT_EQ(ContentOf(record, "xtrabackup_binlog_info"), "(none)");
  record.positions.binlog.emplace();
  record.positions.binlog->file = "binlog.000008";
  record.positions.binlog->position = 1382;
  EXPECT_EQ(ContentOf(record, "xtrabackup_binlog_info"), "binlog.000008\t1382\n");
  record.positions.binlog->gtid = "0-1-684,5-5-3";
  EXPECT_EQ(ContentOf(record, "xtrabackup_binlog_info"), "binlog.000008\t1382\t0-1-684,5-5-3\n");
}

TEST(BackupRecordTest, PositionsOfReplicaAndNodeHaveFilesOfTheirOwn) {
  BackupRecord record = SomeRecord();
  EXPECT_EQ(ContentOf(record, "xtrabackup_slave_info"), "(none)");
  EXPECT_EQ(ContentOf(record, "donor_galera_info"), "(none)");
  record.positions.replica = manifest::ReplicaPosition{
      .gtid_slave_pos = "", .connections = {{"", "db1", 3306, false, "b.000008", 55635}}};
  record.positions.galera = manifest::GaleraPosition{"bd09145a", 215, 77};
  EXPECT_EQ(ContentOf(record, "xtrabackup_slave_info"),
            "CHANGE MASTER TO MASTER_LOG_FILE='b.000008', MASTER_LOG_POS=55635;\n");
  EXPECT_EQ(ContentOf(record, "xtrabackup_galera_info"), "bd09145a:215 77\n");
  EXPECT_EQ(ContentOf(record, "donor_galera_info"), "bd09145a:215 77\n");
  record.facts.version_text = "11.8.3-MariaDB";
  EXPECT_NE(ContentOf(record, "mariadb_backup_slave_info"), "(none)");
  EXPECT_NE(ContentOf(record, "mariadb_backup_galera_info"), "(none)");
  EXPECT_NE(ContentOf(record, "donor_galera_info"), "(none)");
  const manifest::BackupManifest made = MakeManifest(record);
  EXPECT_EQ(made.replica, record.positions.replica);
  EXPECT_EQ(made.galera, record.positions.galera);
}

TEST(BackupRecordTest, MetadataFilesAreNamedAfterTheSeries) {
  BackupRecord record = SomeRecord();
  record.facts.version_text = "11.4.5-MariaDB";
  EXPECT_NE(ContentOf(record, "mariadb_backup_checkpoints"), "(none)");
  EXPECT_EQ(ContentOf(record, "xtrabackup_checkpoints"), "(none)");
}

TEST(BackupRecordTest, CheckpointsHoldTheEndOfTheRedoCopy) {
  const auto checkpoints =
      manifest::ParseCheckpoints(ContentOf(SomeRecord(), "xtrabackup_checkpoints"));
  ASSERT_THAT(checkpoints, IsOk());
  EXPECT_EQ(checkpoints->backup_type, "full-backuped");
  EXPECT_EQ(checkpoints->to_lsn, 500U);
  EXPECT_EQ(checkpoints->last_lsn, 900U);
}

TEST(BackupRecordTest, ConfigHasBaseNames) {
  const auto config = manifest::ParseBackupConfig(ContentOf(SomeRecord(), "backup-my.cnf"));
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->data_file_path, "ibdata1:12M:autoextend");
  EXPECT_EQ(config->log_file_size, 100663296U);
}

TEST(BackupRecordTest, ManifestCountsFilesByStage) {
  const manifest::BackupManifest made = MakeManifest(SomeRecord());
  ASSERT_EQ(made.stages.size(), 4U);
  EXPECT_EQ(made.stages[0].file_count, 1U);
  EXPECT_EQ(made.stages[2].stage, "block-ddl");
  EXPECT_EQ(made.stages[2].file_count, 1U);
  EXPECT_EQ(made.start_time, "2023-11-14T22:13:20Z");
  EXPECT_EQ(made.server.server_id, 7U);
  EXPECT_EQ(made.server.settings.count("secret_setting"), 0U);
}

TEST(BackupRecordTest, ManifestCanBeReadBack) {
  const auto parsed = manifest::ParseManifest(manifest::RenderManifest(MakeManifest(SomeRecord())));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->files.size(), 2U);
  EXPECT_EQ(parsed->last_lsn, 900U);
}

TEST(BackupRecordTest, KeysAreListedInTheManifestOnce) {
  BackupRecord record = SomeRecord();
  record.keys = {{2, 1}, {1, 3}};
  const manifest::BackupManifest made = MakeManifest(record);
  EXPECT_THAT(made.encryption_keys,
              ElementsAre(manifest::EncryptionKeyUse{1, 3}, manifest::EncryptionKeyUse{2, 1}));
}

TEST(BackupRecordTest, PluginsThatPrepareNeedsAreNamed) {
  BackupRecord record = SomeRecord();
  record.facts.plugins = {
      {"file_key_management", "ENCRYPTION", true, "file_key_management.so"},
      {"provider_lz4", "DAEMON", true, "provider_lz4.so"},
      {"provider_lzo", "DAEMON", false, "provider_lzo.so"},
      {"InnoDB", "STORAGE ENGINE", true, ""},
  };
  const auto config = manifest::ParseBackupConfig(ContentOf(record, "backup-my.cnf"));
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->plugin_load,
            "file_key_management=file_key_management;provider_lz4=provider_lz4");
}

TEST(BackupRecordTest, DamagedPagesAreListedByTablespace) {
  BackupRecord record = SomeRecord();
  record.damaged["d/t#P#p0.ibd"] = {9, {{5, ""}, {17, ""}}};
  record.damaged["ibdata1"] = {0, {{300, ""}}};
  record.damaged["ibdata2"] = {0, {{900, ""}}};
  EXPECT_EQ(ContentOf(record, "innodb_corrupted_pages"),
            "d/t#P#p0 9\n5 17\ninnodb_system 0\n300 900\n");
}

TEST(BackupRecordTest, RenamedFileHasItsNewNameOnly) {
  BackupRecord record = SomeRecord();
  record.RenameFiles({{"d/t.ibd", "d/u.ibd"}});
  EXPECT_EQ(record.files.count("d/t.ibd"), 0U);
  EXPECT_EQ(record.files["d/u.ibd"].name, "d/u.ibd");
  EXPECT_EQ(record.files["d/u.ibd"].digest, std::string(32, '2'));
}

TEST(BackupRecordTest, WhatIsSyncedGoesWithTheFile) {
  BackupRecord record = SomeRecord();
  CopyResult result;
  result.name = "d/t.ibd";
  record.AddCopied(datadir::FileKind::kTablespace, CopyStage::kStart, result);
  EXPECT_TRUE(record.synced.empty());
  record.synced.insert("d/t.ibd");
  record.RenameFiles({{"d/t.ibd", "d/u.ibd"}});
  EXPECT_EQ(record.synced, (std::set<std::string>{"d/u.ibd"}));

  result.name = "d/u.ibd";
  record.AddCopied(datadir::FileKind::kTablespace, CopyStage::kBlockDdl, result);
  EXPECT_TRUE(record.synced.empty()) << "it was copied again";
  record.synced.insert("d/u.ibd");
  record.Forget("d/u.ibd");
  EXPECT_TRUE(record.synced.empty());
}

TEST(BackupRecordTest, AnIncrementSaysWhereItsBaseEnds) {
  BackupRecord record = SomeRecord();
  record.base = manifest::BaseBackup{"b", "hbk", 90};
  record.boot_id = "boot";
  record.history_name = "weekly";

  const auto checkpoints =
      manifest::ParseCheckpoints(ContentOf(record, "xtrabackup_checkpoints")).value();
  EXPECT_EQ(checkpoints.backup_type, "incremental");
  EXPECT_EQ(checkpoints.from_lsn, 90U);
  auto info = manifest::ParseBackupInfo(ContentOf(record, "xtrabackup_info")).value();
  EXPECT_EQ(info["incremental"], "Y");
  EXPECT_EQ(info["innodb_from_lsn"], "90");
  EXPECT_EQ(info["name"], "weekly");
  const server::HistoryRow row = MakeHistoryRow(record);
  EXPECT_EQ(row.name, "weekly");
  EXPECT_EQ(row.from_lsn, 90U);
  EXPECT_EQ(row.to_lsn, 500U);
  EXPECT_TRUE(row.is_incremental);
  EXPECT_EQ(MakeManifest(record).base, record.base);
  EXPECT_EQ(MakeManifest(record).boot_id, "boot");
}

TEST(BackupRecordTest, WhatWasCopiedIsDescribedWithItsSource) {
  BackupRecord record = SomeRecord();
  CopyResult result;
  result.name = "d/t.ibd";
  result.size = 4096;
  result.content = manifest::FileContent::kDelta;
  result.delta_size = 100;
  result.delta_page_count = 3;
  result.replaces_base = true;
  result.space = manifest::SpaceFacts{5, 16384, 21};
  result.source.inode = 77;

  record.AddCopied(datadir::FileKind::kTablespace, CopyStage::kStart, result);

  const manifest::ManifestFile& file = record.files.at("d/t.ibd");
  EXPECT_EQ(file.content, manifest::FileContent::kDelta);
  EXPECT_EQ(file.delta_size, 100U);
  EXPECT_TRUE(file.replaces_base);
  EXPECT_EQ(file.space->space_id, 5U);
  EXPECT_EQ(file.source->inode, 77U);
  EXPECT_EQ(record.increment_pages.at("d/t.ibd"), 3U);
  record.Forget("d/t.ibd");
  EXPECT_EQ(record.files.count("d/t.ibd") + record.increment_pages.size(), 0U);
}

}  // namespace
}  // namespace hbk::backup
