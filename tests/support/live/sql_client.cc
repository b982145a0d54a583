#include "tests/support/live/sql_client.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <mysql.h>

namespace hbk::testing {
namespace {

constexpr size_t kStatementShown = 300;  // of a failed statement, in its message

}  // namespace

struct SqlClient::Session {
  Session() {
    // The library's set-up is not thread-safe, and load threads connect at the same time.
    static std::once_flag once;
    std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
    handle = mysql_init(nullptr);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { mysql_close(handle); }

  MYSQL* handle = nullptr;
};

std::string SqlRows::Get(size_t row, const std::string& column) const {
  const auto found = std::ranges::find(columns, column);
  if (row >= rows.size() || found == columns.end()) {
    return "";
  }
  return rows[row].at(static_cast<size_t>(found - columns.begin())).value_or("");
}

SqlClient::SqlClient(std::unique_ptr<Session> session) : session_(std::move(session)) {}
SqlClient::SqlClient(SqlClient&&) noexcept = default;
SqlClient& SqlClient::operator=(SqlClient&&) noexcept = default;
SqlClient::~SqlClient() = default;

Result<SqlClient> SqlClient::Connect(const std::string& socket_path) {
  auto session = std::make_unique<Session>();
  MYSQL* handle = session->handle;
  // Option files of the machine must not change what a test does: none is read by default.
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(handle, nullptr, "root", "", nullptr, 0, socket_path.c_str(), 0) ==
      nullptr) {
    return Status(StatusCode::kCannotConnect,
                  fmt::format("connecting to {}: {}", socket_path, mysql_error(handle)));
  }
  return SqlClient(std::move(session));
}

Status SqlClient::Fail(const std::string& statement) {
  last_error_ = mysql_errno(session_->handle);
  return FailedError(fmt::format("error {} ({}) of: {}", last_error_, mysql_error(session_->handle),
                                 statement.substr(0, kStatementShown)));
}

Status SqlClient::Execute(const std::string& statement) {
  return Query(statement).status();
}

Result<SqlRows> SqlClient::Query(const std::string& statement) {
  last_error_ = 0;
  MYSQL* handle = session_->handle;
  if (mysql_real_query(handle, statement.data(), statement.size()) != 0) {
    return Fail(statement);
  }
  SqlRows answer;
  MYSQL_RES* result = mysql_store_result(handle);
  if (result == nullptr) {
    return mysql_field_count(handle) == 0 ? Result<SqlRows>(std::move(answer))
                                          : Result<SqlRows>(Fail(statement));
  }
  const unsigned column_count = mysql_num_fields(result);
  const MYSQL_FIELD* fields = mysql_fetch_fields(result);
  for (unsigned i = 0; i < column_count; ++i) {
    answer.columns.emplace_back(fields[i].name);
  }
  for (MYSQL_ROW row = mysql_fetch_row(result); row != nullptr; row = mysql_fetch_row(result)) {
    const auto* lengths = mysql_fetch_lengths(result);
    SqlRow& values = answer.rows.emplace_back();
    for (unsigned i = 0; i < column_count; ++i) {
      values.push_back(row[i] == nullptr
                           ? std::nullopt
                           : std::optional<std::string>(std::in_place, row[i], lengths[i]));
    }
  }
  mysql_free_result(result);
  return answer;
}

Result<std::string> SqlClient::QueryValue(const std::string& statement) {
  HBK_ASSIGN_OR_RETURN(const SqlRows answer, Query(statement));
  if (answer.rows.empty()) {
    return NotFoundError("no row from: " + statement);
  }
  return answer.rows[0].at(0).value_or("");
}

Result<uint64_t> SqlClient::QueryNumber(const std::string& statement) {
  HBK_ASSIGN_OR_RETURN(const std::string text, QueryValue(statement));
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return FailedError(fmt::format("'{}' is not a number, from: {}", text, statement));
  }
  return number;
}

Result<uint64_t> SqlClient::StatusNumber(const std::string& variable) {
  return QueryNumber(
      "SELECT variable_value FROM information_schema.global_status WHERE variable_name = '" +
      variable + "'");
}

uint64_t SqlClient::last_insert_id() const {
  return mysql_insert_id(session_->handle);
}

uint64_t SqlClient::connection_id() const {
  return mysql_thread_id(session_->handle);
}

}  // namespace hbk::testing
