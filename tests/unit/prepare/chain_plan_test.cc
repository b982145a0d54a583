#include "chain_plan.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::prepare::chain_plan_test {
namespace {

using datadir::FileKind;
using manifest::FileContent;
using manifest::ManifestFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;
using ::testing::UnorderedElementsAre;

constexpr uint32_t kPageSize = 4096;

ManifestFile Tablespace(const std::string& name, innodb::SpaceId id, uint32_t page_count,
                        FileContent content = FileContent::kDelta, bool replaces_base = false) {
  ManifestFile file;
  file.name = name;
  file.kind = name.starts_with("ibdata") ? "system-tablespace"
              : name.starts_with("undo") ? "undo-tablespace"
                                         : "tablespace";
  file.size = uint64_t{page_count} * kPageSize;
  file.content = content;
  file.replaces_base = replaces_base;
  file.space = manifest::SpaceFacts{id, kPageSize, 0x13};
  return file;
}

ManifestFile Other(const std::string& name, FileContent content, const std::string& digest = "d") {
  ManifestFile file;
  file.name = name;
  file.kind = "myisam-table";
  file.content = content;
  file.digest = digest;
  return file;
}

delta::DeltaRun PageRun(uint32_t first_page, uint32_t page_count) {
  return {first_page, page_count, page_count * kPageSize, 0};
}

class ChainPlanTest : public ::testing::Test {
 protected:
  ChainPlanTest() {
    input_.base_dir = "/base";
    AddBase("ibdata1", FileKind::kSystemTablespace, 0);
  }

  void AddBase(const std::string& name, FileKind kind,
               std::optional<innodb::SpaceId> id = std::nullopt) {
    input_.base.push_back({.name = name, .kind = kind, .space_id = id, .size = 0});
  }

  // The next increment, with the system tablespace and these files.
  void AddPart(std::vector<ManifestFile> files, DeltaRuns runs = {}) {
    manifest::BackupManifest& manifest = manifests_.emplace_back();
    manifest.server.page_size = kPageSize;
    manifest.server.data_file_path = "ibdata1:1M:autoextend";
    manifest.files = std::move(files);
    manifest.files.push_back(Tablespace("ibdata1", 0, 100, FileContent::kBase));
    runs_.push_back(std::move(runs));
    input_.parts.push_back({.dir = "/inc" + std::to_string(manifests_.size()),
                            .manifest = &manifest,
                            .runs = &runs_.back()});
  }

  const PlannedTablespace& Space(const ChainPlan& plan, const std::string& name) {
    for (const PlannedTablespace& space : plan.tablespaces)
      if (space.name == name) return space;
    ADD_FAILURE() << name << " is not planned";
    return plan.tablespaces.front();
  }

  ChainInput input_;
  std::deque<manifest::BackupManifest> manifests_;
  std::deque<DeltaRuns> runs_;
};

TEST_F(ChainPlanTest, EachPageComesFromTheNewestPartThatHasIt) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddPart({Tablespace("db/t.ibd", 5, 20)}, {{"db/t.ibd", {PageRun(10, 5), PageRun(2, 4)}}});
  AddPart({Tablespace("db/t.ibd", 5, 20)}, {{"db/t.ibd", {PageRun(3, 1), PageRun(12, 1)}}});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  const PlannedTablespace& space = Space(*plan, "db/t.ibd");
  EXPECT_EQ(space.origin, 0U);
  EXPECT_EQ(space.base_name, "db/t.ibd");
  EXPECT_THAT(space.pieces,
              ElementsAre(PagePiece{2, 1, 1, 1}, PagePiece{3, 1, 2, 0}, PagePiece{4, 2, 1, 1},
                          PagePiece{10, 2, 1, 0}, PagePiece{12, 1, 2, 1}, PagePiece{13, 2, 1, 0}));
  EXPECT_EQ(space.OriginOf(1), 0U);
  EXPECT_EQ(space.OriginOf(2), 1U);
  EXPECT_EQ(space.OriginOf(3), 2U);
  EXPECT_EQ(space.OriginOf(14), 1U);
  EXPECT_EQ(space.OriginOf(15), 0U);
}

