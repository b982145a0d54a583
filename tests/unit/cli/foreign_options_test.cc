#include "foreign_options.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::cli {
namespace {

using ::testing::HasSubstr;

std::string HintFor(std::string_view name) {
  const ForeignOption* option = FindForeignOption(name);
  return option == nullptr ? "none" : ForeignHint(*option);
}

TEST(ForeignOptionsTest, HintSaysWhatToDo) {
  EXPECT_EQ(HintFor("backup"), "the command is: hbk backup");
  EXPECT_EQ(HintFor("no-backup-locks"),
            "--no-backup-locks does nothing in mariadb-backup either: remove it");
  EXPECT_EQ(HintFor("databases"), "--databases comes with a later version");
  EXPECT_THAT(HintFor("startup-wait-timeout"), HasSubstr("--lock-wait-timeout"));
  EXPECT_THAT(HintFor("startup-wait-timeout"), HasSubstr("--lock-retry-time"));
  EXPECT_THAT(HintFor("ftwrl-wait-threshold"), HasSubstr("--lock-wait-threshold"));
  EXPECT_EQ(HintFor("kill-long-queries-timeout"), "none");
  EXPECT_THAT(HintFor("innodb-buffer-pool-size"), HasSubstr("a setting of the server"));
  EXPECT_EQ(HintFor("banana"), "none");
}

}  // namespace
}  // namespace hbk::cli
