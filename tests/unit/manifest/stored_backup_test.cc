#include "hbk/manifest/stored_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/manifest/backup_manifest.h"

#include "manifest_sample.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using testing::StatusIs;

TEST(StoredBackupTest, MetadataLieThereAsTheyAre) {
  EXPECT_TRUE(IsNeverCompressed("hbk_manifest.json"));
  EXPECT_TRUE(IsNeverCompressed("hbk_manifest.json.tmp"));
  EXPECT_TRUE(IsNeverCompressed("backup-my.cnf"));
  EXPECT_TRUE(IsNeverCompressed("mariadb_backup_info"));
  EXPECT_FALSE(IsNeverCompressed("ibdata1"));
  EXPECT_FALSE(IsNeverCompressed("aria_log_control"));
  EXPECT_FALSE(IsNeverCompressed("db/hbk_manifest.json"));
}

// What the others say is nobody's business.
TEST(StoredBackupTest, SealedAreAllButWhatTellsOfTheSealing) {
  EXPECT_TRUE(IsNeverSealed("hbk_manifest.json"));
  EXPECT_TRUE(IsNeverSealed("hbk_keys.json"));
  EXPECT_TRUE(IsNeverSealed("hbk_incomplete"));
  EXPECT_FALSE(IsNeverSealed("mariadb_backup_info"));
  EXPECT_FALSE(IsNeverSealed("ibdata1.zst"));
  EXPECT_FALSE(IsNeverSealed("db/hbk_manifest.json"));
}

TEST(StoredBackupTest, EachBackupIsShownAsItsManifestSays) {
  MemFileSystem fs;
  BackupManifest manifest = SampleManifest();
  fs.PutDirectory("/plain");
  fs.PutDirectory("/zstd");
  fs.PutDirectory("/foreign");
  ASSERT_THAT(StoreManifest(fs, "/plain", manifest), IsOk());
  manifest.compression = {codec::FrameMethod::kZstd, 3};
  ASSERT_THAT(StoreManifest(fs, "/zstd", manifest), IsOk());

  const seal::SealingKeyOptions no_keys;
  SealingKeyRing keys(no_keys, fs, {});
  StoredBackups backups(fs, keys);
  EXPECT_THAT(backups.Add("/plain"), IsOkAndHolds(false));
  EXPECT_THAT(backups.Add("/foreign"), IsOkAndHolds(false));
  EXPECT_EQ(&backups.fs(), &fs);
  EXPECT_THAT(backups.Add("/zstd"), IsOkAndHolds(true));
  ASSERT_THAT(io::WriteNewFile(backups.fs(), "/zstd/f", "content", 0600), IsOk());
  ASSERT_THAT(io::WriteNewFile(backups.fs(), "/plain/f", "content", 0600), IsOk());
  EXPECT_FALSE(io::Exists(fs, "/zstd/f").value());
  EXPECT_TRUE(io::Exists(fs, "/zstd/f.zst").value());
  EXPECT_TRUE(io::Exists(fs, "/plain/f").value());
  EXPECT_EQ(io::ReadFile(backups.fs(), "/zstd/f", 100).value(), "content");
}

TEST(StoredBackupTest, ASealedManifestNeedsItsKeyAndTellsSo) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  BackupManifest manifest = SampleManifest();
  manifest.is_sealed = manifest.has_sealed_names = true;
  const seal::DataKey key = seal::DataKey::Generate().value();
  ASSERT_THAT(StoreManifest(fs, "/b", manifest, &key), IsOk());
  EXPECT_FALSE(io::Exists(fs, "/b/hbk_manifest.json").value());
  EXPECT_THAT(LoadManifest(fs, "/b"),
              StatusIs(StatusCode::kMissingKey, ::testing::HasSubstr("hbk_manifest.json.sealed")));
  // Somebody who says it in the clear.
  fs.PutFile("/b/hbk_manifest.json", RenderManifest(manifest, &key).value());
  const seal::SealingKeyOptions no_keys;
  SealingKeyRing keys(no_keys, fs, {});
  EXPECT_THAT(OpenManifest(fs, "/b", keys),
              StatusIs(StatusCode::kCorruption, ::testing::HasSubstr("does not fit its own name")));
}

TEST(StoredBackupTest, ADamagedManifestIsSaid) {
  MemFileSystem fs;
  fs.PutFile("/b/hbk_manifest.json", "{");
  const seal::SealingKeyOptions no_keys;
  SealingKeyRing keys(no_keys, fs, {});
  StoredBackups backups(fs, keys);
  EXPECT_THAT(backups.Add("/b"), StatusIs(StatusCode::kCorruption, ::testing::_));
}

}  // namespace
}  // namespace hbk::manifest
