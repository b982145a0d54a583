#include "user_sql.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::drill {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using hbk::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(UserSqlTest, EachFailedStatementIsAnError) {
  EXPECT_THAT(ErrorsOfClient("--------------\nselect x\n--------------\n\n"
                             "ERROR 1146 (42S02) at line 2: Table 'a.x' doesn't exist\n"
                             "ERROR 1644 (45000) at line 4: too few rows\n",
                             0, 0),
              ElementsAre("ERROR 1146 (42S02) at line 2: Table 'a.x' doesn't exist",
                          "ERROR 1644 (45000) at line 4: too few rows"));
  EXPECT_THAT(ErrorsOfClient("", 0, 0), IsEmpty());
}

TEST(UserSqlTest, AClientThatFailsWithoutAWordIsAnErrorToo) {
  EXPECT_THAT(ErrorsOfClient("what\n", 1, 0), ElementsAre(HasSubstr("exit code 1: what")));
  EXPECT_THAT(ErrorsOfClient("", 0, 11), ElementsAre(HasSubstr("signal 11")));
}

class RunUserSqlTest : public ::testing::Test {
 protected:
  RunUserSqlTest() {
    std::ofstream(dir_.path() + "/a file.sql") << "SELECT 1;\n";
    plan_ = {.client = dir_.path() + "/mariadb",
             .socket = "/s/server.sock",
             .sql_file = dir_.path() + "/a file.sql",
             .output_path = dir_.path() + "/out",
             .timeout_s = 20};
  }
  void PutClient(const std::string& script) {
    std::ofstream(plan_.client) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(plan_.client, std::filesystem::perms::owner_all);
  }

  TemporaryDirectory dir_;
  UserSqlPlan plan_;
};

TEST_F(RunUserSqlTest, TheClientGetsTheFileAndWhatItPrintsIsKept) {
  PutClient("echo \"$@\"; cat; echo 'ERROR 1 (2) at line 3: no' >&2");

  const auto outcome = RunUserSql(io::PosixFileSystem(), plan_, {});

  ASSERT_THAT(outcome, IsOk());
  EXPECT_THAT(outcome->output, HasSubstr("--no-defaults --user=root --socket=/s/server.sock"));
  EXPECT_THAT(outcome->output, HasSubstr("SELECT 1;"));
  EXPECT_THAT(outcome->errors, ElementsAre("ERROR 1 (2) at line 3: no"));
}

TEST_F(RunUserSqlTest, AClientThatHangsIsEnded) {
  PutClient("exec sleep 1000");
  plan_.timeout_s = 1;

  EXPECT_THAT(RunUserSql(io::PosixFileSystem(), plan_, {}).status(),
              StatusIs(StatusCode::kDrillFailed, HasSubstr("did not end within 1 seconds")));
}

}  // namespace
}  // namespace hbk::drill
