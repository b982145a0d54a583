// One session on the tables of every engine: it writes rows, or it creates, drops and alters.
//
// Statements that meet a table that is gone or another one by now are part of the load.
//
// Errors   Any other failed statement ends the run.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "hbk/base/status.h"

#include "tests/support/live/sql_client.h"
#include "tests/support/live/statement_generator.h"

namespace hbk::testing {

class EngineThread {
 public:
  // Borrows the two switches (stop, and milliseconds between statements) and the counter of DDL
  // that succeeded.
  EngineThread(SqlClient client, uint64_t seed, const std::atomic<bool>& is_stopping,
               const std::atomic<int>& pause_ms, std::atomic<uint64_t>& ddl_count);

  // Each runs until the load stops.
  Status RunRows();
  Status RunDdl();

 private:
  Status SetUpSession();
  Status Do(const std::string& statement);
  std::string RowStatement();
  void Pause(uint64_t usual_ms);

  SqlClient client_;
  uint64_t seed_;
  StatementGenerator generate_;
  const std::atomic<bool>& is_stopping_;
  const std::atomic<int>& pause_ms_;
  std::atomic<uint64_t>& ddl_count_;
  std::map<std::string, uint64_t> id_end_;  // as far as this session knows
  std::string written_;                     // the table of the last INSERT
};

}  // namespace hbk::testing
