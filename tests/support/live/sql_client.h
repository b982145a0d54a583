// A plain client session for tests: any statement, rows as text.
//
// Not the `server` module's session, which is under test and knows only a backup's statements.
//
// Errors   A failed statement is kFailed (kCannotConnect: no session); last_error() has the
//          server's number.
// Threads  One thread at a time; Kill-free: destroying it closes the connection, which rolls back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::testing {

using SqlRow = std::vector<std::optional<std::string>>;  // nothing: NULL

struct SqlRows {
  std::vector<std::string> columns;
  std::vector<SqlRow> rows;

  // The value in that row and column; empty if it is NULL or there is no such column or row.
  [[nodiscard]] std::string Get(size_t row, const std::string& column) const;
};

class SqlClient {
 public:
  // As root without a password, over the Unix socket.
  static Result<SqlClient> Connect(const std::string& socket_path);
  SqlClient(SqlClient&&) noexcept;
  SqlClient& operator=(SqlClient&&) noexcept;
  SqlClient(const SqlClient&) = delete;
  SqlClient& operator=(const SqlClient&) = delete;
  ~SqlClient();

  Status Execute(const std::string& statement);  // a result set is read and dropped
  Result<SqlRows> Query(const std::string& statement);
  // First column of the first row; kNotFound if there is no row, empty if it is NULL.
  Result<std::string> QueryValue(const std::string& statement);
  Result<uint64_t> QueryNumber(const std::string& statement);
  // SHOW GLOBAL STATUS, of one variable that is a number.
  Result<uint64_t> StatusNumber(const std::string& variable);

  [[nodiscard]] uint32_t last_error() const {  // of the last statement; 0: it succeeded
    return last_error_;
  }
  [[nodiscard]] uint64_t last_insert_id() const;
  [[nodiscard]] uint64_t connection_id() const;

 private:
  struct Session;
  explicit SqlClient(std::unique_ptr<Session> session);
  Status Fail(const std::string& statement);

  std::unique_ptr<Session> session_;
  uint32_t last_error_ = 0;
};

}  // namespace hbk::testing
