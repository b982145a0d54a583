#include "name_below.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::store {
namespace {

using ::testing::Optional;

TEST(NameBelowTest, TellsWhatLiesInADirectory) {
  EXPECT_THAT(NameBelow("/b", "/b/db/t"), Optional(std::string_view("db/t")));
  EXPECT_THAT(NameBelow("/b", "/b//t"), Optional(std::string_view("t")));
  EXPECT_THAT(NameBelow("/b", "/b"), Optional(std::string_view()));
  EXPECT_THAT(NameBelow("/b", "/b/"), Optional(std::string_view()));
  EXPECT_THAT(NameBelow("/", "/t"), Optional(std::string_view("t")));
  EXPECT_EQ(NameBelow("/b", "/bc/t"), std::nullopt);
  EXPECT_EQ(NameBelow("/b", "/a/t"), std::nullopt);
}

TEST(NameBelowTest, SlashesBehindADirectoryMeanNothing) {
  EXPECT_EQ(WithoutSlashBehind("/b//"), "/b");
  EXPECT_EQ(WithoutSlashBehind("/b"), "/b");
  EXPECT_EQ(WithoutSlashBehind("/"), "/");
}

}  // namespace
}  // namespace hbk::store
