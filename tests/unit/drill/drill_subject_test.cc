#include "drill_subject.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::drill {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class DrillSubjectTest : public ::testing::Test {
 protected:
  Result<DrillSubject> Load(const std::string& dir) {
    manifest::SealingKeyRing keys(options_, fs_, {});
    return LoadBackupFacts(fs_, dir, keys);
  }

  MemFileSystem fs_;
  seal::SealingKeyOptions options_;
};

TEST_F(DrillSubjectTest, AManifestTellsAll) {
  manifest::BackupManifest manifest;
  manifest.backup_uuid = "u";
  manifest.end_time = "2026-01-31T16:55:30Z";
  manifest.server.version = "10.11.19-MariaDB";
  manifest.server.page_size = 8192;
  manifest.server.data_file_path = "ibdata1:12M:autoextend";
  manifest.server.undo_tablespaces = "3";
  manifest.server.settings = {{"lower_case_table_names", "1"}};
  manifest.table_checksums = {{"shop", "t", 1, 2}};
  fs_.PutDirectory("/b");
  ASSERT_THAT(manifest::StoreManifest(fs_, "/b", manifest), IsOk());

  const auto facts = Load("/b");

  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ(facts->uuid, "u");
  EXPECT_EQ(facts->server_version, "10.11.19-MariaDB");
  EXPECT_EQ(facts->page_size, 8192U);
  EXPECT_EQ(facts->undo_tablespaces, "3");
  EXPECT_EQ(facts->settings.at("lower_case_table_names"), "1");
  EXPECT_EQ(facts->table_checksums.size(), 1U);
}

TEST_F(DrillSubjectTest, ABackupOfMariadbBackupTellsSomeOfIt) {
  testing::PutSmallBackup(fs_);

  const auto facts = Load(testing::kSmallBackupDir);

  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ(facts->uuid, "");
  EXPECT_EQ(facts->page_size, testing::kSmallBackupPageSize);
}

TEST_F(DrillSubjectTest, WhatIsNoBackupIsNamed) {
  fs_.PutDirectory("/b");

  EXPECT_THAT(Load("/b").status(), StatusIs(StatusCode::kNotFound, HasSubstr("/b is no backup")));
}

TEST_F(DrillSubjectTest, SizesAreOfDatabasesAndOfWhatIsBeside) {
  fs_.PutFile("/d/ibdata1", std::string(100, 'x'));
  fs_.PutFile("/d/big/t.ibd", std::string(50, 'x'));
  fs_.PutFile("/d/big/u.ibd", std::string(70, 'x'));
  fs_.PutFile("/d/small/t.MYD", "x");
  fs_.PutFile("/d/#rocksdb/000001.sst", "x");

  const auto copy = LookAtCopy(fs_, "/d");

  ASSERT_THAT(copy, IsOk());
  EXPECT_EQ(copy->bytes, 222U);
  EXPECT_TRUE(copy->has_rocksdb_files);
  ASSERT_EQ(copy->databases.size(), 4U);
  EXPECT_EQ(copy->databases[0].name, "big");
  EXPECT_EQ(copy->databases[0].bytes, 120U);
  EXPECT_EQ(copy->databases[0].file_count, 2U);
  EXPECT_EQ(copy->databases[1].name, "");
  EXPECT_THAT(StoredBytes(fs_, "/d"), IsOkAndHolds(222U));
}

TEST_F(DrillSubjectTest, LinksThatLeadNowhereAreRemoved) {
  fs_.PutFile("/d/shop/t.isl", "/elsewhere/shop/t.ibd");
  fs_.PutFile("/d/shop/t.ibd", "rows");

  EXPECT_THAT(RemoveTablespaceLinks(fs_, "/d"), IsOkAndHolds(1U));

  EXPECT_THAT(io::Exists(fs_, "/d/shop/t.isl"), IsOkAndHolds(false));
  EXPECT_THAT(io::Exists(fs_, "/d/shop/t.ibd"), IsOkAndHolds(true));
}

// A server would open the file of the live one, and write to it.
TEST_F(DrillSubjectTest, ALinkToALiveFileForbidsTheDrill) {
  fs_.PutFile("/d/shop/a.isl", "/elsewhere/shop/a.ibd");
  fs_.PutFile("/d/shop/t.isl", "/live/shop/t.ibd");
  fs_.PutFile("/live/shop/t.ibd", "rows");

  EXPECT_THAT(RemoveTablespaceLinks(fs_, "/d").status(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("/live/shop/t.ibd exists")));
  EXPECT_EQ(fs_.Contents("/live/shop/t.ibd"), "rows");
}

TEST_F(DrillSubjectTest, ALinkThatIsNoneIsDamage) {
  fs_.PutFile("/d/shop/t.isl", "nonsense");

  EXPECT_THAT(RemoveTablespaceLinks(fs_, "/d").status(),
              StatusIs(StatusCode::kCorruption, HasSubstr("/d/shop/t.isl")));
}

}  // namespace
}  // namespace hbk::drill
