#include "hbk/info/backup_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::info {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

BackupDescription Full(const std::string& uuid, uint64_t to_lsn, uint64_t last_lsn) {
  BackupDescription backup;
  backup.backup_uuid = uuid;
  backup.to_lsn = to_lsn;
  backup.last_lsn = last_lsn;
  return backup;
}

BackupDescription Increment(const std::string& uuid, const std::string& base_uuid,
                            uint64_t base_lsn, uint64_t last_lsn) {
  BackupDescription backup = Full(uuid, last_lsn, last_lsn);
  backup.base = manifest::BaseBackup{
      .backup_uuid = base_uuid, .origin = base_uuid.empty() ? "lsn" : "hbk", .last_lsn = base_lsn};
  return backup;
}

// "index<parent" in their order, "-" for none; deeper ones behind dots.
std::vector<std::string> Drawn(const std::vector<BackupDescription>& backups) {
  std::vector<std::string> drawn;
  for (const ChainLink& link : OrderChains(backups)) {
    drawn.push_back(std::string(link.depth, '.') + std::to_string(link.index) +
                    (link.parent ? "<" + std::to_string(*link.parent) : "") +
                    (link.is_by_lsn ? " lsn" : ""));
  }
  return drawn;
}

TEST(BackupChainTest, IncrementsStandBehindTheirBaseOldestFirst) {
  EXPECT_THAT(Drawn({Increment("c", "b", 200, 300), Increment("d", "a", 100, 250),
                     Full("a", 90, 100), Increment("b", "a", 100, 200)}),
              ElementsAre("2", ".3<2", "..0<3", ".1<2"));
}

TEST(BackupChainTest, WithoutAUuidTheLsnDecides) {
  EXPECT_THAT(
      Drawn({Increment("b", "", 90, 200), Full("a", 90, 100), Increment("c", "", 100, 300)}),
      ElementsAre("1", ".0<1 lsn", ".2<1 lsn"));
}

TEST(BackupChainTest, AUuidIsNotReplacedByAnLsn) {
  EXPECT_THAT(Drawn({Full("a", 90, 100), Increment("b", "x", 100, 200)}), ElementsAre("0", "1"));
}

TEST(BackupChainTest, WhatRefersToItselfOrInCirclesIsStillListed) {
  EXPECT_THAT(Drawn({Increment("a", "a", 1, 2)}), ElementsAre("0"));
  const auto drawn = Drawn({Increment("a", "c", 1, 2), Increment("b", "a", 1, 2),
                            Increment("c", "b", 1, 2), Increment("d", "c", 1, 2)});
  EXPECT_EQ(drawn.size(), 4U);
}

TEST(BackupChainTest, NothingGivesNothing) {
  EXPECT_THAT(Drawn({}), IsEmpty());
}

}  // namespace
}  // namespace hbk::info