TEST_F(ChainPlanTest, TablespaceIsFollowedByItsIdThroughItsNames) {
  AddBase("db/a.ibd", FileKind::kTablespace, 5);
  AddBase("db/b.ibd", FileKind::kTablespace, 6);
  AddPart({Tablespace("db/b.ibd", 5, 9), Tablespace("db/a.ibd", 6, 9, FileContent::kBase)},
          {{"db/b.ibd", {PageRun(1, 1)}}});
  AddPart({Tablespace("db/c.ibd", 5, 9), Tablespace("db/b.ibd", 6, 9, FileContent::kBase)});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Space(*plan, "db/c.ibd").base_name, "db/a.ibd");
  EXPECT_THAT(Space(*plan, "db/c.ibd").names, ElementsAre("", "db/b.ibd", ""));
  EXPECT_EQ(Space(*plan, "db/b.ibd").base_name, "db/b.ibd");
  EXPECT_THAT(plan->tablespace_removals, IsEmpty());
}

TEST_F(ChainPlanTest, NothingOlderCountsOfAReplacedTablespace) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddPart({Tablespace("db/t.ibd", 5, 20)}, {{"db/t.ibd", {PageRun(2, 4)}}});
  AddPart({Tablespace("db/t.ibd", 5, 10, FileContent::kDelta, true)},
          {{"db/t.ibd", {PageRun(0, 2)}}});
  AddPart({Tablespace("db/t.ibd", 5, 10)}, {{"db/t.ibd", {PageRun(1, 1)}}});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  const PlannedTablespace& space = Space(*plan, "db/t.ibd");
  EXPECT_EQ(space.origin, 2U);
  EXPECT_EQ(space.base_name, "");
  EXPECT_THAT(space.pieces, ElementsAre(PagePiece{0, 1, 2, 0}, PagePiece{1, 1, 3, 0}));
  EXPECT_THAT(plan->tablespace_removals, ElementsAre("db/t.ibd"));
  const ChainFilter filter(*plan);
  EXPECT_FALSE(filter.CountsPage(1, {5, 7}));
  EXPECT_TRUE(filter.CountsPage(2, {5, 7}));
  EXPECT_FALSE(filter.CountsPage(2, {5, 1}));
  EXPECT_FALSE(filter.CountsSpace(1, 5));
}

TEST_F(ChainPlanTest, WhatLaysBehindTheShortestLengthIsGone) {
  AddBase("undo001", FileKind::kUndoTablespace, 1);
  AddPart({Tablespace("undo001", 1, 30)}, {{"undo001", {PageRun(5, 20)}}});
  AddPart({Tablespace("undo001", 1, 10)}, {{"undo001", {PageRun(0, 1)}}});
  AddPart({Tablespace("undo001", 1, 40)}, {{"undo001", {PageRun(15, 1)}}});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  const PlannedTablespace& space = Space(*plan, "undo001");
  EXPECT_EQ(space.kept_bytes, 10 * kPageSize);
  EXPECT_EQ(space.size, 40 * kPageSize);
  EXPECT_THAT(space.pieces,
              ElementsAre(PagePiece{0, 1, 2, 0}, PagePiece{5, 5, 1, 0}, PagePiece{15, 1, 3, 0}));
  EXPECT_EQ(space.OriginOf(12), 2U);
  EXPECT_EQ(space.OriginOf(35), 2U);
  EXPECT_EQ(space.OriginOf(9), 1U);
}

TEST_F(ChainPlanTest, TruncationInTheRedoCutsOlderImagesOff) {
  AddBase("undo001", FileKind::kUndoTablespace, 1);
  AddPart({Tablespace("undo001", 1, 30)}, {{"undo001", {PageRun(5, 10)}}});
  AddPart({Tablespace("undo001", 1, 30)}, {{"undo001", {PageRun(12, 10)}}});
  auto plan = PlanChain(input_);
  ASSERT_THAT(plan, IsOk());
  SpaceLogs logs;
  logs.part_starts = {0, 100, 200};
  logs.oldest_parts[1] = 0;
  logs.trims[1] = {{.start_lsn = 150, .page_count = 8}};

  plan->CutTrimmed(logs);

  const PlannedTablespace& space = Space(*plan, "undo001");
  EXPECT_EQ(space.kept_bytes, 8 * kPageSize);
  EXPECT_THAT(space.pieces, ElementsAre(PagePiece{5, 3, 1, 0}, PagePiece{12, 10, 2, 0}));
}

TEST_F(ChainPlanTest, TablespaceWithoutAFirstPageComesFromTheLastRedoAlone) {
  AddBase("db/t.ibd", FileKind::kTablespace);
  ManifestFile file = Tablespace("db/t.ibd", 0, 4, FileContent::kWhole);
  file.space.reset();
  AddPart({file});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Space(*plan, "db/t.ibd").origin, 1U);
  EXPECT_TRUE(Space(*plan, "db/t.ibd").is_whole);
  EXPECT_THAT(plan->tablespace_removals, ElementsAre("db/t.ibd"));
  const ChainFilter filter(*plan);
  EXPECT_FALSE(filter.CountsPage(0, {9, 0}));
  EXPECT_TRUE(filter.CountsPage(1, {9, 0}));
}

