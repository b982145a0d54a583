// How a run tells what it has seen, and what it leaves in the record.
//
// Threads  One.
#pragma once

#include <string>
#include <vector>

#include "hbk/report/reporter.h"
#include "hbk/verify/verify_runner.h"

#include "content_check.h"

namespace hbk::verify {

// Findings one by one, then what of files with many was left out.
void ReportFindings(const std::vector<Finding>& findings, uint64_t count,
                    report::Reporter& reporter);
// What could not be judged, or is worth knowing.
void ReportCounts(const CheckCounts& counts, const std::string& key_problem,
                  report::Reporter& reporter);

}  // namespace hbk::verify
