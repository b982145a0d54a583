#include "backup_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/chunk_hashes.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

void PutForeignChunks(MemFileSystem& fs) {
  manifest::ChunkHashes hashes;
  hashes.Add(std::vector<uint8_t>(2 * filter::kChunkHashBytes, 7));
  fs.PutFile("/b/hbk_chunks", hashes.Render());
}

class BackupSetTest : public ::testing::Test {
 protected:
  BackupSetTest() { fs_.PutDirectory("/b"); }

  void PutMetadata(const std::string& type, innodb::Lsn last_lsn = 300) {
    fs_.PutFile("/b/xtrabackup_checkpoints",
                fmt::format("backup_type = {}\nfrom_lsn = 0\nto_lsn = 200\nlast_lsn = {}\n", type,
                            last_lsn));
    fs_.PutFile("/b/backup-my.cnf",
                "[mysqld]\ninnodb_data_file_path=ibdata1:1M;ibdata2:1M:autoextend\n"
                "innodb_page_size=4096\n");
  }
  void PutManifest(manifest::BackupState state) {
    manifest::BackupManifest manifest;
    manifest.state = state;
    manifest.start_checkpoint_lsn = 100;
    manifest.to_lsn = 150;
    manifest.last_lsn = 400;
    manifest.server.page_size = 8192;
    manifest.server.data_file_path = "ibdata9:1M:autoextend";
    ASSERT_THAT(manifest::StoreManifest(fs_, "/b", manifest), IsOk());
  }

  MemFileSystem fs_;
};

TEST_F(BackupSetTest, SetOfMariadbBackupIsReadFromItsMetadata) {
  PutMetadata("full-backuped");

  const auto set = OpenBackupSet(fs_, "/b");

  ASSERT_THAT(set, IsOk());
  EXPECT_FALSE(set->manifest.has_value());
  EXPECT_FALSE(set->is_prepared);
  EXPECT_FALSE(set->is_partial);
  EXPECT_EQ(set->last_lsn, 300U);
  EXPECT_EQ(set->page_size, 4096U);
  EXPECT_THAT(set->system_files, ElementsAre("ibdata1", "ibdata2"));
}

TEST_F(BackupSetTest, SettingsOfTheKeyPluginAreFoundInTheConfig) {
  PutMetadata("full-backuped");
  fs_.PutFile("/b/backup-my.cnf",
              "[mysqld]\ninnodb_page_size=4096\n# a=b\n"
              "plugin_load=file_key_management=file_key_management;provider_lz4=provider_lz4\n"
              "file_key_management_filename=/etc/keys.txt\n");

  const auto set = OpenBackupSet(fs_, "/b");

  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->settings.at("file_key_management_filename"), "/etc/keys.txt");
  EXPECT_EQ(set->settings.at(std::string(keys::kEncryptionPluginSetting)), "file_key_management");
}

TEST_F(BackupSetTest, ManifestIsBelievedBeforeTheMetadata) {
  PutMetadata("full-backuped");
  PutManifest(manifest::BackupState::kUnprepared);

  const auto set = OpenBackupSet(fs_, "/b");

  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->last_lsn, 400U);
  EXPECT_EQ(set->page_size, 8192U);
  EXPECT_THAT(set->system_files, ElementsAre("ibdata9"));
}

TEST_F(BackupSetTest, ManifestAloneIsABackup) {
  PutManifest(manifest::BackupState::kPrepared);

  const auto set = OpenBackupSet(fs_, "/b");

  ASSERT_THAT(set, IsOk());
  EXPECT_TRUE(set->is_prepared);
  EXPECT_FALSE(set->is_prepared_elsewhere);
  EXPECT_FALSE(set->metadata.has_value());
}

TEST_F(BackupSetTest, OldSetWithoutLastLsnNeedsRedoToItsCheckpoint) {
  PutMetadata("full-backuped", 0);

  const auto set = OpenBackupSet(fs_, "/b");

  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->last_lsn, 200U);
}

