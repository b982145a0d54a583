// The programs under test, hbk and mariadb-backup, behind the same four calls.
//
// Which one: HBK_TEST_TOOL=hbk (default) or mariadb-backup, so that a test can show how the other
// tool fares at it; tests that compare both name them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/process.h"
#include "tests/support/live/server_tree.h"

namespace hbk::testing {

enum class BackupTool { kHbk, kMariadbBackup };

BackupTool ToolUnderTest();
std::string_view ToolName(BackupTool tool);
// The binary of this build, or HBK_TEST_PROGRAM.
std::string HbkProgram();

struct BackupArguments {
  std::string socket_path;
  std::string target_dir;
  int parallel = 1;
  int throttle = 0;  // pairs of 1 MiB a second; 0: none
  std::string user = "root";
  std::vector<std::string> extra = {};
  ServerTree tree = {};  // whose mariadb-backup it is
};

std::vector<std::string> BackupCommand(BackupTool tool, const BackupArguments& arguments);
std::vector<std::string> PrepareCommand(BackupTool tool, const std::string& target_dir,
                                        const std::vector<std::string>& extra = {},
                                        const ServerTree& tree = {});
std::vector<std::string> CopyBackCommand(BackupTool tool, const std::string& target_dir,
                                         const std::string& data_dir,
                                         const std::vector<std::string>& extra = {},
                                         const ServerTree& tree = {});

// Runs it; an error unless it ended with 0 and said "completed OK!" in its last line. The output
// goes to `output_path`.
Result<ProcessEnd> RunToSuccess(const std::vector<std::string>& argv,
                                const std::string& output_path,
                                milliseconds limit = kUsualTimeLimit);
// The same judgement on an end that was waited for elsewhere.
Status CheckCompleted(const ProcessEnd& end, const std::string& what);

// *_binlog_info of a backup directory.
struct BinlogInfo {
  std::string file;
  std::string position;
  std::string gtid;  // may be empty
};
Result<BinlogInfo> ReadBinlogInfo(const std::string& backup_dir);

// redo_margin of the manifest, 0..1; nothing for a directory of mariadb-backup.
std::optional<double> ReadRedoMargin(const std::string& backup_dir);

}  // namespace hbk::testing
