#include "hbk/info/backup_description.h"

#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"

#include "tests/support/compressed_backup.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::info {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;

class BackupDescriptionTest : public ::testing::Test {
 protected:
  // A full backup with one table.
  void PutBackup() {
    ASSERT_THAT(io::MakeDirectories(fs_, "/b/db", 0700), IsOk());
    manifest::BackupManifest manifest;
    manifest.hbk_version = "0.1.0";
    manifest.backup_uuid = "uuid-1";
    manifest.start_time = "2026-01-31T16:55:30Z";
    manifest.end_time = "2026-01-31T16:55:40Z";
    manifest.server.version = "10.11.19-MariaDB";
    manifest.server.page_size = 16384;
    manifest.start_checkpoint_lsn = 100;
    manifest.to_lsn = 100;
    manifest.last_lsn = 200;
    manifest.databases = {"db"};
    Add(manifest, "backup-my.cnf", "metadata");
    Add(manifest, "db/t.ibd", "tablespace");
    Add(manifest, "ibdata1", "system-tablespace");
    ASSERT_THAT(manifest::StoreManifest(fs_, "/b", manifest), IsOk());
  }

  void Add(manifest::BackupManifest& manifest, const std::string& name, const std::string& kind) {
    const std::string text(1000, 'x');
    fs_.PutFile("/b/" + name, text);
    manifest.files.push_back({.name = name,
                              .kind = kind,
                              .size = text.size(),
                              .digest = filter::DigestOf(AsBytes(text)),
                              .stage = "start"});
  }

  BackupDescription Describe(const std::string& dir) {
    manifest::SealingKeyRing ring(keys_, fs_, {});
    return DescribeBackup(fs_, dir, ring, keys_.HasSource());
  }

  static seal::SealingKey Key(char byte) {
    return {seal::SealingKeyKind::kKey, Secret(std::string(32, byte)), "the key", "a label"};
  }

  MemFileSystem fs_;
  seal::SealingKeyOptions keys_;
};

TEST_F(BackupDescriptionTest, AFullBackupIsDescribedByItsManifest) {
  PutBackup();

  const BackupDescription backup = Describe("/b");

  EXPECT_THAT(backup.status, IsOk());
  EXPECT_EQ(backup.state, DirectoryState::kUnprepared);
  EXPECT_EQ(backup.tool, BackupTool::kHbk);
  EXPECT_FALSE(backup.base);
  EXPECT_EQ(backup.duration_s, 10U);
  EXPECT_EQ(backup.file_count, 3U);
  EXPECT_EQ(backup.logical_bytes, 3000U);
  EXPECT_EQ(backup.stored_file_count, 4U);
  EXPECT_EQ(backup.redo_margin, 1);
  EXPECT_EQ(backup.seal_check, SealCheck::kNone);
  EXPECT_FALSE(backup.verified.record);
  EXPECT_EQ(backup.verified.problem, "");
}

TEST_F(BackupDescriptionTest, MissingFilesAreDamage) {
  PutBackup();
  ASSERT_THAT(fs_.Remove("/b/db/t.ibd"), IsOk());

  EXPECT_THAT(Describe("/b").status, StatusIs(StatusCode::kCorruption,
                                              HasSubstr("1 of 2 files are missing, as db/t.ibd")));
}

TEST_F(BackupDescriptionTest, MetadataAloneAreABaseForIncrements) {
  PutBackup();
  ASSERT_THAT(fs_.Remove("/b/db/t.ibd"), IsOk());
  ASSERT_THAT(fs_.Remove("/b/ibdata1"), IsOk());

  const BackupDescription backup = Describe("/b");

  EXPECT_THAT(backup.status, IsOk());
  EXPECT_EQ(backup.state, DirectoryState::kMetadataOnly);
}

TEST_F(BackupDescriptionTest, AnIncompleteBackupIsNamedAsSuch) {
  PutBackup();
  fs_.PutFile("/b/hbk_incomplete", "it failed\n");
  EXPECT_THAT(Describe("/b").status,
              StatusIs(StatusCode::kFailed, AllOf(HasSubstr("/b is not complete"),
                                                  HasSubstr("hbk_incomplete says: it failed"))));

  fs_.PutFile("/i/hbk_incomplete", "");
  const BackupDescription backup = Describe("/i");
  EXPECT_EQ(backup.state, DirectoryState::kIncomplete);
  EXPECT_THAT(backup.status, StatusIs(StatusCode::kFailed, _));
}

TEST_F(BackupDescriptionTest, WhatIsNoBackupIsSaidToBeNone) {
  fs_.PutFile("/d/ibdata1", "x");

  EXPECT_EQ(Describe("/d").state, DirectoryState::kNoBackup);
  EXPECT_THAT(Describe("/d").status, StatusIs(StatusCode::kNotFound, HasSubstr("/d is no backup")));
  EXPECT_THAT(Describe("/nowhere").status, StatusIs(StatusCode::kNotFound, HasSubstr("/nowhere")));
  EXPECT_THAT(Describe("/d/ibdata1").status,
              StatusIs(StatusCode::kNotFound, HasSubstr("is no directory")));
}