TEST_F(BackupSetTest, PreparedSetsOfMariadbBackupAreKnown) {
  for (const std::string type : {"log-applied", "full-prepared"}) {
    PutMetadata(type);

    const auto set = OpenBackupSet(fs_, "/b");

    ASSERT_THAT(set, IsOk()) << type;
    EXPECT_TRUE(set->is_prepared) << type;
  }
}

TEST_F(BackupSetTest, OursThatMariadbBackupPreparedIsKnown) {
  PutManifest(manifest::BackupState::kUnprepared);
  PutMetadata("log-applied");

  const auto set = OpenBackupSet(fs_, "/b");

  ASSERT_THAT(set, IsOk());
  EXPECT_FALSE(set->is_prepared);
  EXPECT_TRUE(set->is_prepared_elsewhere);
}

// What tells of the files as they are is not of the manifest: hbk has prepared them.
TEST_F(BackupSetTest, TheManifestOfAnotherBackupIsNoPrepareOfMariadbBackup) {
  PutManifest(manifest::BackupState::kUnprepared);
  PutMetadata("log-applied");
  PutForeignChunks(fs_);

  EXPECT_THAT(OpenBackupSet(fs_, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("it is not of this backup")));
}

TEST_F(BackupSetTest, OursThatWePreparedIsNotPreparedElsewhere) {
  PutManifest(manifest::BackupState::kPrepared);
  PutMetadata("log-applied");

  const auto set = OpenBackupSet(fs_, "/b");

  ASSERT_THAT(set, IsOk());
  EXPECT_TRUE(set->is_prepared);
  EXPECT_FALSE(set->is_prepared_elsewhere);
}

TEST_F(BackupSetTest, PartialBackupIsKnownByItsInfo) {
  PutMetadata("full-backuped");
  fs_.PutFile("/b/xtrabackup_info", "partial = Y\n");
  EXPECT_TRUE(OpenBackupSet(fs_, "/b")->is_partial);

  fs_.PutFile("/b/xtrabackup_info", "partial = N\n");
  EXPECT_FALSE(OpenBackupSet(fs_, "/b")->is_partial);
}

TEST_F(BackupSetTest, IncrementalBackupIsNotPreparedAlone) {
  PutMetadata("incremental");

  EXPECT_THAT(OpenBackupSet(fs_, "/b"),
              StatusIs(StatusCode::kChainBroken, HasSubstr("/b is an increment")));
}

TEST_F(BackupSetTest, UnknownBackupTypeIsCorruption) {
  PutMetadata("half-done");

  EXPECT_THAT(OpenBackupSet(fs_, "/b"),
              StatusIs(StatusCode::kCorruption,
                       AllOf(HasSubstr("xtrabackup_checkpoints"), HasSubstr("half-done"))));
}

TEST_F(BackupSetTest, OtherDirectoriesAreNoBackup) {
  fs_.PutFile("/file", "");

  EXPECT_THAT(OpenBackupSet(fs_, "/nowhere"),
              StatusIs(StatusCode::kNotFound, HasSubstr("does not exist")));
  EXPECT_THAT(OpenBackupSet(fs_, "/file"),
              StatusIs(StatusCode::kNotFound, HasSubstr("not a directory")));
  EXPECT_THAT(OpenBackupSet(fs_, "/b"), StatusIs(StatusCode::kNotFound, HasSubstr("neither")));
}

TEST_F(BackupSetTest, BackupThatWasNeverFinishedIsRefusedInSpiteOfItsMetadata) {
  PutMetadata("full-backuped");
  fs_.PutFile("/b/hbk_incomplete", "");

  EXPECT_THAT(OpenBackupSet(fs_, "/b"),
              StatusIs(StatusCode::kNotFound, HasSubstr("never finished")));
}

