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
