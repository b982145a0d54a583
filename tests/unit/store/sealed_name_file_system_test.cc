#include "hbk/store/sealed_name_file_system.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/store/sealed_file_system.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::store::sealed_name_file_system_test {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool IsOwn(std::string_view name) {
  return name.starts_with("hbk_");
}

// What can be looked at in a test.
Result<std::string> Hide(std::string_view name) {
  std::string hidden = "x";
  for (const char c : name)
    hidden += c == '/' ? '_' : c;
  return hidden;
}

class SealedNameFileSystemTest : public ::testing::Test {
 protected:
  SealedNameFileSystemTest() { below_.PutDirectory("/b"); }

  void Write(const std::string& path, const std::string& bytes) {
    ASSERT_THAT(io::WriteNewFile(fs_, path, bytes, 0600), IsOk());
  }
  static std::vector<std::string> Names(io::FileSystem& fs, const std::string& path) {
    std::vector<std::string> names;
    const auto entries = fs.List(path);
    if (!entries.ok()) return {"none"};
    for (const io::DirectoryEntry& entry : *entries)
      names.push_back(entry.name + (entry.type == io::FileType::kDirectory ? "/" : ""));
    return names;
  }

  MemFileSystem below_;
  SealedNameFileSystem fs_{below_, "/b", Hide, IsOwn};
};

TEST_F(SealedNameFileSystemTest, FilesLieInOneDirectoryUnderOtherNames) {
  ASSERT_THAT(fs_.MakeDirectory("/b/db", 0700), IsOk());
  Write("/b/db/t", "1");
  Write("/b/ibdata1", "2");
  Write("/b/hbk_keys.json", "3");
  EXPECT_THAT(Names(below_, "/b"), ElementsAre("hbk_keys.json", "xdb_t", "xibdata1"));
  EXPECT_EQ(io::ReadFile(fs_, "/b/db/t", 10).value(), "1");
  EXPECT_THAT(Names(fs_, "/b"), ElementsAre("db/", "hbk_keys.json", "ibdata1"));
  EXPECT_THAT(Names(fs_, "/b/db"), ElementsAre("t"));
  EXPECT_EQ(fs_.Stat("/b/db", true)->type, io::FileType::kDirectory);
  EXPECT_EQ(fs_.Stat("/b/db/t", true)->size, 1U);
  EXPECT_THAT(fs_.SyncDirectory("/b/db"), IsOk());
  EXPECT_THAT(fs_.MakeDirectory("/b/db", 0700), StatusIs(StatusCode::kAlreadyExists, _));
}

TEST_F(SealedNameFileSystemTest, OfABackupThatIsThereNamesAreSaid) {
  below_.PutFile("/b/xdb_t", "1");
  EXPECT_THAT(fs_.Open("/b/db/t", {}), StatusIs(StatusCode::kNotFound, HasSubstr("/b/db/t")));
  ASSERT_THAT(fs_.AddFile("db/t"), IsOk());
  ASSERT_THAT(fs_.AddFile("db/gone"), IsOk());
  fs_.AddDirectory("empty");
  EXPECT_EQ(io::ReadFile(fs_, "/b/db/t", 10).value(), "1");
  EXPECT_THAT(Names(fs_, "/b"), ElementsAre("db/", "empty/"));
  EXPECT_THAT(Names(fs_, "/b/empty"), ElementsAre());
  EXPECT_THAT(fs_.List("/b/other"), StatusIs(StatusCode::kNotFound, _));
  // Both names: which file it is, and where it should be.
  EXPECT_THAT(fs_.Open("/b/db/gone", {}),
              StatusIs(StatusCode::kNotFound,
                       ::testing::AllOf(HasSubstr("/b/db/gone"), HasSubstr("/b/xdb_gone"))));
}

// Or a directory that is not empty would look as if it were.
TEST_F(SealedNameFileSystemTest, WhatSomebodyElsePutThereIsShown) {
  below_.PutFile("/b/letter", "1");
  EXPECT_THAT(Names(fs_, "/b"), ElementsAre("letter"));
}

TEST_F(SealedNameFileSystemTest, RenamesAndRemoves) {
  ASSERT_THAT(fs_.MakeDirectory("/b/db", 0700), IsOk());
  Write("/b/db/t", "1");
  ASSERT_THAT(fs_.Rename("/b/db/t", "/b/db/u"), IsOk());
  EXPECT_THAT(Names(below_, "/b"), ElementsAre("xdb_u"));
  EXPECT_THAT(Names(fs_, "/b/db"), ElementsAre("u"));
  ASSERT_THAT(fs_.Rename("/b/db/u", "/b/hbk_u"), IsOk());
  EXPECT_THAT(Names(below_, "/b"), ElementsAre("hbk_u"));
  ASSERT_THAT(fs_.Rename("/b/hbk_u", "/b/db/v"), IsOk());
  ASSERT_THAT(fs_.Remove("/b/db/v"), IsOk());
  EXPECT_THAT(Names(below_, "/b"), ElementsAre());
  EXPECT_THAT(Names(fs_, "/b/db"), ElementsAre());
  ASSERT_THAT(fs_.RemoveDirectory("/b/db"), IsOk());
  EXPECT_THAT(Names(fs_, "/b"), ElementsAre());
}

TEST_F(SealedNameFileSystemTest, ElsewhereNothingChanges) {
  below_.PutDirectory("/bc");
  Write("/bc/t", "1");
  EXPECT_EQ(below_.Contents("/bc/t"), "1");
}

TEST_F(SealedNameFileSystemTest, UnderTheSealing) {
  const seal::DataKey key = seal::DataKey::Generate().value();
  SealedFileSystem sealed(fs_, "/b", key, IsOwn);
  ASSERT_THAT(sealed.MakeDirectory("/b/db", 0700), IsOk());
  ASSERT_THAT(io::WriteNewFile(sealed, "/b/db/t", "text", 0600), IsOk());
  EXPECT_THAT(Names(below_, "/b"), ElementsAre("xdb_t.sealed"));
  EXPECT_EQ(io::ReadFile(sealed, "/b/db/t", 10).value(), "text");
  EXPECT_THAT(Names(sealed, "/b/db"), ElementsAre("t"));
}

}  // namespace
}  // namespace hbk::store::sealed_name_file_system_test
