#include "tablespace_set.h"

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "increment_base.h"
#include "tablespace_image.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::tablespace_set_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::SilentReporter;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Pair;

constexpr uint32_t kPageBytes = 16384;

std::string SpaceBytes(SpaceId id) {
  TablespaceImage image;
  image.space_id = id;
  return MakeTablespace(image);
}

class TablespaceSetTest : public ::testing::Test {
 protected:
  TablespaceSetTest() {
    fs_.PutDirectory("/target");
    fs_.PutFile("/data/ibdata1", SpaceBytes(0));
    datadir::LayoutOptions options;
    options.datadir = "/data";
    auto layout = datadir::MakeLayout(options);
    EXPECT_THAT(layout, IsOk());
    layout_ = std::move(layout).value();
  }

  datadir::Scan Scan() {
    auto scan = datadir::ScanDatadir(fs_, layout_, {});
    EXPECT_THAT(scan, IsOk());
    return std::move(scan).value();
  }
  Status CopyAll() { return set_.CopyAll(Scan(), layout_, open_, {}); }
  Status FollowDdl(const SpaceChanges& changes) {
    datadir::Scan scan = Scan();
    return set_.FollowDdl(scan, &changes, {}, ListOpen, {});
  }

  // What is decided early of the files as they are now.
  void DecideEarly(const SpaceChanges& changes) {
    scan_ = Scan();
    ASSERT_THAT(set_.DecideEarly(scan_, &changes), IsOk());
  }
  // Under BLOCK_DDL, after DecideEarly.
  Status FollowNews(const SpaceChanges& changes, const SpaceChanges& news) {
    datadir::ScanOptions options;
    options.needs_no_look = [this](const datadir::DataFile& file) {
      return set_.HasTrustedCopyOf(file.info);
    };
    HBK_ASSIGN_OR_RETURN(scan_, datadir::ScanDatadir(fs_, layout_, options, std::move(scan_)));
    return set_.FollowDdl(scan_, &changes, news, ListOpen, {});
  }
  size_t CountAside(const std::string& database) {
    return scan_.aside.contains(database) ? scan_.aside[database].size() : 0;
  }

  static Result<std::vector<server::TablespaceRow>> ListOpen() {
    return std::vector<server::TablespaceRow>{{5, "d/a"}};
  }

  static SpaceChange Created(const std::string& path) {
    SpaceChange change;
    change.is_created = true;
    change.has_first_page = true;
    change.last_path = path;
    return change;
  }

  datadir::Scan scan_;
  MemFileSystem fs_;
  SilentReporter reporter_;
  datadir::Layout layout_;
  OpenSpaces open_{{5, 6}, 6};
  BackupRecord record_;
  FileCopier copier_{
      fs_, reporter_, {.target_dir = "/target", .workers = 1, .page_size = kPageBytes}};
  TablespaceSet set_{fs_, copier_, "/target", kPageBytes, record_};
};

TEST_F(TablespaceSetTest, EverythingOfInnodbIsCopiedInStart) {
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));

  ASSERT_THAT(CopyAll(), IsOk());

  EXPECT_THAT(record_.files, ElementsAre(Key("d/a.ibd"), Key("ibdata1")));
  EXPECT_EQ(record_.files["d/a.ibd"].stage, "start");
  EXPECT_EQ(record_.files["d/a.ibd"].kind, "tablespace");
  EXPECT_EQ(record_.files["ibdata1"].kind, "system-tablespace");
  EXPECT_EQ(fs_.Contents("/target/d/a.ibd"), SpaceBytes(5));
}

