#include "hbk/manifest/backup_manifest.h"

#include <gmock/gmock.h>

#include "hbk/filter/tree_digest.h"

#include "manifest_sample.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

TEST(BackupManifestTest, WhatIsStoredLoadsBack) {
  MemFileSystem fs;
  fs.PutDirectory("/b");

  ASSERT_THAT(StoreManifest(fs, "/b", SampleManifest()), IsOk());
  const auto manifest = LoadManifest(fs, "/b");

  ASSERT_THAT(manifest, IsOk());
  EXPECT_EQ(RenderManifest(manifest.value()), RenderManifest(SampleManifest()));
}

TEST(BackupManifestTest, AStoredManifestSurvivesAPowerCut) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  ASSERT_THAT(StoreManifest(fs, "/b", SampleManifest()), IsOk());

  fs.Crash(/*seed=*/0);

  EXPECT_THAT(LoadManifest(fs, "/b"), IsOk());
}

TEST(BackupManifestTest, ADirectoryWithoutOneIsNotFound) {
  MemFileSystem fs;
  fs.PutDirectory("/b");

  EXPECT_THAT(LoadManifest(fs, "/b"), StatusIs(StatusCode::kNotFound, HasSubstr("/b/hbk_mani")));
}

TEST(BackupManifestTest, ADamagedOneIsNamed) {
  MemFileSystem fs;
  fs.PutFile("/b/hbk_manifest.json", "{}");

  EXPECT_THAT(LoadManifest(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/hbk_manifest.json")));
}

TEST(BackupManifestTest, WhatCouldNotBeReadBackIsNotWritten) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  BackupManifest manifest = SampleManifest();
  manifest.files[0].name = "../ibdata1";

  EXPECT_THAT(StoreManifest(fs, "/b", manifest), StatusIs(StatusCode::kCorruption, HasSubstr("")));
  EXPECT_TRUE(fs.Tree("/b").empty());
}

TEST(BackupManifestTest, KindAndDirectoryOfMyrocksGoTogether) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  BackupManifest manifest = SampleManifest();
  manifest.files[1].name = "#rocksdb/000012.sst";
  EXPECT_THAT(StoreManifest(fs, "/b", manifest),
              StatusIs(StatusCode::kCorruption, HasSubstr("'tablespace'")));
  manifest.files[1].kind = "rocksdb";
  EXPECT_THAT(StoreManifest(fs, "/b", manifest), IsOk());
  manifest.files[1].name = "shop/000012.sst";
  EXPECT_THAT(StoreManifest(fs, "/b", manifest),
              StatusIs(StatusCode::kCorruption, HasSubstr("'rocksdb'")));
}

TEST(IsSafeFileNameTest, NamesHaveOneOrTwoSafeParts) {
  for (const std::string_view name : {"ibdata1", "db/t.ibd", "db/..t", "a@0020b/t#P#p0.ibd"})
    EXPECT_TRUE(IsSafeFileName(name)) << name;
  for (const std::string_view name :
       {"", "/", "/etc", "db/", "db//t", "../t", "db/..", "./t", "a/b/c", "a\nb"}) {
    EXPECT_FALSE(IsSafeFileName(name)) << name;
  }
}

TEST(StoredManifestTest, TheDigestIsThatOfTheManifestAsItLiesThere) {
  MemFileSystem fs;
  ASSERT_THAT(fs.MakeDirectory("/b", 0700), IsOk());
  EXPECT_THAT(DigestOfStoredManifest(fs, "/b"), StatusIs(StatusCode::kNotFound, HasSubstr("/b")));

  // In the order of precedence, the last one first.
  for (const std::string name : {"mariadb_backup_checkpoints", "xtrabackup_checkpoints",
                                 "hbk_manifest.json.sealed", "hbk_manifest.json"}) {
    ASSERT_THAT(io::WriteNewFile(fs, "/b/" + name, name, 0600), IsOk());
    EXPECT_THAT(DigestOfStoredManifest(fs, "/b"), IsOkAndHolds(filter::DigestOf(AsBytes(name))));
  }
}

}  // namespace
}  // namespace hbk::manifest
