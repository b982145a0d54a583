#include "settle_plan.h"

#include <gmock/gmock.h>

namespace hbk::backup {
namespace {

using datadir::DataFile;
using datadir::FileKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr uint64_t kLarge = 4 << 20;

DataFile File(std::string name, uint64_t inode, uint64_t size = kLarge, int64_t mtime_ns = 100) {
  DataFile file;
  file.name = std::move(name);
  file.kind = FileKind::kMyisamTable;
  file.info.inode = inode;
  file.info.birth_ns = 1;
  file.info.size = size;
  file.info.mtime_ns = mtime_ns;
  file.info.ctime_ns = mtime_ns;
  return file;
}

class SettlePlanTest : public ::testing::Test {
 protected:
  void Copied(const DataFile& file, bool is_trusted = true) {
    copied_[file.name] = {io::IdentityOf(file.info), is_trusted};
  }
  void Found(DataFile file) { found_.push_back(std::move(file)); }

  SettlePlan Plan() {
    std::vector<const DataFile*> files;
    for (const DataFile& file : found_)
      files.push_back(&file);
    return PlanSettling(copied_, files,
                        [this](const DataFile& file) { return file.name == changed_; });
  }
  static std::vector<std::string> Names(const SettlePlan& plan) {
    std::vector<std::string> names;
    for (const DataFile* file : plan.copies)
      names.push_back(file->name);
    return names;
  }

  CopiedFiles copied_;
  std::vector<DataFile> found_;
  std::string changed_;
};

TEST_F(SettlePlanTest, WhatOnlyTheBaseHasIsCopiedUnderItsNewName) {
  Copied(File("d/a.MYD", 5));
  copied_["d/a.MYD"].is_in_target = false;
  Found(File("d/b.MYD", 5));

  const SettlePlan plan = Plan();

  EXPECT_THAT(plan.renames, IsEmpty());
  EXPECT_THAT(plan.removes, ElementsAre("d/a.MYD"));
  EXPECT_THAT(Names(plan), ElementsAre("d/b.MYD"));
}

TEST_F(SettlePlanTest, WhatDidNotChangeStays) {
  Copied(File("d/t.MYD", 5));
  Found(File("d/t.MYD", 5));

  const SettlePlan plan = Plan();

  EXPECT_THAT(Names(plan), IsEmpty());
  EXPECT_THAT(plan.removes, IsEmpty());
  EXPECT_THAT(plan.renames, IsEmpty());
}

TEST_F(SettlePlanTest, NewChangedAndUntrustedFilesAreCopied) {
  Copied(File("d/changed.MYD", 5));
  Copied(File("d/racy.MYD", 6), /*is_trusted=*/false);
  Found(File("d/changed.MYD", 5, kLarge, 200));
  Found(File("d/new.MYD", 7));
  Found(File("d/racy.MYD", 6));

  EXPECT_THAT(Names(Plan()), ElementsAre("d/changed.MYD", "d/new.MYD", "d/racy.MYD"));
  EXPECT_THAT(Plan().removes, IsEmpty());
}

TEST_F(SettlePlanTest, ChangedTablesAreCopiedWhateverTheirFilesLookLike) {
  Copied(File("d/t.MYD", 5));
  Found(File("d/t.MYD", 5));
  changed_ = "d/t.MYD";
  EXPECT_THAT(Names(Plan()), ElementsAre("d/t.MYD"));
}

TEST_F(SettlePlanTest, CopiesOfDroppedTablesAreRemoved) {
  Copied(File("d/gone.MYD", 5));
  EXPECT_THAT(Plan().removes, ElementsAre("d/gone.MYD"));
}

TEST_F(SettlePlanTest, RenamedFilesMoveInTheTarget) {
  Copied(File("d/a.MYD", 5));
  DataFile moved = File("e/b.MYD", 5);
  moved.info.ctime_ns = 900;
  Found(moved);

  const SettlePlan plan = Plan();

  EXPECT_THAT(plan.renames, ElementsAre(Pair("d/a.MYD", "e/b.MYD")));
  EXPECT_THAT(Names(plan), IsEmpty());
  EXPECT_THAT(plan.removes, IsEmpty());
}

TEST_F(SettlePlanTest, SwappedFilesAreSwapped) {
  Copied(File("d/a.MYD", 5));
  Copied(File("d/b.MYD", 6));
  Found(File("d/a.MYD", 6));
  Found(File("d/b.MYD", 5));

  EXPECT_THAT(Plan().renames, ElementsAre(Pair("d/b.MYD", "d/a.MYD"), Pair("d/a.MYD", "d/b.MYD")));
}

TEST_F(SettlePlanTest, RenamedAndWrittenIsCopied) {
  Copied(File("d/a.MYD", 5));
  Found(File("d/b.MYD", 5, kLarge, 200));

  EXPECT_THAT(Names(Plan()), ElementsAre("d/b.MYD"));
  EXPECT_THAT(Plan().removes, ElementsAre("d/a.MYD"));
}

TEST_F(SettlePlanTest, SmallFilesAreCopiedRatherThanRenamed) {
  Copied(File("d/a.frm", 5, 900));
  Found(File("d/b.frm", 5, 900));

  EXPECT_THAT(Names(Plan()), ElementsAre("d/b.frm"));
  EXPECT_THAT(Plan().removes, ElementsAre("d/a.frm"));
}

TEST_F(SettlePlanTest, ACopyInTheWayOfARenameIsRemovedFirst) {
  Copied(File("d/a.MYD", 5));
  Copied(File("d/b.MYD", 6));
  Found(File("d/b.MYD", 5));

  EXPECT_THAT(Plan().renames, ElementsAre(Pair("d/a.MYD", "d/b.MYD")));
  EXPECT_THAT(Plan().removes, ElementsAre("d/b.MYD"));
}

TEST_F(SettlePlanTest, AnotherFileUnderTheSameNameIsCopied) {
  Copied(File("d/a.MYD", 5));
  DataFile other = File("d/a.MYD", 5);
  other.info.birth_ns = 2;
  Found(other);
  EXPECT_THAT(Names(Plan()), ElementsAre("d/a.MYD"));
}

}  // namespace
}  // namespace hbk::backup
