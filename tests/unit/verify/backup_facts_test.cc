#include "backup_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/manifest/backup_manifest.h"

#include "check_fixture.h"
#include "small_set.h"

namespace hbk::verify {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

class BackupFactsTest : public ::testing::Test, protected CheckFixture {};

TEST_F(BackupFactsTest, AManifestIsBelieved) {
  SmallSet set;
  CheckContext of_set{.fs = set.fs,
                      .keys = *keys,
                      .findings = findings,
                      .counts = counts,
                      .space_ids = space_ids,
                      .stop = {}};
  auto read = ReadBackupFacts("/base", of_set);
  ASSERT_THAT(read.status(), IsOk());
  ASSERT_TRUE(read->has_value());
  EXPECT_TRUE((*read)->manifest.has_value());
  EXPECT_FALSE((*read)->is_increment);
  EXPECT_FALSE((*read)->is_prepared);
  EXPECT_EQ((*read)->lsn_max, (*read)->manifest->last_lsn);
  ASSERT_THAT(ReadSystemSpace(**read, of_set), IsOk());
  EXPECT_TRUE((*read)->system.header.has_value());

  read = ReadBackupFacts("/inc", of_set);
  ASSERT_THAT(read.status(), IsOk());
  EXPECT_TRUE((*read)->is_increment);
}

TEST_F(BackupFactsTest, ADirectoryOfMariadbBackupHasItsCheckpoints) {
  testing::PutSmallBackup(fs);

  const auto read = ReadBackupFacts(testing::kSmallBackupDir, context);

  ASSERT_THAT(read.status(), IsOk());
  EXPECT_FALSE((*read)->manifest.has_value());
  EXPECT_GT((*read)->lsn_max, testing::kSmallBackupStartLsn);
  EXPECT_THAT((*read)->system_files, ElementsAre("ibdata1"));
}

TEST_F(BackupFactsTest, AManifestThatIsGoneIsFoundWhereHbkHasMadeTheRest) {
  testing::PutSmallBackup(fs);
  fs.PutFile("/backup/xtrabackup_info", "uuid = 1\ntool_name = hbk\n");

  const auto read = ReadBackupFacts("/backup", context);

  ASSERT_THAT(read.status(), IsOk());
  EXPECT_FALSE(read->has_value());
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("hbk_manifest.json: it is missing")));
}

TEST_F(BackupFactsTest, WhatIsNoBackupIsAnError) {
  EXPECT_THAT(ReadBackupFacts("/nowhere", context).status(), StatusIs(StatusCode::kNotFound, _));
  fs.PutFile("/b/hbk_incomplete", "");
  EXPECT_THAT(ReadBackupFacts("/b", context).status(),
              StatusIs(StatusCode::kNotFound, HasSubstr("never finished")));
}

TEST_F(BackupFactsTest, AListOfChunksThatIsDamagedIsAFinding) {
  SmallSet set;
  set.fs.PutFile("/base/hbk_chunks", "damaged");
  CheckContext of_set{.fs = set.fs,
                      .keys = *keys,
                      .findings = findings,
                      .counts = counts,
                      .space_ids = space_ids,
                      .stop = {}};
  const auto read = ReadBackupFacts("/base", of_set);
  ASSERT_THAT(read.status(), IsOk());
  EXPECT_TRUE(read->has_value());
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("hbk_chunks")));
}

}  // namespace
}  // namespace hbk::verify
