#include "tests/support/live/backup_tool.h"

#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/support/live/scratch_dir.h"

namespace hbk::testing {
namespace {

// The command line up to the operation; option files of the machine must not matter.
std::vector<std::string> CommandStart(BackupTool tool, const std::string& operation,
                                      const ServerTree& tree) {
  if (tool == BackupTool::kHbk) {
    return {HbkProgram(), operation, "--no-defaults"};
  }
  return {tree.Program("mariadb-backup"), "--no-defaults", "--" + operation};
}

std::string LastLine(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

BackupTool ToolUnderTest() {
  const char* name = std::getenv("HBK_TEST_TOOL");  // NOLINT(concurrency-mt-unsafe)
  return name != nullptr && name == ToolName(BackupTool::kMariadbBackup)
             ? BackupTool::kMariadbBackup
             : BackupTool::kHbk;
}

std::string_view ToolName(BackupTool tool) {
  return tool == BackupTool::kHbk ? "hbk" : "mariadb-backup";
}

std::string HbkProgram() {
  const char* other = std::getenv("HBK_TEST_PROGRAM");  // NOLINT(concurrency-mt-unsafe)
  return other != nullptr ? other : HBK_PROGRAM;
}

std::vector<std::string> BackupCommand(BackupTool tool, const BackupArguments& arguments) {
  std::vector<std::string> argv = CommandStart(tool, "backup", arguments.tree);
  argv.push_back("--user=" + arguments.user);
  argv.push_back("--socket=" + arguments.socket_path);
  argv.push_back("--target-dir=" + arguments.target_dir);
  argv.push_back(fmt::format("--parallel={}", arguments.parallel));
  if (arguments.throttle > 0) {
    argv.push_back(fmt::format("--throttle={}", arguments.throttle));
  }
  argv.insert(argv.end(), arguments.extra.begin(), arguments.extra.end());
  return argv;
}

std::vector<std::string> PrepareCommand(BackupTool tool, const std::string& target_dir,
                                        const std::vector<std::string>& extra,
                                        const ServerTree& tree) {
  std::vector<std::string> argv = CommandStart(tool, "prepare", tree);
  if (tool == BackupTool::kMariadbBackup && !tree.dir.empty()) {
    // It finds the plugins of keys and codecs only there.
    argv.at(1) = "--defaults-file=" + target_dir + "/backup-my.cnf";
  }
  argv.push_back("--target-dir=" + target_dir);
  argv.insert(argv.end(), extra.begin(), extra.end());
  return argv;
}

std::vector<std::string> CopyBackCommand(BackupTool tool, const std::string& target_dir,
                                         const std::string& data_dir,
                                         const std::vector<std::string>& extra,
                                         const ServerTree& tree) {
  std::vector<std::string> argv = CommandStart(tool, "copy-back", tree);
  argv.push_back("--target-dir=" + target_dir);
  argv.push_back("--datadir=" + data_dir);
  argv.insert(argv.end(), extra.begin(), extra.end());
  return argv;
}

Status CheckCompleted(const ProcessEnd& end, const std::string& what) {
  if (!end.succeeded()) {
    return FailedError(fmt::format("{}: {}", what, end.Describe()));
  }
  if (!LastLine(end.output).ends_with("completed OK!")) {
    return FailedError(fmt::format("{}: exit code 0, but the last line is not 'completed OK!': {}",
                                   what, LastLine(end.output)));
  }
  return OkStatus();
}

Result<ProcessEnd> RunToSuccess(const std::vector<std::string>& argv,
                                const std::string& output_path, milliseconds limit) {
  HBK_ASSIGN_OR_RETURN(ProcessEnd end, RunProcess(argv, {.output_path = output_path}, limit));
  const bool is_hbk = argv.at(0) == HbkProgram();
  HBK_RETURN_IF_ERROR(CheckCompleted(end, is_hbk ? argv.at(0) + " " + argv.at(1) : argv.at(0)));
  return end;
}

Result<BinlogInfo> ReadBinlogInfo(const std::string& backup_dir) {
  auto text = ReadWholeFile(backup_dir + "/xtrabackup_binlog_info");
  if (!text.ok()) {
    text = ReadWholeFile(backup_dir + "/mariadb_backup_binlog_info");
  }
  HBK_ASSIGN_OR_RETURN(const std::string line, std::move(text));
  // file TAB position [TAB gtid] LF
  const std::string whole = line.substr(0, line.find('\n'));
  const size_t first = whole.find('\t');
  if (first == std::string::npos) {
    return CorruptionError("no TAB in the binlog info of " + backup_dir + ": " + whole);
  }
  const size_t second = std::min(whole.find('\t', first + 1), whole.size());
  BinlogInfo info{.file = whole.substr(0, first),
                  .position = whole.substr(first + 1, second - first - 1),
                  .gtid = second == whole.size() ? "" : whole.substr(second + 1)};
  return info;
}

std::optional<double> ReadRedoMargin(const std::string& backup_dir) {
  const auto text = ReadWholeFile(backup_dir + "/hbk_manifest.json");
  if (!text.ok()) {
    return std::nullopt;
  }
  const auto json = nlohmann::json::parse(text.value(), nullptr, /*allow_exceptions=*/false);
  // Searched, so that the manifest may group its members as it likes.
  const auto flat = json.is_discarded() ? nlohmann::json() : json.flatten();
  for (const auto& [key, value] : flat.items()) {
    if (key.ends_with("redo_margin") && value.is_number()) {
      return value.get<double>();
    }
  }
  return std::nullopt;
}

}  // namespace hbk::testing
