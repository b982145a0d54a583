// A SqlClient that plays a script: statements in order, and what the server answers.
//
// A statement that is not the next one of the script fails the test and is answered with an error.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hbk/server/sql_client.h"

namespace hbk::testing {

inline server::SqlAnswer SqlRows(std::vector<server::SqlRow> rows) {
  server::SqlAnswer answer;
  answer.rows = std::move(rows);
  return answer;
}
inline server::SqlAnswer SqlError(uint32_t number, std::string text) {
  server::SqlAnswer answer;
  answer.error_number = number;
  answer.error_text = std::move(text);
  return answer;
}

struct ScriptedStatement {
  std::string sql;  // a prefix ending in '*' matches what begins like it
  server::SqlAnswer answer;
};

// What a script leaves behind; outlives the client.
struct ScriptLog {
  std::vector<std::string> statements;
  bool is_closed = false;
};

class ScriptedSqlClient final : public server::SqlClient {
 public:
  ScriptedSqlClient(std::vector<ScriptedStatement> script, ScriptLog& log)
      : script_(script.begin(), script.end()), log_(log) {}
  ~ScriptedSqlClient() override {
    EXPECT_TRUE(script_.empty()) << "never sent: " << script_.front().sql;
    log_.is_closed = true;
  }

  server::SqlAnswer Execute(std::string_view sql, const server::SqlWait& /*wait*/) override {
    log_.statements.emplace_back(sql);
    if (script_.empty() || !Matches(script_.front().sql, sql)) {
      ADD_FAILURE() << "out of order: " << sql << "; expected: "
                    << (script_.empty() ? std::string("nothing") : script_.front().sql);
      return SqlError(1064, "not in the script");
    }
    server::SqlAnswer answer = std::move(script_.front().answer);
    script_.pop_front();
    return answer;
  }
  [[nodiscard]] std::string server_version() const override { return "10.11.19-MariaDB"; }

 private:
  static bool Matches(std::string_view expected, std::string_view sql) {
    if (!expected.ends_with('*')) return expected == sql;
    expected.remove_suffix(1);
    return sql.starts_with(expected);
  }

  std::deque<ScriptedStatement> script_;
  ScriptLog& log_;
};

}  // namespace hbk::testing
