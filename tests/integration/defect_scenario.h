// One backup whose FLUSH stage is held open while statements run, and what is restored from it.
//
// A session keeps writing a MyISAM table, so that the tool waits for BLOCK_DDL with everything
// copied that it copies before that. Then the statements run, the writer ends, and the backup goes
// on. Nothing else happens on the server: what the source holds in the end is what it held at the
// recorded position, and the restored server must hold the same.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"

namespace hbk::testing {

struct DefectScenario {
  std::vector<std::string> setup;      // database `d` is there, and current
  std::vector<std::string> meanwhile;  // in FLUSH, after all that is copied there
  // Runs until the statements are done, if it calls GET_LOCK('written', ...).
  std::string write = "INSERT INTO blocker SELECT GET_LOCK('written', 60)";
  std::string read = {};  // the same, with GET_LOCK('read', ...); none if empty
  std::string user = "root";
};

struct DefectOutcome {
  Status run;       // not OK: the backup was not made, and nothing is known
  Status restored;  // what is wrong with what was restored
};

DefectOutcome RunDefectScenario(BackupTool tool, const DefectScenario& scenario);

}  // namespace hbk::testing
