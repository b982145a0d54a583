#include "tablespace_table.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using innodb::FirstPageKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

FoundFile Table(std::string name, innodb::SpaceId id) {
  FoundFile file;
  file.name = std::move(name);
  file.size = 65536;
  file.first_page.kind = FirstPageKind::kValid;
  file.first_page.header.space_id = id;
  file.first_page.header.flags = innodb::TablespaceFlags::FullCrc32(16384);
  return file;
}

FoundFile Unwritten(std::string name, FirstPageKind kind = FirstPageKind::kDeferred) {
  FoundFile file;
  file.name = std::move(name);
  file.size = 65536;
  file.first_page.kind = kind;
  file.first_page.reason = kind == FirstPageKind::kDamaged ? "page 0: bad checksum" : "";
  return file;
}

SpaceLog Named(std::string name) {
  SpaceLog log;
  log.last_name = std::move(name);
  log.entry_count = 1;
  log.first_page_lsn = 4711;
  return log;
}

TEST(TemporaryNameTest, HoldsTheId) {
  EXPECT_EQ(TemporaryName("db/t.ibd", 17), "db/#hbk-17.ibd");
  EXPECT_EQ(IdOfTemporaryName("db/#hbk-17.ibd"), 17U);
  EXPECT_EQ(IdOfTemporaryName("db/t.ibd"), std::nullopt);
  EXPECT_EQ(IdOfTemporaryName("db/#hbk-x.ibd"), std::nullopt);
}

TEST(ResolveTablespacesTest, FileIsFoundByItsIdAndGetsItsLastName) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/new.ibd");

  const auto table = ResolveTablespaces({Table("db/old.ibd", 7)}, logs, {});

  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->spaces.at(7).name(), "db/old.ibd");
  EXPECT_EQ(table->spaces.at(7).final_name, "db/new.ibd");
  EXPECT_FALSE(table->spaces.at(7).is_new);
}

TEST(ResolveTablespacesTest, DroppedTablespaceLosesFileAndRedo) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/t.ibd");
  logs.spaces[7].is_deleted = true;

  const auto table = ResolveTablespaces({Table("db/t.ibd", 7)}, logs, {});

  ASSERT_THAT(table, IsOk());
  EXPECT_TRUE(table->spaces.empty());
  EXPECT_THAT(table->removals, ElementsAre("db/t.ibd"));
}

TEST(ResolveTablespacesTest, TablespaceThatCameBackAfterItsDeletionIsRefused) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/t.ibd");
  logs.spaces[7].has_returned = true;

  EXPECT_THAT(ResolveTablespaces({Table("db/t.ibd", 7)}, logs, {}),
              StatusIs(StatusCode::kUnsupported, HasSubstr("db/t.ibd was discarded and imported")));
}

TEST(ResolveTablespacesTest, ImportedFileThatTheBackupHasIsTaken) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/t.ibd");
  logs.spaces[7].has_returned = true;

  const auto table = ResolveTablespaces({Table("db/t.ibd", 7)}, logs, {.has_imported_files = true});

  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->spaces.at(7).name(), "db/t.ibd");
  EXPECT_THAT(ResolveTablespaces({}, logs, {.has_imported_files = true}),
              StatusIs(StatusCode::kUnsupported, HasSubstr("discarded and imported")));
}

TEST(ResolveTablespacesTest, ImportedFileThatNothingHasChangedSinceStays) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/t.ibd");
  logs.spaces[7].is_deleted = true;
  FoundFile imported = Table("db/t.ibd", 7);
  imported.has_zero_lsn = true;

  const auto table = ResolveTablespaces({imported}, logs, {.has_imported_files = true});

  ASSERT_THAT(table, IsOk());
  EXPECT_TRUE(table->removals.empty());
  EXPECT_TRUE(table->spaces.empty());
  // Another backup tool may have copied the file that was deleted.
  EXPECT_THAT(ResolveTablespaces({imported}, logs, {})->removals, ElementsAre("db/t.ibd"));
}

TEST(ResolveTablespacesTest, CopyOfAnUnfinishedAlterIsNotMissed) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/#sql-alter-75cb-2a7.ibd");

  const auto table = ResolveTablespaces({}, logs, {});

  ASSERT_THAT(table, IsOk());
  EXPECT_TRUE(table->spaces.empty());
  EXPECT_EQ(table->dropped.count(7), 1U);
}

TEST(ResolveTablespacesTest, TruncatedTableComesFromTheRedoWhileTheOldFileGoes) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/#sql-ib7.ibd");
  logs.spaces[7].is_deleted = true;
  logs.spaces[8] = Named("db/t.ibd");
  logs.spaces[8].has_first_page = true;

  const auto table = ResolveTablespaces({Table("db/t.ibd", 7)}, logs, {});

  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(table->removals, ElementsAre("db/t.ibd"));
  EXPECT_TRUE(table->spaces.at(8).is_new);
  EXPECT_EQ(table->spaces.at(8).name(), "db/#hbk-8.ibd");
  EXPECT_EQ(table->spaces.at(8).final_name, "db/t.ibd");
}

