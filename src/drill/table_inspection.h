// Checks tables of the restored server, and compares their sums with what they should be.
//
// Several sessions take one table after another. A server that is lost ends it: the tables that are
// left are not inspected, and that is no good end.
//
// Errors   Of InspectTables: kConnectionLost, with what was being done; kInterrupted. What is wrong
//          with a table is in its findings.
// Threads  Main thread; it starts others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/report/reporter.h"
#include "hbk/server/table_session.h"

#include "drill_report.h"

namespace hbk::drill {

struct TableJob {
  server::ListedTable table;
  // What its sum must be; nothing: it is not compared.
  std::optional<server::TableSum> expected;
  // The checksum depends on the series of the server: then only rows are counted.
  bool is_checksum_comparable = true;
};

struct TableOutcome {
  bool is_checked = false;
  bool is_compared = false;
  double seconds = 0;
  std::vector<Finding> findings;
};

struct InspectionPlan {
  std::optional<server::CheckDepth> check;
  uint32_t session_count = 1;
  std::function<Result<std::unique_ptr<server::TableSession>>()> connect;
};

// In the order of the jobs; of those that were not come to, neither checked nor compared. `lost` is
// the first thing that ended it early.
std::vector<TableOutcome> InspectTables(const std::vector<TableJob>& jobs,
                                        const InspectionPlan& plan, report::Reporter& reporter,
                                        const std::stop_token& stop, Status& lost);

// What CHECK TABLE's answer means. Anything but an OK at its end is a problem.
std::vector<Finding> JudgeCheck(const server::ListedTable& table,
                                const std::vector<server::CheckMessage>& messages);
std::vector<Finding> JudgeSum(const TableJob& job, const std::optional<server::TableSum>& found,
                              const std::string& why);

}  // namespace hbk::drill
