#include "path_remap.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

PathRemap Parsed(const std::vector<std::string>& texts) {
  Result<PathRemap> remap = PathRemap::Parse(texts);
  EXPECT_THAT(remap, IsOk());
  return std::move(remap).value();
}

TEST(PathRemapTest, TheLongestOldPathCounts) {
  for (const std::vector<std::string>& order :
       {std::vector<std::string>{"/a=/x", "/a/b=/y"}, {"/a/b=/y", "/a=/x"}}) {
    PathRemap remap = Parsed(order);
    EXPECT_THAT(remap.Apply("/a/b/db/t.ibd"), Optional(std::string("/y/db/t.ibd")));
    EXPECT_THAT(remap.Apply("/a/c/db/t.ibd"), Optional(std::string("/x/c/db/t.ibd")));
  }
}

TEST(PathRemapTest, OnlyWholeComponentsFit) {
  PathRemap remap = Parsed({"/a=/x"});
  EXPECT_EQ(remap.Apply("/ab/db/t.ibd"), std::nullopt);
  EXPECT_EQ(remap.Apply("/b/a/t.ibd"), std::nullopt);
}

TEST(PathRemapTest, PathsAreCleaned) {
  PathRemap remap = Parsed({"//a/./b/=/x//y/"});
  EXPECT_THAT(remap.Apply("/a//b/db/t.ibd"), Optional(std::string("/x/y/db/t.ibd")));
}

TEST(PathRemapTest, TheRootIsAPathToo) {
  EXPECT_THAT(Parsed({"/=/copy"}).Apply("/a/db/t.ibd"), Optional(std::string("/copy/a/db/t.ibd")));
  EXPECT_THAT(Parsed({"/a=/"}).Apply("/a/db/t.ibd"), Optional(std::string("/db/t.ibd")));
}

TEST(PathRemapTest, ASignInAPathIsFine) {
  EXPECT_THAT(Parsed({"/a=b=/x=y"}).Apply("/a=b/db/t.ibd"), Optional(std::string("/x=y/db/t.ibd")));
}

TEST(PathRemapTest, UnusedRulesAreKnown) {
  PathRemap remap = Parsed({"/a=/x", "/b=/y"});
  (void)remap.Apply("/b/db/t.ibd");
  EXPECT_THAT(remap.Unused(), ElementsAre("/a=/x"));
  EXPECT_THAT(Parsed({}).Unused(), IsEmpty());
}

TEST(PathRemapTest, OtherTextIsRefused) {
  for (const char* text :
       {"", "/a", "a=/b", "/a=b", "=/b", "/a=", "/a=/b=/c", "/a/../b=/c", "/a=/b/..", "/a=/b\n"}) {
    EXPECT_THAT(PathRemap::Parse({text}), StatusIs(StatusCode::kUsage, HasSubstr("remap"))) << text;
  }
  EXPECT_THAT(PathRemap::Parse({"/a=/b", "/a/=/c"}),
              StatusIs(StatusCode::kUsage, HasSubstr("/a is given twice")));
}

}  // namespace
}  // namespace hbk::restore
