#include "restore_source.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/chunk_hashes.h"

#include "backup_sample.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Names(const RestoreSource& source) {
  std::vector<std::string> names;
  for (const SourceFile& file : source.files)
    names.push_back(file.name);
  return names;
}

TEST(RestoreSourceTest, TheManifestIsBelieved) {
  MemFileSystem fs;
  PutSampleBackup(fs);
  fs.PutFile("/b/shop/stray.ibd", "not listed");
  fs.PutFile("/b/stray/t.ibd", "not listed");

  const auto source = OpenRestoreSource(fs, "/b");

  ASSERT_THAT(source, IsOk());
  EXPECT_THAT(Names(source.value()), Not(Contains(HasSubstr("stray"))));
  EXPECT_EQ(source.value().files.size(), SampleFiles().size());
  EXPECT_THAT(source.value().databases, ElementsAre("empty", "shop"));
  EXPECT_THAT(source.value().claim_files, ElementsAre("hbk_manifest.json"));
  EXPECT_TRUE(source.value().has_digests);
}

TEST(RestoreSourceTest, AnIncrementIsRefusedByName) {
  MemFileSystem fs;
  PutSampleBackup(fs);
  manifest::BackupManifest manifest = SampleManifest();
  manifest.last_lsn = 1;
  manifest.base = manifest::BaseBackup{"b", "hbk", 1};
  PutManifest(fs, manifest);

  const Status status = OpenRestoreSource(fs, "/b").status();

  EXPECT_THAT(status, StatusIs(StatusCode::kUnsupported, HasSubstr("/b is an increment")));
  EXPECT_THAT(status.hint(), HasSubstr("base"));
}

TEST(RestoreSourceTest, ABackupOfMariadbBackupIsTakenAsItIs) {
  MemFileSystem fs;
  PutMariadbBackup(fs, "log-applied");
  fs.PutFile("/b/shop/extra.MYD", "also there");

  const auto source = OpenRestoreSource(fs, "/b");

  ASSERT_THAT(source, IsOk());
  EXPECT_THAT(
      Names(source.value()),
      ElementsAre("aria_log.00000001", "aria_log_control", "ib_logfile0", "ibdata1",
                  "shop/extra.MYD", "shop/t.frm", "shop/t.ibd", "undo001", "xtrabackup_info"));
  EXPECT_FALSE(source.value().has_digests);
  EXPECT_THAT(source.value().claim_files, ElementsAre("xtrabackup_checkpoints"));
}

TEST(RestoreSourceTest, ABackupOfOursThatMariadbBackupPreparedHasNoDigests) {
  MemFileSystem fs;
  PutMariadbBackup(fs, "log-applied");
  manifest::BackupManifest manifest = SampleManifest();
  manifest.state = manifest::BackupState::kUnprepared;
  manifest.files[0].size = 1;
  PutManifest(fs, manifest);

  const auto source = OpenRestoreSource(fs, "/b");

  ASSERT_THAT(source, IsOk());
  EXPECT_FALSE(source.value().has_digests);
  EXPECT_THAT(source.value().claim_files,
              ElementsAre("hbk_manifest.json", "xtrabackup_checkpoints"));

  // hbk_chunks tells of files that are not in the manifest: hbk has prepared them.
  manifest::ChunkHashes hashes;
  hashes.Add(std::vector<uint8_t>(2 * filter::kChunkHashBytes, 7));
  fs.PutFile("/b/hbk_chunks", hashes.Render());
  EXPECT_THAT(OpenRestoreSource(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("it is not of this backup")));
}

TEST(RestoreSourceTest, OnlyPreparedBackupsAreRestored) {
  MemFileSystem fs;
  PutSampleBackup(fs);
  manifest::BackupManifest manifest = SampleManifest();
  manifest.state = manifest::BackupState::kUnprepared;
  PutManifest(fs, manifest);

  const auto source = OpenRestoreSource(fs, "/b");

  EXPECT_THAT(source, StatusIs(StatusCode::kFailed, HasSubstr("not prepared")));
  EXPECT_THAT(source.status().hint(), HasSubstr("hbk prepare --target-dir=/b"));
}

