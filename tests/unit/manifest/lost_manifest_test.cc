#include "hbk/manifest/lost_manifest.h"

#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/chunk_hashes.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

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

// A list of two chunks, which is kept under its digest.
std::vector<uint8_t> ListOf(uint8_t byte) {
  return std::vector<uint8_t>(2 * filter::kChunkHashBytes, byte);
}

class PreparedElsewhereTest : public ::testing::Test {
 protected:
  PreparedElsewhereTest() {
    fs_.PutDirectory("/b");
    ManifestFile file;
    file.digest = filter::DigestOfChunkHashes(ListOf(1));
    manifest_.files.push_back(file);
  }
  void PutChunks(const std::vector<uint8_t>& list) {
    ChunkHashes hashes;
    hashes.Add(list);
    fs_.PutFile("/b/hbk_chunks", hashes.Render());
  }
  Status Check() { return CheckPreparedElsewhere(fs_, "/b", manifest_); }

  MemFileSystem fs_;
  BackupManifest manifest_;
};

TEST_F(PreparedElsewhereTest, ChunksOfTheManifestsFilesAreAsMariadbBackupLeavesThem) {
  PutChunks(ListOf(1));

  EXPECT_THAT(Check(), IsOk());
}

TEST_F(PreparedElsewhereTest, ChunksOfOtherFilesAreOfAnotherBackup) {
  PutChunks(ListOf(2));

  EXPECT_THAT(Check(), StatusIs(StatusCode::kCorruption,
                                HasSubstr("/b/hbk_manifest.json: it is not of this backup")));
}

TEST_F(PreparedElsewhereTest, WithoutUsableChunksNothingIsKnown) {
  EXPECT_THAT(Check(), IsOk());
  fs_.PutFile("/b/hbk_chunks", "x");
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(PreparedElsewhereTest, WhatCannotBeReadIsNotTakenForMissing) {
  fs_.PutDirectory("/b/hbk_chunks");

  EXPECT_FALSE(Check().ok());
}

}  // namespace
}  // namespace hbk::manifest