TEST_F(BackupSetTest, DamagedManifestIsNotPassedOver) {
  PutMetadata("full-backuped");
  fs_.PutFile("/b/hbk_manifest.json", "{");

  EXPECT_THAT(OpenBackupSet(fs_, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("hbk_manifest.json")));
}

TEST(CheckManifestFilesTest, MissingFilesAndThoseOfAnotherSizeAreNamed) {
  MemFileSystem fs;
  fs.PutFile("/b/db/t.ibd", "12345678");
  BackupSet set;
  set.dir = "/b";
  EXPECT_THAT(CheckManifestFiles(fs, set), IsOk()) << "without manifest";
  manifest::ManifestFile& file = set.manifest.emplace().files.emplace_back();
  file.name = "db/t.ibd";
  file.size = 8;
  EXPECT_THAT(CheckManifestFiles(fs, set), IsOk());

  fs.PutFile("/b/db/t.ibd", "123456789");
  EXPECT_THAT(
      CheckManifestFiles(fs, set),
      StatusIs(StatusCode::kCorruption, HasSubstr("db/t.ibd has 9 bytes, the manifest says 8")));
  fs.PutFile("/b/db/t.ibd", "1234567");
  EXPECT_THAT(
      CheckManifestFiles(fs, set),
      StatusIs(StatusCode::kCorruption, HasSubstr("db/t.ibd has 7 bytes, the manifest says 8")));
  ASSERT_THAT(fs.Remove("/b/db/t.ibd"), IsOk());
  EXPECT_THAT(CheckManifestFiles(fs, set),
              StatusIs(StatusCode::kCorruption, HasSubstr("db/t.ibd is missing")));
}

// Nothing else would find that a position in them is another one: they get new digests.
TEST(CheckManifestFilesTest, MetadataAreComparedWithTheirDigests) {
  MemFileSystem fs;
  fs.PutFile("/b/xtrabackup_binlog_info", "binlog.000001\t4");
  BackupSet set;
  set.dir = "/b";
  manifest::ManifestFile& file = set.manifest.emplace().files.emplace_back();
  file.name = "xtrabackup_binlog_info";
  file.kind = "metadata";
  file.size = 15;
  file.digest = filter::DigestOf(AsBytes(std::string_view("binlog.000001\t4")));
  EXPECT_THAT(CheckManifestFiles(fs, set), IsOk());

  fs.PutFile("/b/xtrabackup_binlog_info", "binlog.000001\t5");

  EXPECT_THAT(
      CheckManifestFiles(fs, set),
      StatusIs(StatusCode::kCorruption, HasSubstr("/b/xtrabackup_binlog_info: its digest")));
}

// It would be taken for one that the redo has made.
TEST(CheckManifestFilesTest, TableThatIsNotInTheManifestIsNamed) {
  MemFileSystem fs;
  fs.PutFile("/b/db/t.frm", "x");
  BackupSet set;
  set.dir = "/b";
  set.manifest.emplace();
  EXPECT_THAT(CheckManifestFiles(fs, set), IsOk());

  fs.PutFile("/b/db/t.ibd", "x");

  EXPECT_THAT(
      CheckManifestFiles(fs, set),
      StatusIs(StatusCode::kCorruption, HasSubstr("/b/db/t.ibd does not belong to the backup")));
}

TEST_F(BackupSetTest, BackupOfHbkThatHasLostItsManifestIsNotTakenForAnother) {
  PutMetadata("full-backuped");
  ASSERT_THAT(OpenBackupSet(fs_, "/b"), IsOk());

  fs_.PutFile("/b/hbk_chunks", "");
  EXPECT_THAT(OpenBackupSet(fs_, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("it is missing, and hbk has made")));

  // Made before the manifest by a prepare that was killed.
  fs_.PutFile("/b/hbk_prepare.increments", "");
  EXPECT_THAT(OpenBackupSet(fs_, "/b"), IsOk());
}

}  // namespace
}  // namespace hbk::prepare
