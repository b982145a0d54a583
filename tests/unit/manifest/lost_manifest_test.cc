#include "hbk/manifest/lost_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;

class LostManifestTest : public ::testing::Test {
 protected:
  LostManifestTest() {
    fs_.PutDirectory("/b");
    metadata_.names.info = "xtrabackup_info";
  }
  Result<bool> HasLost() { return HasLostManifest(fs_, "/b", &metadata_); }

  MemFileSystem fs_;
  MariadbBackupSet metadata_;
};

TEST_F(LostManifestTest, BackupOfMariadbBackupHasNone) {
  fs_.PutFile("/b/xtrabackup_info", "uuid = 1\ntool_name = mariadb-backup\n");

  EXPECT_THAT(HasLost(), IsOkAndHolds(false));
  EXPECT_THAT(HasLostManifest(fs_, "/b", nullptr), IsOkAndHolds(false));
}

TEST_F(LostManifestTest, FilesThatOnlyHbkMakesTellOfIt) {
  fs_.PutFile("/b/hbk_chunks", "");

  EXPECT_THAT(HasLost(), IsOkAndHolds(true));
  EXPECT_THAT(HasLostManifest(fs_, "/b", nullptr), IsOkAndHolds(true));
}

TEST_F(LostManifestTest, TheInfoFileTellsOfIt) {
  fs_.PutFile("/b/xtrabackup_info", "uuid = 1\ntool_name = hbk\n");

  EXPECT_THAT(HasLost(), IsOkAndHolds(true));
}

TEST_F(LostManifestTest, WhatHasAManifestHasNotLostIt) {
  fs_.PutFile("/b/hbk_chunks", "");
  fs_.PutFile("/b/hbk_manifest.json", "{}");

  EXPECT_THAT(HasLost(), IsOkAndHolds(false));
}

}  // namespace
}  // namespace hbk::manifest
