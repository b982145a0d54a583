#include "reconcile.h"

#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

SpaceChange Created(const std::string& path) {
  SpaceChange change;
  change.is_created = true;
  change.has_first_page = true;
  change.last_path = path;
  return change;
}

SpaceChange Modified(const std::string& path) {
  SpaceChange change;
  change.is_modified = true;
  change.last_path = path;
  return change;
}

SpaceChange Deleted(const std::string& path) {
  SpaceChange change = Modified(path);
  change.is_deleted = true;
  return change;
}

ReconcilePlan PlanOf(const std::vector<CopiedSpace>& copied, const std::vector<FoundSpace>& found,
                     const SpaceChanges& changes) {
  Result<ReconcilePlan> plan = Reconcile(copied, found, &changes);
  EXPECT_THAT(plan, IsOk());
  return plan.ok() ? *plan : ReconcilePlan();
}

TEST(ReconcileTest, NothingHappened) {
  const ReconcilePlan plan =
      PlanOf({{"d/a.ibd", 5, 100}}, {{"d/a.ibd", 5, 100}}, {{5, Modified("./d/a.ibd")}});
  EXPECT_THAT(plan.removes, IsEmpty());
  EXPECT_THAT(plan.renames, IsEmpty());
  EXPECT_THAT(plan.copies, IsEmpty());
  EXPECT_THAT(plan.left_to_redo, IsEmpty());
}

// Names of files that are decided.
std::vector<std::string> DecidedOf(const std::vector<CopiedSpace>& copied,
                                   const std::vector<FoundSpace>& found,
                                   const SpaceChanges* changes) {
  std::vector<std::string> names;
  for (const DecidedSpace& space : FindDecided(copied, found, changes))
    names.push_back(found[space.found].name + (space.copy ? "" : " by redo"));
  return names;
}

CopiedSpace CopyOf(const std::string& name, SpaceId id) {
  return {.name = name, .id = id, .inode = id, .birth_ns = 1};
}

FoundSpace FileOf(const std::string& name, std::optional<SpaceId> id) {
  return {.name = name, .id = id, .inode = id.value_or(99), .birth_ns = 1};
}

TEST(FindDecidedTest, ATrustedCopyOfTheSameFileUnderItsNameStays) {
  const std::vector<CopiedSpace> copied = {CopyOf("d/a.ibd", 5)};
  const std::vector<FoundSpace> found = {FileOf("d/a.ibd", 5)};
  EXPECT_THAT(DecidedOf(copied, found, nullptr), ElementsAre("d/a.ibd"));

  const SpaceChanges deleted = {{5, Deleted("./d/a.ibd")}};
  EXPECT_THAT(DecidedOf(copied, found, &deleted), IsEmpty());
  EXPECT_THAT(DecidedOf(copied, {FileOf("d/b.ibd", 5)}, nullptr), IsEmpty());
  EXPECT_THAT(DecidedOf(copied, {FileOf("d/a.ibd", 5), FileOf("d/b.ibd", 5)}, nullptr), IsEmpty());
  EXPECT_THAT(DecidedOf({copied[0], CopyOf("d/b.ibd", 5)}, found, nullptr), IsEmpty());
}

TEST(FindDecidedTest, ACopyThatIsOnlyAsGoodAsItsFileIsUnchangedIsNotDecided) {
  CopiedSpace copy = CopyOf("d/a.ibd", 5);
  copy.is_trusted = false;
  copy.stamp = FileStamp();
  EXPECT_THAT(DecidedOf({copy}, {FileOf("d/a.ibd", 5)}, nullptr), IsEmpty());
  copy = CopyOf("d/a.ibd", 5);
  copy.inode = 77;
  EXPECT_THAT(DecidedOf({copy}, {FileOf("d/a.ibd", 5)}, nullptr), IsEmpty());
  copy = CopyOf("d/a.ibd", 5);
  copy.birth_ns = 0;
  FoundSpace file = FileOf("d/a.ibd", 5);
  file.birth_ns = 0;
  EXPECT_THAT(DecidedOf({copy}, {file}, nullptr), IsEmpty());
}

