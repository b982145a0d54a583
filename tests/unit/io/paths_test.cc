// JoinPath, BaseName, DirName.
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"

namespace hbk::io {
namespace {

TEST(PathsTest, JoinPutsOneSlash) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
}

TEST(PathsTest, JoinLeavesAbsoluteNamesAlone) {
  EXPECT_EQ(JoinPath("a", "/b"), "/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

TEST(PathsTest, BaseNameIsTheLastPart) {
  EXPECT_EQ(BaseName("/a/b.ibd"), "b.ibd");
  EXPECT_EQ(BaseName("b.ibd"), "b.ibd");
  EXPECT_EQ(BaseName("/a/b/"), "b");
  EXPECT_EQ(BaseName("/"), "/");
}

TEST(PathsTest, DirNameIsWhatStandsBefore) {
  EXPECT_EQ(DirName("/a/b.ibd"), "/a");
  EXPECT_EQ(DirName("b.ibd"), ".");
  EXPECT_EQ(DirName("/b"), "/");
  EXPECT_EQ(DirName("/"), "/");
  EXPECT_EQ(DirName("a//b/"), "a");
}

}  // namespace
}  // namespace hbk::io