TEST_F(ChainPlanTest, PagesOfTheSystemTablespaceRunOnThroughItsFiles) {
  AddBase("ibdata2", FileKind::kSystemTablespace);
  AddPart({Tablespace("ibdata2", 0, 50)}, {{"ibdata2", {PageRun(7, 1)}}});
  manifests_.back().server.data_file_path = "ibdata1:1M;ibdata2:1M:autoextend";

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Space(*plan, "ibdata2").first_page, 100U);
  const ChainFilter filter(*plan);
  EXPECT_TRUE(filter.CountsPage(0, {0, 7}));
  EXPECT_TRUE(filter.CountsPage(0, {0, 106}));
  EXPECT_FALSE(filter.CountsPage(0, {0, 107}));
}

TEST_F(ChainPlanTest, OtherFileComesFromTheNewestPartThatHasItWhole) {
  AddBase("db/a.MYD", FileKind::kMyisamTable);
  AddBase("db/b.MYD", FileKind::kMyisamTable);
  AddBase("db/gone.MYD", FileKind::kMyisamTable);
  AddBase("ib_logfile0", FileKind::kRedoLog);
  AddBase("xtrabackup_checkpoints", FileKind::kMetadata);
  AddPart({Other("db/a.MYD", FileContent::kWhole, "new"), Other("db/b.MYD", FileContent::kBase)});
  AddPart({Other("db/a.MYD", FileContent::kBase, "new"), Other("db/b.MYD", FileContent::kBase)});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->files.size(), 2U);
  EXPECT_EQ(plan->files[0].part, 1U);
  EXPECT_EQ(plan->files[0].digest, "new");
  EXPECT_EQ(plan->files[1].part, 0U);
  EXPECT_THAT(plan->file_removals, ElementsAre("db/gone.MYD"));
}

TEST_F(ChainPlanTest, DroppedTablespaceIsRemovedAndItsRedoDoesNotCount) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddBase("db/u.ibd", FileKind::kTablespace, 6);
  AddPart({Tablespace("db/t.ibd", 5, 9), Tablespace("db/u.ibd", 6, 9)});
  AddPart({Tablespace("db/t.ibd", 6, 9)});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->tablespace_removals, ElementsAre("db/t.ibd"));
  EXPECT_EQ(Space(*plan, "db/t.ibd").base_name, "db/u.ibd");
  const ChainFilter filter(*plan);
  EXPECT_FALSE(filter.CountsPage(1, {5, 1}));
  EXPECT_TRUE(filter.CountsPage(2, {5, 1}));
  EXPECT_FALSE(filter.CountsFiles(1));
  EXPECT_TRUE(filter.CountsFiles(2));
}

TEST_F(ChainPlanTest, WhatTheBackupBeforeDoesNotHaveIsABrokenChain) {
  AddPart({Tablespace("db/t.ibd", 5, 9)});

  EXPECT_THAT(PlanChain(input_),
              StatusIs(StatusCode::kChainBroken,
                       AllOf(HasSubstr("/inc1"), HasSubstr("db/t.ibd (tablespace 5)"),
                             HasSubstr("/base does not have"))));

  input_.parts.back().is_base_unknown = true;
  const auto plan = PlanChain(input_);
  ASSERT_THAT(plan, IsOk());
  // Older redo may make what is not in the increment.
  EXPECT_TRUE(Space(*plan, "db/t.ibd").is_new);
  EXPECT_EQ(Space(*plan, "db/t.ibd").origin, 0U);
  EXPECT_TRUE(Space(*plan, "db/t.ibd").LacksFirstPage());
}

TEST_F(ChainPlanTest, WhatThePartBetweenDoesNotHaveIsABrokenChain) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddBase("db/a.MYD", FileKind::kMyisamTable);
  AddPart({});
  AddPart({Tablespace("db/t.ibd", 5, 9)});
  EXPECT_THAT(PlanChain(input_), StatusIs(StatusCode::kChainBroken, HasSubstr("/inc1 does not")));

  manifests_.back().files = {Other("db/a.MYD", FileContent::kBase),
                             Tablespace("ibdata1", 0, 100, FileContent::kBase)};
  EXPECT_THAT(PlanChain(input_), StatusIs(StatusCode::kChainBroken, HasSubstr("/inc1 does not")));
}

