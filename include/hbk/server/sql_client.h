// One connection to a server: a statement goes out, an answer comes back.
//
// An interface, so that tests can script statements and answers. Only ServerSession and
// BackupStageLadder talk to it; everything else of hbk asks them.
//
// Errors   What the server answered is in SqlAnswer, error number included: sessions decide what
//          it means (StatusOfSqlError). Never reconnects: a new connection would have lost the
//          backup stage without a word.
// Threads  One at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/server/connect_options.h"

namespace hbk::server {

// Nothing is SQL NULL.
using SqlRow = std::vector<std::optional<std::string>>;

struct SqlAnswer {
  uint32_t error_number = 0;  // 0: the statement went well
  std::string error_text;
  std::vector<std::string> columns;
  std::vector<SqlRow> rows;
};

// How long a statement may take. A statement that is given up closes its connection.
struct SqlWait {
  std::stop_token stop;                                      // requested: kErrorInterrupted
  std::chrono::milliseconds bound = std::chrono::hours(24);  // passed: kErrorBoundReached
  // Called several times a second by the waiting thread; must not use this client.
  std::function<void()> meanwhile = {};
};

// Error numbers of our own, in a range no server uses.
constexpr uint32_t kErrorInterrupted = 900001;
constexpr uint32_t kErrorBoundReached = 900002;

class SqlClient {
 public:
  SqlClient() = default;
  virtual ~SqlClient() = default;
  SqlClient(const SqlClient&) = delete;
  SqlClient& operator=(const SqlClient&) = delete;

  virtual SqlAnswer Execute(std::string_view sql, const SqlWait& wait) = 0;
  // As the server said it in its greeting, e.g. "10.11.19-MariaDB-0+deb12u1-log".
  [[nodiscard]] virtual std::string server_version() const = 0;

  SqlAnswer Execute(std::string_view sql) { return Execute(sql, SqlWait{}); }
};

// kCannotConnect with what was tried; the hint says what to look at.
Result<std::unique_ptr<SqlClient>> ConnectSqlClient(const ConnectOptions& options);

// What a failed statement means to hbk. `what` is what was being done. Ok for error_number 0.
Status StatusOfSqlError(const SqlAnswer& answer, std::string_view what);

}  // namespace hbk::server