TEST(FindDecidedTest, WhatTheLogRebuildsIsLeftToIt) {
  const SpaceChanges changes = {{5, Created("./d/a.ibd")}, {6, Created("./d/b.ibd")}};
  const std::vector<FoundSpace> found = {FileOf("d/a.ibd", 5), FileOf("d/b.ibd", std::nullopt)};
  EXPECT_THAT(DecidedOf({}, found, &changes), ElementsAre("d/a.ibd by redo", "d/b.ibd by redo"));
  EXPECT_THAT(DecidedOf({}, found, nullptr), IsEmpty());
  // A copy of another file that had the id is to be removed.
  EXPECT_THAT(DecidedOf({CopyOf("d/old.ibd", 6)}, {found[1]}, &changes), IsEmpty());
}

TEST(FindDecidedTest, ANameThatIsNotOneTablespaceAloneTellsNothing) {
  const std::vector<FoundSpace> found = {FileOf("d/b.ibd", std::nullopt)};
  const SpaceChanges elsewhere = {{6, Created("/ext/d/b.ibd")}};
  EXPECT_THAT(DecidedOf({}, found, &elsewhere), IsEmpty());
  const SpaceChanges two = {{6, Created("./d/b.ibd")}, {7, Created("./d/b.ibd")}};
  EXPECT_THAT(DecidedOf({}, found, &two), IsEmpty());
  const SpaceChanges one = {{6, Created("./d/b.ibd")}};
  EXPECT_THAT(DecidedOf({}, {found[0], FileOf("d/c.ibd", 6)}, &one), IsEmpty());
}

TEST(FindDecidedTest, OfAFileTellsWhatMakesRemovesOrNamesIt) {
  SpaceChange renamed;
  renamed.is_renamed = true;
  EXPECT_TRUE(TellsOfFile(Created("./d/a.ibd")));
  EXPECT_TRUE(TellsOfFile(Deleted("./d/a.ibd")));
  EXPECT_TRUE(TellsOfFile(renamed));
  EXPECT_FALSE(TellsOfFile(Modified("./d/a.ibd")));
}

TEST(ReconcileTest, SwappedNamesAreTwoRenames) {
  const ReconcilePlan plan = PlanOf({{"d/a.ibd", 5, 100}, {"d/b.ibd", 6, 101}},
                                    {{"d/a.ibd", 6, 101}, {"d/b.ibd", 5, 100}}, {});
  EXPECT_THAT(plan.renames,
              UnorderedElementsAre(Pair("d/a.ibd", "d/b.ibd"), Pair("d/b.ibd", "d/a.ibd")));
  EXPECT_THAT(plan.removes, IsEmpty());
}

TEST(ReconcileTest, ChainOfRenamesEndsInTheLastNames) {
  const ReconcilePlan plan = PlanOf({{"d/a.ibd", 5, 1}, {"d/b.ibd", 6, 2}, {"d/c.ibd", 7, 3}},
                                    {{"d/b.ibd", 5, 1}, {"d/c.ibd", 6, 2}, {"e/d.ibd", 7, 3}}, {});
  EXPECT_THAT(plan.renames,
              UnorderedElementsAre(Pair("d/a.ibd", "d/b.ibd"), Pair("d/b.ibd", "d/c.ibd"),
                                   Pair("d/c.ibd", "e/d.ibd")));
}

TEST(ReconcileTest, DroppedTableIsRemoved) {
  const ReconcilePlan plan = PlanOf({{"d/a.ibd", 5, 100}}, {}, {{5, Deleted("./d/a.ibd")}});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, RecreatedTableIsRemovedAndLeftToRedo) {
  const ReconcilePlan plan = PlanOf({{"d/a.ibd", 5, 100}}, {{"d/a.ibd", 9, 100}},
                                    {{5, Deleted("./d/a.ibd")}, {9, Created("./d/a.ibd")}});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.left_to_redo, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.copies, IsEmpty());
}