TEST_F(ChainPlanTest, IncrementThatContradictsItselfIsCorruption) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddPart({Tablespace("db/t.ibd", 5, 9), Tablespace("db/u.ibd", 5, 9)});
  EXPECT_THAT(PlanChain(input_),
              StatusIs(StatusCode::kCorruption, HasSubstr("are both the tablespace 5")));

  manifests_.back().files.erase(manifests_.back().files.begin() + 1);
  manifests_.back().files[0].space->page_size = 100;
  EXPECT_THAT(PlanChain(input_), StatusIs(StatusCode::kCorruption, HasSubstr("pages of 100")));

  manifests_.back().files = {};
  EXPECT_THAT(PlanChain(input_),
              StatusIs(StatusCode::kCorruption, HasSubstr("ibdata1 of the system tablespace")));
}

TEST_F(ChainPlanTest, TemporaryNameCountsBesideTheOldOneThatAPowerCutHasLeft) {
  AddBase("db/#hbk-5.ibd", FileKind::kTablespace, 5);
  AddBase("db2/t.ibd", FileKind::kTablespace, 5);
  AddPart({Tablespace("db/t.ibd", 5, 9)});

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Space(*plan, "db/t.ibd").base_name, "db/#hbk-5.ibd");
  EXPECT_THAT(plan->tablespace_removals, ElementsAre("db2/t.ibd"));

  input_.base[1].name = "db/x.ibd";
  EXPECT_THAT(PlanChain(input_),
              StatusIs(StatusCode::kCorruption, HasSubstr("are both the tablespace 5")));
}

TEST_F(ChainPlanTest, RedoThatTwoPartsHaveCountsOnce) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddPart({Tablespace("db/t.ibd", 5, 9), Tablespace("db/n.ibd", 6, 9, FileContent::kDelta, true)});
  const auto plan = PlanChain(input_);
  ASSERT_THAT(plan, IsOk());
  const ChainFilter chain(*plan);
  const PartFilter base(chain, 0, 0, 0);
  const PartFilter increment(chain, 1, 500, 500);

  EXPECT_TRUE(base.CountsPage({5, 1}, 499));
  EXPECT_FALSE(increment.CountsPage({5, 1}, 499));
  EXPECT_TRUE(increment.CountsPage({5, 1}, 500));
  EXPECT_TRUE(increment.CountsPage({6, 1}, 499));
  EXPECT_FALSE(base.CountsPage({6, 1}, 499));
  EXPECT_FALSE(increment.CountsSpace(5, 499));
  EXPECT_TRUE(increment.CountsSpace(6, 499));
}

// Pages from the last checkpoint of the part before on, at 400: their older redo does not count.
TEST_F(ChainPlanTest, RedoInFrontOfTheEndOfThePartBeforeCountsForOlderPages) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddPart({Tablespace("db/t.ibd", 5, 9)}, {{"db/t.ibd", {PageRun(2, 1)}}});
  const auto plan = PlanChain(input_);
  ASSERT_THAT(plan, IsOk());
  const ChainFilter chain(*plan);
  const PartFilter base(chain, 0, 0, 0);
  const PartFilter increment(chain, 1, 500, 400);

  EXPECT_FALSE(base.CountsPage({5, 2}, 450));
  EXPECT_TRUE(increment.CountsPage({5, 2}, 450));
  EXPECT_TRUE(base.CountsPage({5, 3}, 450));
  EXPECT_FALSE(increment.CountsPage({5, 3}, 450));
  EXPECT_TRUE(increment.CountsPage({5, 3}, 500));
}

TEST_F(ChainPlanTest, OpenLengthIsTheLeastThatAnyPartHas) {
  AddBase("db/t.ibd", FileKind::kTablespace, 5);
  AddPart({Tablespace("db/t.ibd", 5, 20)});
  AddPart({Tablespace("db/t.ibd", 5, 4)});
  for (ChainPart& part : input_.parts)
    part.has_open_sizes = true;

  const auto plan = PlanChain(input_);

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Space(*plan, "db/t.ibd").size, 20U * kPageSize);
  EXPECT_TRUE(Space(*plan, "db/t.ibd").is_size_open);
  EXPECT_EQ(Space(*plan, "db/t.ibd").kept_bytes, UINT64_MAX);
}

}  // namespace
}  // namespace hbk::prepare::chain_plan_test
