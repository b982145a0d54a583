#include "tests/support/live/stage_watch.h"

#include <cstdlib>

namespace hbk::testing {

std::vector<std::string> StageClockOptions() {
  // A statement starts as an abstract one and becomes what it is: all three are needed.
  return {"--performance-schema=ON",
          "--performance-schema-instrument=%=OFF",
          "--performance-schema-instrument=statement/abstract/%=ON",
          "--performance-schema-instrument=statement/com/%=ON",
          "--performance-schema-instrument=statement/sql/backup=ON",
          "--performance-schema-consumer-events-statements-current=ON",
          "--performance-schema-consumer-events-statements-history-long=ON"};
}

Result<double> BlockedMs(SqlClient& client) {
  // Timers are in picoseconds.
  HBK_ASSIGN_OR_RETURN(
      const SqlRows answer,
      client.Query(
          "SELECT (e.timer_start - b.timer_end) / 1e9 AS ms FROM "
          "(SELECT MAX(timer_start) timer_start FROM "
          "performance_schema.events_statements_history_long WHERE sql_text LIKE 'BACKUP STAGE "
          "END%') e, (SELECT MAX(timer_end) timer_end FROM "
          "performance_schema.events_statements_history_long WHERE sql_text LIKE 'BACKUP STAGE "
          "BLOCK_DDL%') b WHERE e.timer_start > b.timer_end"));
  if (answer.rows.empty()) return NotFoundError("the server has seen no whole backup");
  return std::strtod(answer.Get(0, "ms").c_str(), nullptr);
}

Result<bool> IsWaitingForBlockDdl(SqlClient& client) {
  HBK_ASSIGN_OR_RETURN(
      const uint64_t count,
      client.QueryNumber("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE "
                         "'BACKUP STAGE BLOCK\\_DDL%' AND state = 'Waiting for backup lock'"));
  return count > 0;
}

}  // namespace hbk::testing