TEST(RestoreSourceTest, OtherStatesOfMariadbBackupAreRefused) {
  MemFileSystem full;
  PutMariadbBackup(full, "full-backuped");
  MemFileSystem increment;
  PutMariadbBackup(increment, "incremental");

  EXPECT_THAT(OpenRestoreSource(full, "/b"),
              StatusIs(StatusCode::kFailed, HasSubstr("not prepared")));
  EXPECT_THAT(OpenRestoreSource(increment, "/b"),
              StatusIs(StatusCode::kUnsupported, HasSubstr("increment")));
}

TEST(RestoreSourceTest, AnIncompleteBackupIsRefused) {
  MemFileSystem fs;
  PutMariadbBackup(fs, "log-applied");
  fs.PutFile("/b/hbk_incomplete", "");

  EXPECT_THAT(OpenRestoreSource(fs, "/b"),
              StatusIs(StatusCode::kFailed, HasSubstr("never completed")));
}

TEST(RestoreSourceTest, ADirectoryThatIsNoBackupIsNotFound) {
  MemFileSystem fs;
  fs.PutFile("/b/ibdata1", "x");

  EXPECT_THAT(OpenRestoreSource(fs, "/b"), StatusIs(StatusCode::kNotFound, HasSubstr("no backup")));
}

TEST(RestoreSourceTest, AMissingFileIsNamed) {
  MemFileSystem fs;
  PutSampleBackup(fs);
  ASSERT_THAT(fs.Remove("/b/shop/t.ibd"), IsOk());

  EXPECT_THAT(OpenRestoreSource(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/shop/t.ibd: missing")));
}

TEST(RestoreSourceTest, AFileOfAnotherSizeIsNamed) {
  MemFileSystem fs;
  PutSampleBackup(fs);
  fs.PutFile("/b/undo001", "longer than it was");

  EXPECT_THAT(OpenRestoreSource(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/undo001: 18 bytes")));
}

// It stays behind, and nothing else would look at it: but people look up positions in it.
TEST(RestoreSourceTest, MetadataThatIsNotRestoredIsComparedWithItsDigest) {
  MemFileSystem fs;
  PutSampleBackup(fs);
  manifest::BackupManifest manifest = SampleManifest();
  AddToManifest(manifest, "xtrabackup_binlog_info", "binlog.000001\t4");
  PutManifest(fs, manifest);
  fs.PutFile("/b/xtrabackup_binlog_info", "binlog.000001\t4");
  ASSERT_THAT(OpenRestoreSource(fs, "/b"), IsOk());

  fs.PutFile("/b/xtrabackup_binlog_info", "binlog.000001\t5");

  EXPECT_THAT(
      OpenRestoreSource(fs, "/b"),
      StatusIs(StatusCode::kCorruption, HasSubstr("/b/xtrabackup_binlog_info: its digest")));
}

TEST(RestoreSourceTest, ABackupOfOursThatHasLostItsManifestIsNotTakenForAnother) {
  MemFileSystem fs;
  PutMariadbBackup(fs, "log-applied");
  ASSERT_THAT(OpenRestoreSource(fs, "/b"), IsOk());

  fs.PutFile("/b/hbk_chunks", "");

  EXPECT_THAT(OpenRestoreSource(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("it is missing, and hbk has made")));
}

TEST(RestoreSourceTest, NothingIsReachedThroughASymlink) {
  MemFileSystem file;
  PutSampleBackup(file);
  ASSERT_THAT(file.Remove("/b/undo001"), IsOk());
  file.PutSymlink("/b/undo001", "/etc/passwd");
  MemFileSystem directory;
  PutSampleBackup(directory);
  ASSERT_THAT(directory.Rename("/b/shop", "/elsewhere"), IsOk());
  directory.PutSymlink("/b/shop", "/elsewhere");

  EXPECT_THAT(OpenRestoreSource(file, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("undo001")));
  EXPECT_THAT(OpenRestoreSource(directory, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/shop: not a directory")));
}

TEST(RestoreSourceTest, SystemFilesMustBeThoseOfTheServer) {
  MemFileSystem fs;
  PutSampleBackup(fs);
  manifest::BackupManifest manifest = SampleManifest();
  manifest.server.data_file_path = "ibdata1:1M;ibdata2:1M";
  PutManifest(fs, manifest);
  EXPECT_THAT(OpenRestoreSource(fs, "/b"), StatusIs(StatusCode::kCorruption, HasSubstr("ibdata2")));

  manifest.server.data_file_path = "nonsense";
  PutManifest(fs, manifest);
  EXPECT_THAT(OpenRestoreSource(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("nonsense")));
}

}  // namespace
}  // namespace hbk::restore
