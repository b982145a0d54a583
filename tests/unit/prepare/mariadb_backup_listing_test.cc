#include "mariadb_backup_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

class MariadbBackupListingTest : public ::testing::Test {
 protected:
  MariadbBackupListingTest() {
    PutDelta("ibdata1", 0);
    fs_.PutFile("/i/d/db.opt", "");
  }

  void PutDelta(const std::string& name, innodb::SpaceId id) {
    fs_.PutFile("/i/" + name + ".delta", "delta of " + name);
    fs_.PutFile("/i/" + name + ".meta",
                "page_size = 16384\nzip_size = 0 \nspace_id = " + std::to_string(id) + "\n");
  }
  Result<MariadbBackupListing> List() { return ListMariadbBackupIncrement(fs_, "/i", {"ibdata1"}); }
  // "name < file" for each tablespace.
  std::vector<std::string> Spaces() {
    const auto listing = List();
    EXPECT_THAT(listing, IsOk());
    std::vector<std::string> spaces;
    if (!listing.ok()) return spaces;
    for (const ListedTablespace& space : listing->tablespaces)
      spaces.push_back(space.name + " < " + space.path + (space.is_whole ? ", whole" : ""));
    return spaces;
  }

  MemFileSystem fs_;
};

TEST_F(MariadbBackupListingTest, DeltasAndOtherFiles) {
  PutDelta("undo001", 1);
  PutDelta("d/t", 7);
  PutDelta("d/t.ibd", 8);
  ASSERT_THAT(fs_.Remove("/i/d/t.delta"), IsOk());
  ASSERT_THAT(fs_.Remove("/i/d/t.meta"), IsOk());
  fs_.PutFile("/i/d/m.MYD", "rows");
  fs_.PutFile("/i/ib_logfile0", "redo");

  const auto listing = List();

  ASSERT_THAT(listing, IsOk());
  EXPECT_THAT(Spaces(), ElementsAre("d/t.ibd < /i/d/t.ibd.delta", "ibdata1 < /i/ibdata1.delta",
                                    "undo001 < /i/undo001.delta"));
  EXPECT_EQ(listing->tablespaces[0].meta.space_id, 8U);
  EXPECT_EQ(listing->tablespaces[2].kind, datadir::FileKind::kUndoTablespace);
  EXPECT_THAT(listing->databases, ElementsAre("d"));
  std::vector<std::string> others;
  for (const datadir::DataFile& file : listing->others)
    others.push_back(file.name);
  EXPECT_THAT(others, ElementsAre("d/db.opt", "d/m.MYD", "ib_logfile0"));
}

TEST_F(MariadbBackupListingTest, DroppedWhileItWasCopied) {
  PutDelta("d/t.ibd", 7);
  fs_.PutFile("/i/d/t.del", "");

  EXPECT_THAT(Spaces(), ElementsAre("ibdata1 < /i/ibdata1.delta"));
}

// mariadb-backup 10.11.19 cannot prepare this one.
TEST_F(MariadbBackupListingTest, NamesThatWereSwapped) {
  PutDelta("d/a.ibd", 7);
  PutDelta("d/b.ibd", 8);
  fs_.PutFile("/i/d/a.ren", "d/b");
  fs_.PutFile("/i/d/b.ren", "d/a");

  EXPECT_THAT(Spaces(), ElementsAre("d/a.ibd < /i/d/b.ibd.delta", "d/b.ibd < /i/d/a.ibd.delta",
                                    "ibdata1 < /i/ibdata1.delta"));
}

// TRUNCATE TABLE: the delta is that of the tablespace before.
TEST_F(MariadbBackupListingTest, CopiedWholeInTheEnd) {
  PutDelta("d/t.ibd", 7);
  fs_.PutFile("/i/d/t.new", "all of it");

  EXPECT_THAT(Spaces(), ElementsAre("d/t.ibd < /i/d/t.new, whole", "ibdata1 < /i/ibdata1.delta"));
}

TEST_F(MariadbBackupListingTest, TwoOfOneNameAreRefused) {
  PutDelta("d/a.ibd", 7);
  PutDelta("d/b.ibd", 8);
  fs_.PutFile("/i/d/a.ren", "d/b");

  EXPECT_THAT(List(), StatusIs(StatusCode::kCorruption, HasSubstr("are both about d/b.ibd")));
}

TEST_F(MariadbBackupListingTest, AnIncrementThatWasUsedUpIsRefused) {
  PutDelta("d/t.ibd", 7);
  ASSERT_THAT(fs_.Remove("/i/d/t.ibd.delta"), IsOk());
  EXPECT_THAT(List(), StatusIs(StatusCode::kChainBroken, HasSubstr("t.ibd.meta has no delta")));
  EXPECT_THAT(List().status().hint(), HasSubstr("removes the deltas"));

  ASSERT_THAT(fs_.Remove("/i/d/t.ibd.meta"), IsOk());
  fs_.PutFile("/i/d/t.ibd", "of a .new file");
  EXPECT_THAT(List(), StatusIs(StatusCode::kChainBroken, HasSubstr("/i/d/t.ibd is no part")));

  ASSERT_THAT(fs_.Remove("/i/d/t.ibd"), IsOk());
  ASSERT_THAT(fs_.Remove("/i/ibdata1.delta"), IsOk());
  ASSERT_THAT(fs_.Remove("/i/ibdata1.meta"), IsOk());
  EXPECT_THAT(List(), StatusIs(StatusCode::kChainBroken, HasSubstr("no delta of ibdata1")));
}

TEST_F(MariadbBackupListingTest, WhatCannotBeReadIsRefused) {
  PutDelta("d/t.ibd", 7);
  ASSERT_THAT(fs_.Remove("/i/d/t.ibd.meta"), IsOk());
  EXPECT_THAT(List(), StatusIs(StatusCode::kCorruption, HasSubstr("t.ibd.meta is missing")));

  PutDelta("d/t.ibd", 0);
  EXPECT_THAT(List(), StatusIs(StatusCode::kCorruption, HasSubstr("said to be of tablespace 0")));

  fs_.PutFile("/i/d/t.ibd.meta", "page_size = 1\n");
  EXPECT_THAT(List(), StatusIs(StatusCode::kCorruption, HasSubstr("/i/d/t.ibd.meta: ")));

  PutDelta("d/t.ibd", 7);
  PutDelta("what", 9);
  EXPECT_THAT(List(), StatusIs(StatusCode::kCorruption, HasSubstr("what.delta is of no table")));
}

TEST_F(MariadbBackupListingTest, CompressedFilesAreRefused) {
  fs_.PutFile("/i/d/t.ibd.delta.qp", "");

  EXPECT_THAT(List(), StatusIs(StatusCode::kUnsupported, HasSubstr("t.ibd.delta.qp")));
}

}  // namespace
}  // namespace hbk::prepare
