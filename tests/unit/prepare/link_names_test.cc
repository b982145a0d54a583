#include "link_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::ElementsAre;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using ::testing::Pair;

TEST(LinkNamesTest, ALinkNamesThePathOfItsTable) {
  MemFileSystem fs;
  fs.PutFile("/b/b/u.isl", "/ext/a/u.ibd\n");
  fs.PutFile("/b/b/p#P#p0.isl", "/ext/b/p#P#p0.ibd");
  fs.PutFile("/b/b/bad.isl", "/ext/b/other.ibd");
  fs.PutFile("/b/b/long.isl", std::string(5000, 'x'));
  fs.PutFile("/b/root.isl", "/ext/b/root.ibd");
  BackupSet set;
  set.dir = "/b";

  EXPECT_THAT(ReadLinkNames(fs, set),
              IsOkAndHolds(ElementsAre(Pair("/ext/a/u.ibd", "b/u.ibd"),
                                       Pair("/ext/b/p#P#p0.ibd", "b/p#P#p0.ibd"))));
}

TEST(LinkNamesTest, OnlyThePathOfALinkIsGivenItsName) {
  SpaceLogs logs;
  logs.spaces[5] = {.last_name = "a/u.ibd", .last_path = "/ext/a/u.ibd"};
  logs.spaces[6] = {.last_name = "a/u.ibd", .last_path = "./a/u.ibd"};
  logs.spaces[7] = {.last_name = "a/u.ibd", .last_path = "/ext/a/u.ibd", .is_deleted = true};

  UseLinkNames({{"/ext/a/u.ibd", "b/u.ibd"}}, logs);

  EXPECT_EQ(logs.spaces[5].last_name, "b/u.ibd");
  EXPECT_EQ(logs.spaces[6].last_name, "a/u.ibd");
  EXPECT_EQ(logs.spaces[7].last_name, "a/u.ibd");
}

}  // namespace
}  // namespace hbk::prepare