TEST(ResolveTablespacesTest, UnwrittenOrDamagedFileIsReplacedByTheRedo) {
  for (const FirstPageKind kind : {FirstPageKind::kDeferred, FirstPageKind::kDamaged}) {
    SpaceLogs logs;
    logs.spaces[8] = Named("db/t.ibd");
    logs.spaces[8].has_first_page = true;

    const auto table = ResolveTablespaces({Unwritten("db/t.ibd", kind)}, logs, {});

    ASSERT_THAT(table, IsOk());
    EXPECT_TRUE(table->spaces.at(8).is_new);
  }
}

// The other pages in it are from the delta of an increment.
TEST(ResolveTablespacesTest, UnwrittenFileThatIsKnownIsFinishedByTheRedo) {
  SpaceLogs logs;
  logs.spaces[7] = Named("");
  logs.spaces[7].has_first_page = true;
  logs.spaces[8] = Named("db/new.ibd");
  logs.spaces[8].has_first_page = true;

  const auto table = ResolveTablespaces({Unwritten("db/t.ibd"), Unwritten("db/old.ibd")}, logs,
                                        {.known_files = {{7, "db/t.ibd"}, {8, "db/old.ibd"}}});

  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->spaces.at(7).name(), "db/t.ibd");
  EXPECT_EQ(table->spaces.at(7).final_name, "db/t.ibd");
  EXPECT_TRUE(table->spaces.at(7).is_new && table->spaces.at(7).has_pages);
  EXPECT_EQ(table->spaces.at(8).name(), "db/old.ibd");
  EXPECT_EQ(table->spaces.at(8).final_name, "db/new.ibd");
  EXPECT_TRUE(table->warnings.empty() && table->removals.empty());
}

TEST(ResolveTablespacesTest, UnwrittenFileThatTheRedoDoesNotMakeIsWarnedOf) {
  const auto table = ResolveTablespaces(
      {Unwritten("db/lost.ibd"), Unwritten("db/#sql-alter-1-2.ibd")}, SpaceLogs(), {});
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(table->warnings, ElementsAre(HasSubstr("page 0 of db/lost.ibd is all zero")));
}

TEST(ResolveTablespacesTest, UnfinishedCopyOfAlterTableIsNotMade) {
  SpaceLogs logs;
  logs.spaces[8] = Named("db/#sql-alter-43f8-e.ibd");
  logs.spaces[8].has_first_page = true;

  const auto table = ResolveTablespaces({}, logs, {});

  ASSERT_THAT(table, IsOk());
  EXPECT_TRUE(table->spaces.empty());
  EXPECT_TRUE(table->dropped.contains(8));
}

TEST(ResolveTablespacesTest, DamagedFileThatNothingReplacesIsCorruption) {
  EXPECT_THAT(ResolveTablespaces({Unwritten("db/t.ibd", FirstPageKind::kDamaged)}, SpaceLogs(), {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("db/t.ibd: page 0: bad checksum")));
}

TEST(ResolveTablespacesTest, MissingTablespaceIsCorruptionExceptInAPartialBackup) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/t.ibd");

  EXPECT_THAT(ResolveTablespaces({}, logs, {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("LSN 4711")));
  const auto partial = ResolveTablespaces({}, logs, {.is_partial = true});
  ASSERT_THAT(partial, IsOk());
  EXPECT_EQ(partial->warnings.size(), 1U);
}

TEST(ResolveTablespacesTest, OnlyNamedTablespaceMayBeMissing) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/t.ibd");
  logs.spaces[7].entry_count = 0;

  EXPECT_THAT(ResolveTablespaces({}, logs, {}), IsOk());
}

TEST(ResolveTablespacesTest, TwoFilesWithOneIdAreCorruption) {
  EXPECT_THAT(ResolveTablespaces({Table("db/a.ibd", 7), Table("db/b.ibd", 7)}, SpaceLogs(), {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("both the tablespace 7")));
}

TEST(ResolveTablespacesTest, SwappedNamesAreNoConflict) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/b.ibd");
  logs.spaces[8] = Named("db/a.ibd");

  EXPECT_THAT(ResolveTablespaces({Table("db/a.ibd", 7), Table("db/b.ibd", 8)}, logs, {}), IsOk());
}

TEST(ResolveTablespacesTest, NameOfATablespaceThatStaysIsNotOverwritten) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/b.ibd");

  EXPECT_THAT(ResolveTablespaces({Table("db/a.ibd", 7), Table("db/b.ibd", 8)}, logs, {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("db/b.ibd")));
}

TEST(ResolveTablespacesTest, TruncationOfATableIsCorruption) {
  SpaceLogs logs;
  logs.spaces[7] = Named("db/a.ibd");
  logs.trims[7].push_back({.start_lsn = 1, .page_count = 4});

  EXPECT_THAT(ResolveTablespaces({Table("db/a.ibd", 7)}, logs, {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("truncates")));
}

TEST(ResolveTablespacesTest, SystemTablespaceRunsOnThroughItsFiles) {
  FoundFile first = Table("ibdata1", 0);
  first.kind = SpaceKind::kSystem;
  FoundFile second = Unwritten("ibdata2");
  second.kind = SpaceKind::kSystem;
  SpaceLogs logs;
  logs.spaces[0].entry_count = 1;

  const auto table = ResolveTablespaces({first, second}, logs, {});

  ASSERT_THAT(table, IsOk());
  ASSERT_EQ(table->spaces.at(0).segments.size(), 2U);
  EXPECT_EQ(table->spaces.at(0).segments[1].first_page, 4U);
}

}  // namespace
}  // namespace hbk::prepare
