#include "target_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/manifest/stored_backup.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr std::string_view kKeyText =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

class TargetStoreTest : public ::testing::Test {
 protected:
  TargetStoreTest() {
    fs_.PutDirectory("/target");
    options_.target_dir = "/target";
  }

  MemFileSystem fs_;
  BackupOptions options_;
};

TEST_F(TargetStoreTest, WithoutOptionsFilesArePlain) {
  const auto store = TargetStore::Make(options_, fs_, {});
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ(&(*store)->fs(), &fs_);
  EXPECT_EQ((*store)->data_key(), nullptr);
  EXPECT_THAT((*store)->StoreKeySlots("/target"), IsOk());
  EXPECT_TRUE(fs_.Tree("/target").empty());
}

TEST_F(TargetStoreTest, SealingNeedsAKey) {
  options_.is_sealed = true;
  EXPECT_THAT(TargetStore::Make(options_, fs_, {}),
              StatusIs(StatusCode::kMissingKey, HasSubstr("--encrypt needs a key")));
}

// What the manifest says of the files is enough to read them with a key.
TEST_F(TargetStoreTest, TheManifestTellsOfSealedFiles) {
  options_.is_sealed = true;
  options_.compression = {codec::FrameMethod::kZstd, 3};
  options_.sealing_keys.key = Secret(std::string(kKeyText));
  const auto store = TargetStore::Make(options_, fs_, {});
  ASSERT_THAT(store, IsOk());
  ASSERT_THAT((*store)->StoreKeySlots("/target"), IsOk());
  for (const char* name : {"ibdata1", "backup-my.cnf"})
    ASSERT_THAT(io::WriteNewFile((*store)->fs(), io::JoinPath("/target", name), name, 0600),
                IsOk());
  EXPECT_TRUE(io::Exists(fs_, "/target/ibdata1.zst.sealed").value());
  EXPECT_TRUE(io::Exists(fs_, "/target/backup-my.cnf.sealed").value());

  manifest::BackupManifest manifest;
  manifest.last_lsn = manifest.to_lsn = 1;
  for (const char* name : {"ibdata1", "backup-my.cnf"}) {
    manifest::ManifestFile file;
    file.name = name;
    file.kind = name[0] == 'i' ? "system-tablespace" : "metadata";
    file.size = std::string(name).size();
    file.stage = "start";
    manifest.files.push_back(file);
  }
  ASSERT_THAT((*store)->Describe(manifest), IsOk());
  EXPECT_TRUE(manifest.is_sealed);
  EXPECT_EQ(manifest.files[0].seal_id.size(), 32U);
  EXPECT_NE(manifest.files[0].seal_id, manifest.files[1].seal_id);
  manifest.server.page_size = 16384;
  ASSERT_THAT(manifest::StoreManifest(fs_, "/target", manifest, (*store)->data_key()), IsOk());

  manifest::SealingKeyRing keys(options_.sealing_keys, fs_, {});
  manifest::StoredBackups backups(fs_, keys);
  ASSERT_THAT(backups.Add("/target"), IsOkAndHolds(true));
  EXPECT_THAT(io::ReadFile(backups.fs(), "/target/ibdata1", 100), IsOkAndHolds("ibdata1"));
  EXPECT_THAT(io::ReadFile(backups.fs(), "/target/backup-my.cnf", 100),
              IsOkAndHolds("backup-my.cnf"));

  // A file that was never sealed is a fault of ours.
  manifest.files[0].name = "undo001";
  EXPECT_THAT((*store)->Describe(manifest), StatusIs(StatusCode::kFailed, HasSubstr("undo001")));
}

}  // namespace
}  // namespace hbk::backup
