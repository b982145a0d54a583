#include "hbk/server/sql_client.h"

#include <fmt/format.h>

namespace hbk::server {

namespace {

// Server error numbers that hbk reacts to (MariaDB Server, errmsg-utf8.txt; each seen).
constexpr uint32_t kAccessDenied = 1045;
constexpr uint32_t kSpecificAccessDenied = 1227;
constexpr uint32_t kDatabaseAccessDenied = 1044;
constexpr uint32_t kTableAccessDenied = 1142;
constexpr uint32_t kServerShutdown = 1053;
constexpr uint32_t kLockWaitTimeout = 1205;
constexpr uint32_t kDeadlock = 1213;
constexpr uint32_t kQueryInterrupted = 1317;
constexpr uint32_t kConnectionKilled = 1927;
// Connector/C.
constexpr uint32_t kServerGone = 2006;
constexpr uint32_t kServerLost = 2013;
constexpr uint32_t kServerLostExtended = 2055;

}  // namespace

Status StatusOfSqlError(const SqlAnswer& answer, std::string_view what) {
  if (answer.error_number == 0) return OkStatus();
  const std::string message =
      fmt::format("{}: {} (server error {})", what, answer.error_text, answer.error_number);
  switch (answer.error_number) {
    case kErrorInterrupted: return {StatusCode::kInterrupted, "interrupted"};
    case kErrorBoundReached:
    // The server has chosen this session to give way: the lock may be there the next time.
    case kDeadlock:
    case kLockWaitTimeout: return {StatusCode::kLockWaitTimeout, message};
    case kAccessDenied:
    case kSpecificAccessDenied:
    case kDatabaseAccessDenied:
    case kTableAccessDenied: return {StatusCode::kMissingPrivilege, message};
    case kServerShutdown:
    case kConnectionKilled:
    case kQueryInterrupted:
    case kServerGone:
    case kServerLost:
    case kServerLostExtended: return {StatusCode::kConnectionLost, message};
    default: return FailedError(message);
  }
}

}  // namespace hbk::server
