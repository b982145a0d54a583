#include "open_spaces.h"

#include <memory>
#include <utility>
#include <vector>

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::ScriptedSqlClient;
using hbk::testing::ScriptedStatement;
using hbk::testing::ScriptLog;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClosedTablesTest : public ::testing::Test {
 protected:
  // One closed table "d/<name>" with id 7, of which the server says this.
  Result<ClosedTables> Find(const std::string& name, std::vector<ScriptedStatement> rest) {
    std::vector<ScriptedStatement> script = {
        {"SET SESSION wait_timeout=*", {}},
        {"SET SESSION wsrep_sync_wait=0", SqlError(1193, "")},
        {"SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLES *",
         SqlRows({{"7", "d/" + name}})},
    };
    script.insert(script.end(), rest.begin(), rest.end());
    if (!rest.empty()) {
      script.push_back({"SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLES *",
                        SqlRows({{is_closed_still_ ? "7" : "8", "d/" + name}})});
    }
    auto session =
        server::ServerSession::Create(std::make_unique<ScriptedSqlClient>(std::move(script), log_));
    HBK_RETURN_IF_ERROR(session.status());
    return FindClosedTables(**session, scan_);
  }

  const ScriptedStatement decode_{"SELECT CONVERT(*", SqlRows({{"d", "t"}})};
  datadir::Scan scan_;
  ScriptLog log_;
  bool is_closed_still_ = true;
};

TEST_F(ClosedTablesTest, ATableThatOpensWhenItIsLookedAtIsNone) {
  is_closed_still_ = false;
  const auto closed =
      Find("t", {decode_, {"SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM *", {}}});
  ASSERT_THAT(closed, IsOk());
  EXPECT_TRUE(closed->discarded.empty());
  EXPECT_TRUE(closed->warnings.empty());
}

TEST_F(ClosedTablesTest, ADiscardedTableIsNamedWithoutAWarning) {
  const auto closed =
      Find("t", {decode_, {"SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM *", {}}});
  ASSERT_THAT(closed, IsOk());
  EXPECT_THAT(closed->discarded, ElementsAre("`d`.`t`"));
  EXPECT_TRUE(closed->warnings.empty());
  EXPECT_EQ(closed->max_id, 7U);
}

TEST_F(ClosedTablesTest, AMissingFileIsWarnedAbout) {
  const auto closed = Find(
      "t",
      {decode_, {"SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM *", SqlError(1932, "")}});
  ASSERT_THAT(closed, IsOk());
  EXPECT_THAT(closed->warnings, ElementsAre(HasSubstr("`d`.`t` has no usable tablespace")));
  EXPECT_THAT(closed->warnings, ElementsAre(HasSubstr("d/t.ibd is missing")));
}

TEST_F(ClosedTablesTest, WithoutTheRightToLookItMayBeEither) {
  const auto closed = Find(
      "t",
      {decode_, {"SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM *", SqlError(1142, "")}});
  ASSERT_THAT(closed, IsOk());
  EXPECT_THAT(closed->warnings, ElementsAre(HasSubstr("it was discarded, or d/t.ibd is missing")));
}

TEST_F(ClosedTablesTest, AFileThatTheServerCannotUseIsCopied) {
  datadir::DataFile file;
  file.name = "d/t.ibd";
  scan_.files = {file};
  const auto closed = Find(
      "t",
      {decode_, {"SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM *", SqlError(1030, "")}});
  ASSERT_THAT(closed, IsOk());
  EXPECT_THAT(closed->warnings, ElementsAre(HasSubstr("d/t.ibd is copied as it is")));
}

TEST_F(ClosedTablesTest, DroppedAndIntermediateTablesAreNotMentioned) {
  const auto dropped = Find(
      "t",
      {decode_, {"SET STATEMENT lock_wait_timeout=1 FOR SELECT 1 FROM *", SqlError(1146, "")}});
  ASSERT_THAT(dropped, IsOk());
  EXPECT_TRUE(dropped->warnings.empty());
  EXPECT_TRUE(dropped->discarded.empty());

  const auto intermediate = Find("#sql-alter-1-2", {});
  ASSERT_THAT(intermediate, IsOk());
  EXPECT_TRUE(intermediate->warnings.empty());
}

TEST(OpenSpacesTest, OnlyWhatIsOpenBothTimesCounts) {
  ClosedTables closed;
  closed.max_id = 9;
  const OpenSpaces open =
      CombineOpenSpaces({{1, "a"}, {2, "b"}, {12, "d"}}, {{2, "b"}, {3, "c"}}, closed);
  EXPECT_THAT(open.ids, ElementsAre(2U));
  EXPECT_EQ(open.max_id, 12U);
}

}  // namespace
}  // namespace hbk::backup
