#include "hbk/server/galera_status.h"

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::server {
namespace {

using hbk::testing::IsOk;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

const std::string kUuid = "bd09145a-e504-11f1-95aa-e2b1c9df3eab";

SqlAnswer Answer(const std::string& uuid, const std::string& seqno,
                 const std::string& state = "Synced") {
  return SqlRows({{"wsrep_local_state_uuid", uuid},
                  {"wsrep_protocol_version", "10"},
                  {"wsrep_last_committed", seqno},
                  {"wsrep_local_state_comment", state}});
}

TEST(GaleraStatusTest, ValuesAreFoundByName) {
  const auto status = ParseGaleraStatus(Answer(kUuid, "215"));
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(*status, (GaleraStatus{kUuid, 215, "Synced"}));
  EXPECT_TRUE(status->IsMember());
}

TEST(GaleraStatusTest, NodeThatIsNoMemberHasNoPosition) {
  EXPECT_FALSE(ParseGaleraStatus(Answer("00000000-0000-0000-0000-000000000000", "7"))->IsMember());
  EXPECT_FALSE(ParseGaleraStatus(Answer("", "7"))->IsMember());
  EXPECT_FALSE(ParseGaleraStatus(Answer(kUuid, "-1"))->IsMember());
  EXPECT_FALSE(ParseGaleraStatus(Answer(kUuid, "18446744073709551615"))->IsMember());
}

TEST(GaleraStatusTest, MembersAreThoseThatHaveTheData) {
  for (const char* state : {"Synced", "Donor/Desynced", "Joined"})
    EXPECT_TRUE(ParseGaleraStatus(Answer(kUuid, "7", state))->IsMember()) << state;
  for (const char* state :
       {"Initialized", "Joining: receiving State Transfer", "Disconnected", "Inconsistent", ""})
    EXPECT_FALSE(ParseGaleraStatus(Answer(kUuid, "7", state))->IsMember()) << state;
}

TEST(GaleraStatusTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(ParseGaleraStatus(SqlRows({{"wsrep_local_state_uuid", kUuid}})),
              StatusIs(StatusCode::kUnsupported, HasSubstr("wsrep_last_committed")));
  EXPECT_THAT(ParseGaleraStatus({}), StatusIs(StatusCode::kUnsupported, HasSubstr("_uuid")));
}

TEST(GaleraStatusTest, PositionThatIsNoNumberIsRefused) {
  EXPECT_THAT(ParseGaleraStatus(Answer(kUuid, "soon")),
              StatusIs(StatusCode::kUnsupported, HasSubstr("'soon', not a number")));
}

}  // namespace
}  // namespace hbk::server
