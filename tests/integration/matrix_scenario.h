// One instance of the matrix page size x checksum x cipher, with tables of every kind in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/instance_format.h"

namespace hbk::testing {

// Every page size, checksum and cipher mode, 20 of them. Clear tables are in each instance: there
// is none without a cipher.
std::vector<InstanceFormat> MatrixFormats(const ServerTree& tree);

struct DifferentialConfig {
  uint64_t seed = 1;
  InstanceFormat format;
  BackupTool maker = BackupTool::kHbk;     // takes the backup
  BackupTool compared = BackupTool::kHbk;  // whose prepare is compared with mariadb-backup's
  BackupTool restorer = BackupTool::kHbk;  // puts back the set that it prepared itself
  uint64_t redo_mib = 12;
  bool has_kinds = true;  // else the usual tables
};

struct DifferentialResult {
  uint64_t redo_bytes = 0;
  PageComparison pages;
};

// A backup of that instance under load, prepared by both tools on copies, compared page by page;
// then the restorer puts its set back, and a server checks all tables of it.
Result<DifferentialResult> RunDifferential(const DifferentialConfig& config);

// The cells of one instance, by kind: "1234 pages, 0 differ" or why there are none.
std::map<std::string, std::string> CellsOf(const DifferentialConfig& config,
                                           const DifferentialResult& result);

}  // namespace hbk::testing
