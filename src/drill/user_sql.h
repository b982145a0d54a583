// Runs the user's SQL file against the restored server, with the client program mariadb.
//
// A statement that fails is a problem; the client goes on behind it. What a check finds wrong it
// says by failing: SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT='...'. What SELECTs print goes into the
// report.
//
// Errors   kDrillFailed: the client did not end in time; kInterrupted.
// Threads  Main thread.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::drill {

struct UserSqlPlan {
  std::string client;  // the program
  std::string socket;
  std::string sql_file;     // absolute
  std::string output_path;  // what it prints
  uint32_t timeout_s = 0;
};

struct UserSqlOutcome {
  std::vector<std::string> errors;  // each a statement that failed
  std::string output;               // its beginning
};

Result<UserSqlOutcome> RunUserSql(io::FileSystem& fs, const UserSqlPlan& plan,
                                  const std::stop_token& stop);

// From what the client says on stderr; with an exit code that is not 0 there is always one.
std::vector<std::string> ErrorsOfClient(std::string_view said, int exit_code, int signal_number);

}  // namespace hbk::drill
