// A backup directory with much redo to apply: the input of the tests of prepare.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/instance_format.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/workload.h"

namespace hbk::testing {

struct RedoBackupConfig {
  uint64_t seed = 1;
  BackupTool tool = BackupTool::kHbk;  // that takes the backup
  uint64_t redo_mib = 25;              // at least so much lies between checkpoint and end
  bool has_ddl = true;
  std::vector<std::string> install_options = {};
  std::vector<std::string> server_options = {};
  ServerTree tree = {};
  std::optional<KindOptions> kinds = {};
};

// Starts a server that keeps its changed pages in memory, loads it until there is that much redo,
// and takes a backup to `target_dir` while the load goes on. The server is gone afterwards.
// Returns the bytes of redo in the backup.
Result<uint64_t> MakeRedoBackup(const RedoBackupConfig& config, const std::string& server_dir,
                                const std::string& target_dir);

// Options of a server that keeps changed pages in memory and makes no checkpoint: all that changes
// after WritePages is in the redo alone.
const std::vector<std::string>& KeepChangesInMemory();
// Lets such a server write its changed pages, once.
Status WritePages(SqlClient& client);

// Starts a server on a restored data directory, checks all tables and the bank, and stops it.
Status CheckRestoredData(const std::string& server_dir, const std::string& data_dir,
                         const std::vector<std::string>& install_options,
                         const std::vector<std::string>& server_options = {},
                         const ServerTree& tree = {});

}  // namespace hbk::testing
