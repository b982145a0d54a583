#include "hbk/manifest/damaged_page_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(DamagedPageListTest, TwoLinesMakeATablespace) {
  const auto damaged = ParseDamagedPageList("db/t#P#p0 7\n3 5 70\ninnodb_system 0\n9\n");

  ASSERT_THAT(damaged, IsOk());
  ASSERT_EQ(damaged->spaces.size(), 2U);
  EXPECT_EQ(damaged->spaces[0].name, "innodb_system");
  EXPECT_EQ(damaged->spaces[1].name, "db/t#P#p0");
  EXPECT_EQ(damaged->spaces[1].id, 7U);
  EXPECT_THAT(damaged->spaces[1].pages, ElementsAre(3, 5, 70));
  EXPECT_TRUE(damaged->Contains({0, 9}));
  EXPECT_FALSE(damaged->Contains({0, 3}));
  EXPECT_FALSE(damaged->Contains({8, 3}));
}

TEST(DamagedPageListTest, ATablespaceThatIsThereTwiceIsOne) {
  const auto damaged = ParseDamagedPageList("db/t 7\n3\n\ndb/u 7\n5 3\n");

  ASSERT_THAT(damaged, IsOk());
  ASSERT_EQ(damaged->spaces.size(), 1U);
  EXPECT_EQ(damaged->spaces[0].name, "db/u");
  EXPECT_THAT(damaged->spaces[0].pages, ElementsAre(3, 5));
}

TEST(DamagedPageListTest, BlanksAtTheEndAreNoMatter) {
  const auto damaged = ParseDamagedPageList("db/t 7 \r\n3 5 \r\n");

  ASSERT_THAT(damaged, IsOk());
  ASSERT_EQ(damaged->spaces.size(), 1U);
  EXPECT_THAT(damaged->spaces[0].pages, ElementsAre(3, 5));
}

TEST(DamagedPageListTest, OtherLinesAreCorruption) {
  for (const std::string_view text : {"db/t\n3\n", "db/t x\n3\n", "db/t 7\n3 x\n", " 7\n3\n"})
    EXPECT_THAT(ParseDamagedPageList(text), StatusIs(StatusCode::kCorruption, HasSubstr("line")));
}

TEST(DamagedPageListTest, RenderedTextIsReadBack) {
  const std::string text = "innodb_system 0\n9\ndb/t 7\n3 5\n";

  EXPECT_EQ(RenderDamagedPageList(ParseDamagedPageList(text).value()), text);
}

TEST(DamagedPageListTest, TablespacesAreRenderedInTheirOrder) {
  const DamagedPageList list{.spaces = {{"db/t", 7, {5, 3}}, {"innodb_system", 0, {9}}}};

  EXPECT_EQ(RenderDamagedPageList(list), "db/t 7\n3 5\ninnodb_system 0\n9\n");
}

}  // namespace
}  // namespace hbk::manifest
