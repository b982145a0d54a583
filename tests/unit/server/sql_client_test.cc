#include "hbk/server/sql_client.h"

#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::server {
namespace {

using hbk::testing::IsOk;
using hbk::testing::SqlError;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

TEST(SqlErrorTest, SuccessIsOk) {
  EXPECT_THAT(StatusOfSqlError({}, "asking"), IsOk());
}

TEST(SqlErrorTest, NumbersHaveCodes) {
  const struct {
    uint32_t number;
    StatusCode code;
  } rows[] = {
      {1205, StatusCode::kLockWaitTimeout},
      {1227, StatusCode::kMissingPrivilege},
      {1142, StatusCode::kMissingPrivilege},
      {1044, StatusCode::kMissingPrivilege},
      {2006, StatusCode::kConnectionLost},
      {2013, StatusCode::kConnectionLost},
      {2055, StatusCode::kConnectionLost},
      {1053, StatusCode::kConnectionLost},
      {1927, StatusCode::kConnectionLost},
      {kErrorInterrupted, StatusCode::kInterrupted},
      {1213, StatusCode::kLockWaitTimeout},
      {4145, StatusCode::kFailed},
      {kErrorBoundReached, StatusCode::kLockWaitTimeout},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(StatusOfSqlError(SqlError(row.number, "text"), "asking").code(), row.code)
        << row.number;
  }
}

TEST(SqlErrorTest, MessageSaysWhatWasDoneAndWhatTheServerSaid) {
  EXPECT_THAT(StatusOfSqlError(SqlError(1064, "syntax"), "asking"),
              StatusIs(StatusCode::kFailed, HasSubstr("asking: syntax (server error 1064)")));
}

}  // namespace
}  // namespace hbk::server
