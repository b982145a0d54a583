#include "target_files.h"

#include <map>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(TargetFilesTest, NamesMayGoAround) {
  MemFileSystem fs;
  fs.PutFile("/t/d/a", "1");
  fs.PutFile("/t/d/b", "2");
  fs.PutFile("/t/e/c", "3");

  ASSERT_THAT(RenameInTarget(fs, "/t", {{"d/a", "d/b"}, {"d/b", "e/c"}, {"e/c", "d/a"}}), IsOk());

  EXPECT_EQ(fs.Contents("/t/d/b"), "1");
  EXPECT_EQ(fs.Contents("/t/e/c"), "2");
  EXPECT_EQ(fs.Contents("/t/d/a"), "3");
}

TEST(TargetFilesTest, MissingDirectoriesAreMade) {
  MemFileSystem fs;
  fs.PutFile("/t/d/a", "1");
  ASSERT_THAT(RenameInTarget(fs, "/t", {{"d/a", "new/a"}}), IsOk());
  EXPECT_EQ(fs.Contents("/t/new/a"), "1");
}

TEST(TargetFilesTest, AMissingFileIsAnError) {
  MemFileSystem fs;
  fs.PutDirectory("/t/d");
  EXPECT_FALSE(RenameInTarget(fs, "/t", {{"d/a", "d/b"}}).ok());
}

TEST(TargetFilesTest, KeysAreSwappedAndOthersStay) {
  std::map<std::string, int> map = {{"a", 1}, {"b", 2}, {"c", 3}};
  RenameKeys({{"a", "b"}, {"b", "a"}, {"none", "d"}}, map);
  EXPECT_THAT(map, ElementsAre(Pair("a", 2), Pair("b", 1), Pair("c", 3)));
}

}  // namespace
}  // namespace hbk::backup