TEST(ReconcileTest, NewTableWithoutFirstPageOnDiskIsLeftToRedoByName) {
  const ReconcilePlan plan =
      PlanOf({}, {{"d/a.ibd", std::nullopt, 100}}, {{9, Created("./d/a.ibd")}});
  EXPECT_THAT(plan.left_to_redo, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, NewTableInADataDirectoryIsLeftToRedoByItsPath) {
  // RENAME TABLE a.t TO d.t: the server leaves the file in the directory of `a`.
  const ReconcilePlan plan =
      PlanOf({}, {{"d/t.ibd", std::nullopt, 100, "/ext/a/t.ibd"}}, {{9, Created("/ext/a/t.ibd")}});
  EXPECT_THAT(plan.left_to_redo, ElementsAre("d/t.ibd"));
}

TEST(ReconcileTest, NameThatOnlyEndsAlikeIsAnotherTable) {
  const ReconcilePlan plan =
      PlanOf({}, {{"d/a.ibd", std::nullopt, 100}}, {{9, Created("./xd/a.ibd")}});
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, NewTableUnknownToRedoIsCopied) {
  // IMPORT of a new table, or an ALTER whose copy was begun before the redo copy.
  const ReconcilePlan plan =
      PlanOf({}, {{"d/a.ibd", 9, 100}, {"d/b.ibd", 10, 101}}, {{9, Modified("./d/a.ibd")}});
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd", "d/b.ibd"));
}

TEST(ReconcileTest, FileThatWasReplacedIsCopiedAgain) {
  const ReconcilePlan plan = PlanOf({{"d/a.ibd", 5, 100}}, {{"d/a.ibd", 5, 222}}, {});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, CopiedTwiceUnderTwoNamesKeepsTheOneWithTheRightName) {
  const ReconcilePlan plan =
      PlanOf({{"d/a.ibd", 5, 100}, {"d/b.ibd", 5, 100}}, {{"d/b.ibd", 5, 100}}, {});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.renames, IsEmpty());
}

TEST(ReconcileTest, CopiedTwiceAndRenamedAgainKeepsOne) {
  const ReconcilePlan plan =
      PlanOf({{"d/a.ibd", 5, 100}, {"d/b.ibd", 5, 100}}, {{"d/c.ibd", 5, 100}}, {});
  EXPECT_THAT(plan.removes, ElementsAre("d/b.ibd"));
  EXPECT_THAT(plan.renames, ElementsAre(Pair("d/a.ibd", "d/c.ibd")));
}

TEST(ReconcileTest, TablespaceReplacedUnderItsIdIsCopiedAgain) {
  // DISCARD and IMPORT keep the id.
  const ReconcilePlan plan =
      PlanOf({{"d/a.ibd", 5, 100}}, {{"d/a.ibd", 5, 222}}, {{5, Deleted("./d/a.ibd")}});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, InodeNumberThatIsUsedAgainIsAnotherFile) {
  const ReconcilePlan plan =
      PlanOf({{"d/a.ibd", 5, 100, 1000}}, {{"d/a.ibd", 5, 100, "", 2000}}, {});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, CopyThatIsNotTrustedIsMadeAgain) {
  const ReconcilePlan plan =
      PlanOf({{"d/a.ibd", 5, 100, 0, false}}, {{"d/a.ibd", 5, 100}}, {{5, Modified("./d/a.ibd")}});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, CreatedAndImportedAgainIsCopied) {
  SpaceChange change = Created("./d/a.ibd");
  change.is_deleted = true;
  const ReconcilePlan plan = PlanOf({}, {{"d/a.ibd", 9, 100}}, {{9, change}});
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, ADiscardInTheLogMakesAnotherFileOfTheSameInode) {
  const ReconcilePlan plan =
      PlanOf({{"d/a.ibd", 5, 100}}, {{"d/a.ibd", 5, 100}}, {{5, Deleted("./d/a.ibd")}});
  EXPECT_THAT(plan.removes, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan.copies, ElementsAre("d/a.ibd"));
}

