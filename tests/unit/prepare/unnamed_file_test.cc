#include "unnamed_file.h"

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using testing::StatusIs;

TEST(OpenUnnamedFileTest, FileHasNoNameButKeepsItsBytes) {
  MemFileSystem fs;
  fs.PutDirectory("/b");

  const auto file = OpenUnnamedFile(fs, "/b/spill");

  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(io::Exists(fs, "/b/spill"), IsOkAndHolds(false));
  ASSERT_THAT((*file)->WriteAt(3, AsBytes("kept")), IsOk());
  std::string bytes(4, '?');
  ASSERT_THAT((*file)->ReadAt(3, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}),
              IsOkAndHolds(4U));
  EXPECT_EQ(bytes, "kept");
}

TEST(OpenUnnamedFileTest, FileOfAKilledRunIsReplacedByAnEmptyOne) {
  MemFileSystem fs;
  fs.PutFile("/b/spill", "of a killed run");

  const auto file = OpenUnnamedFile(fs, "/b/spill");

  ASSERT_THAT(file, IsOk());
  EXPECT_EQ((*file)->Stat()->size, 0U);
  EXPECT_TRUE(fs.Tree("/b").empty());
}

TEST(OpenUnnamedFileTest, TwoOfOneNameAreTwoFiles) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  const auto first = OpenUnnamedFile(fs, "/b/spill");
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT((*first)->WriteAt(0, AsBytes("first")), IsOk());

  const auto second = OpenUnnamedFile(fs, "/b/spill");

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ((*second)->Stat()->size, 0U);
  EXPECT_EQ((*first)->Stat()->size, 5U);
}

TEST(OpenUnnamedFileTest, MissingDirectoryIsAnError) {
  MemFileSystem fs;

  EXPECT_THAT(OpenUnnamedFile(fs, "/nowhere/spill"),
              StatusIs(StatusCode::kNotFound, ::testing::HasSubstr("/nowhere/spill")));
}

}  // namespace
}  // namespace hbk::prepare