TEST_F(TablespaceSetTest, SwappedTablesAreSwappedInTheTarget) {
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  fs_.PutFile("/data/d/b.ibd", SpaceBytes(6));
  ASSERT_THAT(CopyAll(), IsOk());
  ASSERT_THAT(fs_.Rename("/data/d/a.ibd", "/data/d/x"), IsOk());
  ASSERT_THAT(fs_.Rename("/data/d/b.ibd", "/data/d/a.ibd"), IsOk());
  ASSERT_THAT(fs_.Rename("/data/d/x", "/data/d/b.ibd"), IsOk());

  ASSERT_THAT(FollowDdl({}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/d/a.ibd"), SpaceBytes(6));
  EXPECT_EQ(fs_.Contents("/target/d/b.ibd"), SpaceBytes(5));
  EXPECT_THAT(record_.files, ElementsAre(Key("d/a.ibd"), Key("d/b.ibd"), Key("ibdata1")));
  EXPECT_EQ(record_.files["d/a.ibd"].name, "d/a.ibd");
  EXPECT_EQ(set_.counts().renamed, 2U);
}

TEST_F(TablespaceSetTest, WhatIsDecidedEarlyStaysWhereItsDirectoryIsAsItWas) {
  fs_.SetHasBirths(true);
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  fs_.PutFile("/data/d/blank.ibd", std::string(4 * kPageBytes, '\0'));
  fs_.PutFile("/data/e/b.ibd", SpaceBytes(6));
  ASSERT_THAT(CopyAll(), IsOk());
  const SpaceChanges changes = {{9, Created("./d/blank.ibd")}};
  DecideEarly(changes);
  EXPECT_EQ(CountAside("d"), 2U);
  EXPECT_EQ(CountAside("e"), 1U);
  ASSERT_THAT(fs_.Rename("/data/e/b.ibd", "/data/e/c.ibd"), IsOk());

  ASSERT_THAT(FollowNews(changes, {}), IsOk());

  EXPECT_EQ(CountAside("d"), 2U);
  EXPECT_EQ(set_.counts().renamed, 1U);
  EXPECT_EQ(set_.counts().removed, 0U);
  EXPECT_EQ(set_.counts().copied_late, 0U);
  EXPECT_EQ(set_.counts().left_to_redo, 1U);
  SpaceChange pages;
  pages.last_path = "./d/a.ibd";
  EXPECT_THAT(set_.CheckComplete({{5, pages}}), IsOk());
  datadir::BringBackAll(scan_);
  ASSERT_THAT(set_.CompleteAfterEnd(scan_), IsOk());
  EXPECT_THAT(record_.files,
              ElementsAre(Key("d/a.ibd"), Key("d/blank.ibd"), Key("e/c.ibd"), Key("ibdata1")));
}

// A discarded table, whose next file got the inode of the one before at the same moment.
TEST_F(TablespaceSetTest, WhatTheLogTellsOfIsNotDecidedEarly) {
  fs_.SetHasBirths(true);
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  ASSERT_THAT(CopyAll(), IsOk());
  DecideEarly({});
  ASSERT_EQ(CountAside("d"), 1U);
  SpaceChange deleted;
  deleted.is_deleted = true;

  ASSERT_THAT(FollowNews({{5, deleted}}, {{5, deleted}}), IsOk());

  EXPECT_EQ(CountAside("d"), 0U);
  EXPECT_EQ(set_.counts().removed, 1U);
  EXPECT_EQ(set_.counts().copied_late, 1U);
  EXPECT_EQ(record_.files["d/a.ibd"].stage, "block-ddl");
}

TEST_F(TablespaceSetTest, AFileWithTheIdOfOneThatWasDecidedEarlyIsAStrangerStill) {
  fs_.SetHasBirths(true);
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  ASSERT_THAT(CopyAll(), IsOk());
  DecideEarly({});
  ASSERT_EQ(CountAside("d"), 1U);
  fs_.PutFile("/data/e/import.ibd", SpaceBytes(5));

  ASSERT_THAT(FollowNews({}, {}), IsOk());

  EXPECT_THAT(record_.warnings, ElementsAre(HasSubstr("e/import.ibd is left out")));
  EXPECT_THAT(record_.files, ElementsAre(Key("d/a.ibd"), Key("ibdata1")));
}

TEST_F(TablespaceSetTest, TableMovedToANewDatabaseMovesInTheTarget) {
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  ASSERT_THAT(CopyAll(), IsOk());
  fs_.PutDirectory("/data/e");
  ASSERT_THAT(fs_.Rename("/data/d/a.ibd", "/data/e/a.ibd"), IsOk());

  ASSERT_THAT(FollowDdl({}), IsOk());

  EXPECT_THAT(record_.files, ElementsAre(Key("e/a.ibd"), Key("ibdata1")));
  EXPECT_EQ(fs_.Contents("/target/e/a.ibd"), SpaceBytes(5));
}

TEST_F(TablespaceSetTest, DroppedTableLeavesTheTarget) {
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  ASSERT_THAT(CopyAll(), IsOk());
  ASSERT_THAT(fs_.Remove("/data/d/a.ibd"), IsOk());
  SpaceChange deleted;
  deleted.is_deleted = true;
  deleted.last_path = "./d/a.ibd";

  ASSERT_THAT(FollowDdl({{5, deleted}}), IsOk());

  EXPECT_THAT(record_.files, ElementsAre(Key("ibdata1")));
  EXPECT_FALSE(io::Exists(fs_, "/target/d/a.ibd").value());
  EXPECT_THAT(set_.CheckComplete({{5, deleted}}), IsOk());
}

TEST_F(TablespaceSetTest, TableOfRedoLeavesPagesOfZeros) {
  ASSERT_THAT(CopyAll(), IsOk());
  fs_.PutFile("/data/d/new.ibd", std::string(4 * kPageBytes, '\0'));

  ASSERT_THAT(FollowDdl({{9, Created("./d/new.ibd")}}), IsOk());
  ASSERT_THAT(set_.CompleteAfterEnd(Scan()), IsOk());

  EXPECT_EQ(fs_.Contents("/target/d/new.ibd"), std::string(4 * kPageBytes, '\0'));
  EXPECT_EQ(record_.files["d/new.ibd"].size, 4 * kPageBytes);
  EXPECT_EQ(record_.files["d/new.ibd"].stage, "end");
}

TEST_F(TablespaceSetTest, NewTableUnknownToRedoIsCopiedUnderBlockDdl) {
  ASSERT_THAT(CopyAll(), IsOk());
  fs_.PutFile("/data/d/imported.ibd", SpaceBytes(9));

  ASSERT_THAT(FollowDdl({}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/d/imported.ibd"), SpaceBytes(9));
  EXPECT_EQ(record_.files["d/imported.ibd"].stage, "block-ddl");
}

TEST_F(TablespaceSetTest, LeftoverWithoutFirstPageIsWarnedAbout) {
  ASSERT_THAT(CopyAll(), IsOk());
  fs_.PutFile("/data/d/leftover.ibd", std::string(4 * kPageBytes, '\0'));
  fs_.PutFile("/data/d/leftover.frm", "");

  ASSERT_THAT(FollowDdl({}), IsOk());

  EXPECT_THAT(record_.warnings, ElementsAre(HasSubstr("d/leftover.ibd is left out")));
  EXPECT_THAT(record_.files, ElementsAre(Key("ibdata1")));
}

TEST_F(TablespaceSetTest, ADamagedFirstPageIsLookedAtAlsoWhereTheLogCannotBeRead) {
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  ASSERT_THAT(CopyAll(), IsOk());
  const auto file = fs_.Open("/data/d/a.ibd", {.write = true});
  ASSERT_THAT(file.value()->WriteAt(innodb::kFspSpaceId, AsBytes("damage")), IsOk());
  std::stop_source stop;  // Or it would wait for the page to heal.
  stop.request_stop();

  datadir::Scan scan = Scan();
  EXPECT_THAT(set_.FollowDdl(scan, nullptr, {}, ListOpen, stop.get_token()),
              StatusIs(StatusCode::kInterrupted, _));
  EXPECT_FALSE(io::Exists(fs_, "/target/d/a.ibd").value());
}

TEST_F(TablespaceSetTest, WhatTheServerHadNotOpenIsCopiedAgainUnderBlockDdl) {
  // It may have been imported meanwhile, in place and without a word in the log.
  open_.ids = {6};
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  fs_.PutFile("/data/d/b.ibd", SpaceBytes(6));
  fs_.PutFile("/data/d/orphan.ibd", SpaceBytes(4));
  ASSERT_THAT(CopyAll(), IsOk());
  for (const char* path : {"/data/d/a.ibd", "/data/d/b.ibd"}) {
    const auto file = fs_.Open(path, {.write = true});
    ASSERT_THAT(file.value()->WriteAt(0, AsBytes(SpaceBytes(path[8] == 'a' ? 5 : 6))), IsOk());
  }

  ASSERT_THAT(FollowDdl({}), IsOk());

  EXPECT_EQ(record_.files["d/a.ibd"].stage, "block-ddl");
  EXPECT_EQ(record_.files["d/b.ibd"].stage, "start");
  EXPECT_EQ(record_.files["d/orphan.ibd"].stage, "start");  // Nobody has written to it.
}

TEST_F(TablespaceSetTest, AFileThatWaitsForItsImportIsLeftOut) {
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  fs_.PutFile("/data/d/b.ibd", SpaceBytes(5));
  for (const char* path : {"/data/d/a.frm", "/data/d/b.frm"})
    fs_.PutFile(path, "");
  ASSERT_THAT(CopyAll(), IsOk());

  ASSERT_THAT(FollowDdl({}), IsOk());

  EXPECT_THAT(record_.warnings, ElementsAre(HasSubstr("d/b.ibd is left out")));
  EXPECT_THAT(record_.files, ElementsAre(Key("d/a.ibd"), Key("ibdata1")));
}

TEST_F(TablespaceSetTest, OrphansAreCopiedWithAWarning) {
  for (const char* name :
       {"a.ibd", "FTS_0001_DELETED.ibd", "p#P#p0.ibd", "v#i#00.ibd", "p.frm", "v.frm"})
    fs_.PutFile(std::string("/data/d/") + name, std::string(4 * kPageBytes, '\0'));
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  ASSERT_THAT(CopyAll(), IsOk());

  datadir::Scan scan = Scan();
  ASSERT_THAT(set_.FollowDdl(scan, nullptr, {}, ListOpen, {}), IsOk());
  ASSERT_THAT(set_.CompleteAfterEnd(Scan()), IsOk());

  EXPECT_THAT(record_.warnings, ElementsAre(HasSubstr("/data/d/a.ibd belongs to no table")));
}

TEST_F(TablespaceSetTest, DamageFollowsItsFile) {
  std::string bytes = SpaceBytes(5);
  bytes[3 * kPageBytes + 5000] ^= 1;
  fs_.PutFile("/data/d/a.ibd", bytes);
  FileCopier copier(
      fs_, reporter_,
      {.target_dir = "/target", .workers = 1, .page_size = kPageBytes, .keep_damaged_pages = true});
  TablespaceSet set(fs_, copier, "/target", kPageBytes, record_);
  ASSERT_THAT(set.CopyAll(Scan(), layout_, open_, {}), IsOk());
  ASSERT_THAT(fs_.Rename("/data/d/a.ibd", "/data/d/b.ibd"), IsOk());

  datadir::Scan scan = Scan();
  ASSERT_THAT(set.FollowDdl(scan, nullptr, {}, ListOpen, {}), IsOk());

  EXPECT_THAT(record_.damaged, ElementsAre(Key("d/b.ibd")));
  EXPECT_EQ(record_.damaged["d/b.ibd"].space_id, 5U);
}

TEST_F(TablespaceSetTest, ChangedTablespaceThatIsNotThereFailsTheBackup) {
  ASSERT_THAT(CopyAll(), IsOk());
  ASSERT_THAT(FollowDdl({}), IsOk());
  SpaceChange modified;
  modified.is_modified = true;
  modified.last_path = "./d/lost.ibd";
  EXPECT_THAT(set_.CheckComplete({{7, modified}}),
              StatusIs(StatusCode::kFailed, HasSubstr("./d/lost.ibd (tablespace 7)")));
}

TEST_F(TablespaceSetTest, ABlankTableThatTheBaseHasNotSeenIsNoticed) {
  const IncrementBase base(manifest::BaseBackup{"", "lsn", 100});
  fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
  EXPECT_FALSE(HasBlankTable(fs_, Scan(), base).value());
  fs_.PutFile("/data/d/b.ibd", std::string(4 * kPageBytes, '\0'));
  EXPECT_TRUE(HasBlankTable(fs_, Scan(), base).value());
}

// Pages have LSNs from 1000000 on.
class SpaceIncrementTest : public TablespaceSetTest {
 protected:
  SpaceIncrementTest() {
    fs_.SetHasBirths(true);
    fs_.PutFile("/data/d/a.ibd", SpaceBytes(5));
    fs_.PutFile("/data/d/b.ibd", SpaceBytes(6));
    EXPECT_THAT(CopyAll(), IsOk());
    manifest::BackupManifest manifest;
    manifest.last_lsn = 1'000'005;
    for (const auto& entry : record_.files)
      manifest.files.push_back(entry.second);
    base_ = std::make_unique<IncrementBase>(manifest);
    copier_of_increment_ = std::make_unique<FileCopier>(
        fs_, reporter_,
        FileCopierOptions{
            .target_dir = "/inc", .workers = 1, .page_size = kPageBytes, .base = base_.get()});
    increment_ = std::make_unique<TablespaceSet>(fs_, *copier_of_increment_, "/inc", kPageBytes,
                                                 increment_record_);
    fs_.PutDirectory("/inc");
  }

  std::unique_ptr<IncrementBase> base_;
  std::unique_ptr<FileCopier> copier_of_increment_;
  BackupRecord increment_record_;
  std::unique_ptr<TablespaceSet> increment_;
};

TEST_F(SpaceIncrementTest, DeltasFollowTheDdlOfTheServer) {
  fs_.PutFile("/data/d/new.ibd", SpaceBytes(7));
  ASSERT_THAT(increment_->CopyAll(Scan(), layout_, {{5, 6, 7}, 7}, {}), IsOk());
  EXPECT_THAT(fs_.Tree("/inc"),
              ElementsAre(Key("/inc/d/a.ibd.hbk_delta"), Key("/inc/d/b.ibd.hbk_delta"),
                          Key("/inc/d/new.ibd.hbk_delta"), Key("/inc/ibdata1.hbk_delta")));
  ASSERT_THAT(fs_.Rename("/data/d/a.ibd", "/data/d/c.ibd"), IsOk());
  ASSERT_THAT(fs_.Remove("/data/d/b.ibd"), IsOk());

  const SpaceChanges none;
  datadir::Scan scan = Scan();
  ASSERT_THAT(increment_->FollowDdl(scan, &none, {}, ListOpen, {}), IsOk());

  EXPECT_THAT(fs_.Tree("/inc"),
              ElementsAre(Key("/inc/d/c.ibd.hbk_delta"), Key("/inc/d/new.ibd.hbk_delta"),
                          Key("/inc/ibdata1.hbk_delta")));
  const manifest::ManifestFile& renamed = increment_record_.files.at("d/c.ibd");
  EXPECT_EQ(renamed.name, "d/c.ibd");
  EXPECT_FALSE(renamed.replaces_base);
  EXPECT_EQ(renamed.space->space_id, 5U);
  EXPECT_TRUE(increment_record_.files.at("d/new.ibd").replaces_base);
  EXPECT_THAT(increment_record_.increment_pages,
              ElementsAre(Pair("d/c.ibd", 2U), Pair("d/new.ibd", 8U), Pair("ibdata1", 2U)));
}

TEST_F(SpaceIncrementTest, ATableThatRedoChangesAndNoFileHasIsMissed) {
  ASSERT_THAT(fs_.Remove("/data/d/b.ibd"), IsOk());
  ASSERT_THAT(increment_->CopyAll(Scan(), layout_, {{5}, 6}, {}), IsOk());
  SpaceChange pages;
  pages.has_pages = true;

  EXPECT_THAT(increment_->CheckComplete({{5, pages}, {6, pages}}),
              StatusIs(StatusCode::kFailed, HasSubstr("d/b.ibd (tablespace 6)")));
}

}  // namespace
}  // namespace hbk::backup::tablespace_set_test