TEST(ReconcileTest, WithoutChangesIdentityDecidesAlone) {
  const auto plan = Reconcile({{"d/a.ibd", 5, 100}, {"d/b.ibd", 6, 101}, {"d/c.ibd", 7, 102}},
                              {{"d/a.ibd", 5, 100},
                               {"d/b2.ibd", 6, 101},
                               {"d/new.ibd", 9, 103},
                               {"d/newest.ibd", std::nullopt, 104}},
                              nullptr);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->removes, ElementsAre("d/c.ibd"));
  EXPECT_THAT(plan->renames, ElementsAre(Pair("d/b.ibd", "d/b2.ibd")));
  EXPECT_THAT(plan->copies, ElementsAre("d/new.ibd"));
  EXPECT_THAT(plan->left_to_redo, ElementsAre("d/newest.ibd"));
}

TEST(ReconcileTest, WithoutChangesADamagedFirstPageIsNotLeftToRedo) {
  FoundSpace file{"d/a.ibd", std::nullopt, 100};
  file.is_blank = false;
  const auto plan = Reconcile({{"d/a.ibd", 5, 100}}, {file}, nullptr);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->copies, ElementsAre("d/a.ibd"));
  EXPECT_THAT(plan->left_to_redo, IsEmpty());
}

TEST(ReconcileTest, TwoFilesOfOneTablespaceAreAnError) {
  EXPECT_THAT(Reconcile({}, {{"d/a.ibd", 5, 1}, {"d/b.ibd", 5, 2}}, nullptr),
              StatusIs(StatusCode::kCorruption, HasSubstr("d/a.ibd and d/b.ibd")));
}

TEST(StrangersTest, TheServerSaysWhoseFileItIs) {
  std::vector<FoundSpace> found = {{"d/a.ibd", 5, 1}, {"d/b.ibd", 5, 2}, {"d/c.ibd", 6, 3}};
  EXPECT_TRUE(HasDuplicateIds(found));
  EXPECT_THAT(TakeOutStrangers(found, {{5, "d/b"}, {7, "d/c"}}), ElementsAre("d/a.ibd"));
  EXPECT_FALSE(HasDuplicateIds(found));
  EXPECT_EQ(found.size(), 2U);
}

TEST(StrangersTest, WithoutAnOwnerAllStay) {
  std::vector<FoundSpace> found = {{"d/a.ibd", 5, 1}, {"d/b.ibd", 5, 2}};
  EXPECT_THAT(TakeOutStrangers(found, {{5, "d/x"}}), IsEmpty());
  EXPECT_EQ(found.size(), 2U);
}

TEST(MissingSpacesTest, ChangedSpaceWithoutFileIsMissing) {
  EXPECT_THAT(FindMissingSpaces({6}, {{5, Modified("./d/a.ibd")}, {6, Modified("./d/b.ibd")}}, {}),
              ElementsAre("./d/a.ibd (tablespace 5)"));
}

TEST(MissingSpacesTest, RebuiltDeletedAndIntermediateSpacesAreNot) {
  SpaceChange undo;
  undo.has_first_page = true;
  EXPECT_THAT(FindMissingSpaces({},
                                {{1, undo},
                                 {5, Created("./d/a.ibd")},
                                 {6, Deleted("./d/b.ibd")},
                                 {7, Modified("./d/#sql-alter-1-2.ibd")}},
                                {}),
              IsEmpty());
}

// The log of an increment that begins behind the checkpoint.
TEST(MissingSpacesTest, ASpaceThatTheBaseNamesIsMissedWithoutAFileRecord) {
  SpaceChange pages;
  pages.has_pages = true;
  const SpaceChanges changes = {{1, pages}, {5, pages}, {6, pages}};

  EXPECT_THAT(FindMissingSpaces({6}, changes, {{5, "d/a.ibd"}, {6, "d/b.ibd"}, {7, "d/c.ibd"}}),
              ElementsAre("d/a.ibd (tablespace 5)"));
}

}  // namespace
}  // namespace hbk::backup