TEST_F(BackupDescriptionTest, ADamagedManifestIsSaid) {
  PutBackup();
  fs_.PutFile("/b/hbk_manifest.json", "{}");

  const BackupDescription backup = Describe("/b");

  EXPECT_EQ(backup.state, DirectoryState::kUnreadable);
  EXPECT_THAT(backup.status, StatusIs(StatusCode::kCorruption, HasSubstr("hbk_manifest.json")));
}

TEST_F(BackupDescriptionTest, AnInterruptedPrepareIsSeen) {
  PutBackup();
  fs_.PutFile("/b/hbk_prepare.journal.0", "x");

  EXPECT_EQ(Describe("/b").state, DirectoryState::kPrepareInterrupted);
}

TEST_F(BackupDescriptionTest, ACompressedBackupHasItsFiles) {
  PutBackup();
  ASSERT_THAT(testing::CompressBackup(fs_, "/b"), IsOk());

  const BackupDescription backup = Describe("/b");

  EXPECT_THAT(backup.status, IsOk());
  EXPECT_EQ(backup.state, DirectoryState::kUnprepared);
  EXPECT_EQ(backup.logical_bytes, 3000U);
  EXPECT_NE(backup.compression, "");
}

TEST_F(BackupDescriptionTest, WithoutAKeyASealedBackupIsDescribedButNotVouchedFor) {
  PutBackup();
  ASSERT_THAT(testing::SealBackup(fs_, "/b", Key('k')), IsOk());

  const BackupDescription unchecked = Describe("/b");
  EXPECT_THAT(unchecked.status, IsOk());
  EXPECT_EQ(unchecked.state, DirectoryState::kUnprepared);
  EXPECT_TRUE(unchecked.is_sealed);
  EXPECT_EQ(unchecked.seal_check, SealCheck::kNotChecked);
  EXPECT_EQ(unchecked.key_slot_count, 1U);

  keys_.key = Secret(std::string(64, 'a'));
  EXPECT_THAT(Describe("/b").status, StatusIs(StatusCode::kMissingKey, _));
  keys_.key = Secret("6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b");
  const BackupDescription checked = Describe("/b");
  EXPECT_THAT(checked.status, IsOk());
  EXPECT_EQ(checked.seal_check, SealCheck::kGenuine);
}

TEST_F(BackupDescriptionTest, ASealedManifestNeedsAKey) {
  PutBackup();
  ASSERT_THAT(testing::SealBackup(fs_, "/b", Key('k'), /*seals_names=*/true), IsOk());

  const BackupDescription closed = Describe("/b");
  EXPECT_THAT(closed.status, StatusIs(StatusCode::kMissingKey, HasSubstr("/b")));
  EXPECT_EQ(closed.state, DirectoryState::kClosed);
  EXPECT_TRUE(closed.has_sealed_names);
  EXPECT_EQ(closed.key_slot_count, 1U);
  EXPECT_GT(closed.stored_bytes, 0U);

  keys_.key = Secret("6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b");
  const BackupDescription opened = Describe("/b");
  EXPECT_THAT(opened.status, IsOk());
  EXPECT_EQ(opened.backup_uuid, "uuid-1");
}

TEST_F(BackupDescriptionTest, RecordsOfAnotherManifestAreSeenToBe) {
  PutBackup();
  const auto digest = manifest::DigestOfStoredManifest(fs_, "/b");
  ASSERT_THAT(digest.status(), IsOk());
  manifest::VerifyRecord verified;
  verified.time = "2026-02-01T00:00:00Z";
  verified.mode = "full";
  verified.subjects = {*digest};
  ASSERT_THAT(manifest::StoreVerifyRecord(fs_, "/b", verified), IsOk());
  ASSERT_THAT(manifest::StoreDrilledRecord(fs_, "/b",
                                           {.drilled_at = "2026-02-01T00:00:00Z",
                                            .ok = true,
                                            .server_version = "10.11",
                                            .manifest_digest = std::string(32, '0')}),
              IsOk());

  const BackupDescription backup = Describe("/b");

  ASSERT_TRUE(backup.verified.record && backup.drilled.record);
  EXPECT_TRUE(backup.verified.is_of_this);
  EXPECT_FALSE(backup.drilled.is_of_this);
}

TEST_F(BackupDescriptionTest, ADamagedRecordIsAProblemOfItsOwn) {
  PutBackup();
  fs_.PutFile("/b/hbk_verified.json", "{");

  const BackupDescription backup = Describe("/b");

  EXPECT_THAT(backup.status, IsOk());
  EXPECT_THAT(backup.verified.problem, HasSubstr("hbk_verified.json"));
}

TEST_F(BackupDescriptionTest, EveryStateHasAName) {
  std::set<std::string_view> names;
  for (int state = 0; state <= static_cast<int>(DirectoryState::kPrepared); ++state)
    names.insert(DirectoryStateName(static_cast<DirectoryState>(state)));

  EXPECT_EQ(names.size(), static_cast<size_t>(DirectoryState::kPrepared) + 1);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace hbk::info
