#include "complete_backup.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::extract {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

using Files = std::map<std::string, uint64_t>;

TEST(CompleteBackupTest, LastFilesOfBothProgramsAreEnough) {
  EXPECT_THAT(CheckComplete(Files{{"hbk_manifest.json", 1}}), IsOk());
  EXPECT_THAT(CheckComplete(Files{{"hbk_manifest.json.zst", 1}}), IsOk());
  EXPECT_THAT(CheckComplete(Files{
                  {"backup-my.cnf", 1}, {"xtrabackup_checkpoints", 2}, {"xtrabackup_info", 3}}),
              IsOk());
  EXPECT_THAT(
      CheckComplete(Files{
          {"backup-my.cnf", 1}, {"mariadb_backup_checkpoints", 2}, {"mariadb_backup_info.qp", 3}}),
      IsOk());
}

TEST(CompleteBackupTest, LessIsCutOff) {
  const Files all{{"backup-my.cnf", 1}, {"xtrabackup_checkpoints", 2}, {"xtrabackup_info", 3}};
  for (const auto& [name, file] : all) {
    Files less = all;
    less.erase(name);
    EXPECT_THAT(CheckComplete(less), StatusIs(StatusCode::kCorruption, HasSubstr("cut off")))
        << name;
  }
  EXPECT_THAT(CheckComplete({}), StatusIs(StatusCode::kCorruption, HasSubstr("cut off")));
  EXPECT_THAT(CheckComplete(Files{{"db/hbk_manifest.json", 1}, {"hbk_manifest.jsonx", 2}}),
              StatusIs(StatusCode::kCorruption, HasSubstr("cut off")));
}

TEST(CompleteBackupTest, WhatMakesItABackupIsNamedLast) {
  EXPECT_EQ(TurnOf("ibdata1"), NameTurn::kContent);
  EXPECT_EQ(TurnOf("db/backup-my.cnf"), NameTurn::kContent);
  EXPECT_EQ(TurnOf("backup-my.cnf"), NameTurn::kMetadata);
  EXPECT_EQ(TurnOf("xtrabackup_checkpoints"), NameTurn::kMetadata);
  EXPECT_EQ(TurnOf("mariadb_backup_info"), NameTurn::kMetadata);
  EXPECT_EQ(TurnOf("hbk_manifest.json"), NameTurn::kManifest);
}

}  // namespace
}  // namespace hbk::extract
