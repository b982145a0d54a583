#include "target_files.h"

#include <map>

#include "backup_record.h"
#include "increment_base.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Pair;

class TargetFilesTest : public ::testing::Test {
 protected:
  void Put(const std::string& name, const std::string& bytes) {
    fs_.PutFile("/t/" + name, bytes);
    record_.AddFile(name, datadir::FileKind::kTablespace, CopyStage::kStart, bytes.size(), "");
  }
  void PutDelta(const std::string& name, const std::string& bytes) {
    fs_.PutFile("/t/" + name + ".hbk_delta", bytes);
    PutInBase(name);
    record_.files[name].content = manifest::FileContent::kDelta;
    record_.files[name].delta_size = bytes.size();
  }
  void PutInBase(const std::string& name) {
    record_.AddFile(name, datadir::FileKind::kTablespace, CopyStage::kStart, 4096, "");
    record_.files[name].content = manifest::FileContent::kBase;
  }
  Status Rename(const std::vector<std::pair<std::string, std::string>>& renames) {
    return RenameCopies(fs_, "/t", renames, record_);
  }

  MemFileSystem fs_;
  BackupRecord record_;
};

TEST_F(TargetFilesTest, NamesMayGoAround) {
  Put("d/a", "1");
  Put("d/b", "2");
  Put("e/c", "3");

  ASSERT_THAT(Rename({{"d/a", "d/b"}, {"d/b", "e/c"}, {"e/c", "d/a"}}), IsOk());

  EXPECT_EQ(fs_.Contents("/t/d/b"), "1");
  EXPECT_EQ(fs_.Contents("/t/e/c"), "2");
  EXPECT_EQ(fs_.Contents("/t/d/a"), "3");
  EXPECT_EQ(record_.files["d/a"].name, "d/a");
}

TEST_F(TargetFilesTest, WhatTheBaseHasIsLeftToIt) {
  manifest::BackupManifest manifest;
  for (const char* name : {"same", "shorter", "other"}) {
    manifest::ManifestFile file;
    file.name = name;
    file.kind = "aria-log";
    file.size = 3;
    file.digest = std::string(32, 'a');
    manifest.files.push_back(file);
  }
  const IncrementBase base(manifest);
  for (const char* name : {"same", "shorter", "other", "new"}) {
    Put(name, "log");
    record_.files[name].digest = std::string(32, 'a');
  }
  record_.files["shorter"].size = 2;
  record_.files["other"].digest = std::string(32, 'b');

  for (const char* name : {"same", "shorter", "other", "new"})
    ASSERT_THAT(LeaveToBase(fs_, "/t", &base, name, record_), IsOk());
  ASSERT_THAT(LeaveToBase(fs_, "/t", nullptr, "other", record_), IsOk());

  EXPECT_EQ(record_.files["same"].content, manifest::FileContent::kBase);
  EXPECT_THAT(fs_.Tree("/t"), ElementsAre(Key("/t/new"), Key("/t/other"), Key("/t/shorter")));
  EXPECT_EQ(record_.files["other"].content, manifest::FileContent::kWhole);
}

TEST_F(TargetFilesTest, MissingDirectoriesAreMade) {
  Put("d/a", "1");
  ASSERT_THAT(Rename({{"d/a", "new/a"}}), IsOk());
  EXPECT_EQ(fs_.Contents("/t/new/a"), "1");
}

TEST_F(TargetFilesTest, AMissingFileIsAnError) {
  Put("d/a", "1");
  ASSERT_THAT(fs_.Remove("/t/d/a"), IsOk());
  EXPECT_FALSE(Rename({{"d/a", "d/b"}}).ok());
}

TEST_F(TargetFilesTest, OfAnIncrementItIsTheDeltaThatMoves) {
  PutDelta("d/a.ibd", "delta");
  PutInBase("d/b.ibd");

  ASSERT_THAT(Rename({{"d/a.ibd", "d/b.ibd"}, {"d/b.ibd", "d/a.ibd"}}), IsOk());

  EXPECT_THAT(fs_.Tree("/t"), ElementsAre(Pair("/t/d/b.ibd.hbk_delta", "delta")));
  EXPECT_EQ(record_.files["d/b.ibd"].content, manifest::FileContent::kDelta);
  EXPECT_EQ(record_.files["d/a.ibd"].content, manifest::FileContent::kBase);
}

TEST_F(TargetFilesTest, WhatIsRemovedLeavesTargetAndRecord) {
  Put("d/a", "1");
  PutDelta("d/b.ibd", "delta");
  PutInBase("d/c");
  Put("d/stays", "4");

  for (const char* name : {"d/a", "d/b.ibd", "d/c"})
    EXPECT_THAT(RemoveCopy(fs_, "/t", name, record_), IsOk());

  EXPECT_THAT(fs_.Tree("/t"), ElementsAre(Pair("/t/d/stays", "4")));
  EXPECT_THAT(record_.files, ElementsAre(Key("d/stays")));
}

TEST_F(TargetFilesTest, ADeltaWithoutPagesHasNoFile) {
  PutInBase("d/a.ibd");
  record_.files["d/a.ibd"].content = manifest::FileContent::kDelta;
  EXPECT_EQ(StoredName(record_.files["d/a.ibd"]), "");
}

TEST_F(TargetFilesTest, KeysAreSwappedAndOthersStay) {
  std::map<std::string, int> map = {{"a", 1}, {"b", 2}, {"c", 3}};
  RenameKeys({{"a", "b"}, {"b", "a"}, {"none", "d"}}, map);
  EXPECT_THAT(map, ElementsAre(Pair("a", 2), Pair("b", 1), Pair("c", 3)));
}

}  // namespace
}  // namespace hbk::backup
