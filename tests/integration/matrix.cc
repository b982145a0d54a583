// The matrix of page sizes, checksums and kinds of tables, as a table in markdown on stdout.
//
//   matrix [--differential | --live] [--only=TEXT] [--runs=N] [--seed=N] [--server=10.11]
//          [--maker=hbk|mariadb-backup] [--tool=hbk|mariadb-backup]
//
// --differential (default): the pages that hbk's prepare writes are those of mariadb-backup's,
// decrypted and decompressed. --live: the restored server follows its source and ends with the same
// rows. --only=16k,: instances whose description has that in it. --tool=mariadb-backup: the other
// tool in hbk's place, to see what the test itself is worth. Exit code 1 if a cell failed.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/integration/matrix_scenario.h"

namespace hbk::testing {
namespace {

struct MatrixOptions {
  bool is_live = false;
  std::string only;
  int run_count = 1;
  uint64_t seed = SeedFromEnvironment();
  std::string series = "10.11";
  BackupTool maker = BackupTool::kHbk;
  BackupTool tool = BackupTool::kHbk;
};

BackupTool ToolOf(const std::string& name) {
  return name == ToolName(BackupTool::kMariadbBackup) ? BackupTool::kMariadbBackup
                                                      : BackupTool::kHbk;
}

bool ParseArgument(std::string_view argument, MatrixOptions& options) {
  const std::string value(argument.substr(std::min(argument.find('=') + 1, argument.size())));
  if (argument == "--differential" || argument == "--live") {
    options.is_live = argument == "--live";
  } else if (argument.starts_with("--only=")) {
    options.only = value;
  } else if (argument.starts_with("--runs=")) {
    options.run_count = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
  } else if (argument.starts_with("--seed=")) {
    options.seed = std::strtoull(value.c_str(), nullptr, 10);
  } else if (argument.starts_with("--server=")) {
    options.series = value;
  } else if (argument.starts_with("--maker=")) {
    options.maker = ToolOf(value);
  } else if (argument.starts_with("--tool=")) {
    options.tool = ToolOf(value);
  } else {
    return false;
  }
  return true;
}

// Prints the row of one instance; false if it failed.
bool RunDifferentialRow(const MatrixOptions& options, const InstanceFormat& format, uint64_t seed) {
  const DifferentialConfig config{
      .seed = seed, .format = format, .maker = options.maker, .compared = options.tool};
  const auto result = RunDifferential(config);
  if (!result.ok()) {
    fmt::print("| {} | {} | FAILED: {} |\n", format.Describe(), seed, result.status().ToString());
    return false;
  }
  std::string row = fmt::format("| {} | {} |", format.Describe(), seed);
  for (const auto& [kind, text] : CellsOf(config, result.value())) {
    row += " " + text + " |";
  }
  fmt::print("{} {:.1f} MB |\n", row, static_cast<double>(result->redo_bytes) / 1e6);
  for (const std::string& difference : result->pages.differences) {
    fmt::print(stderr, "  {}\n", difference);
  }
  return result->pages.difference_count == 0;
}

bool RunLiveRow(const MatrixOptions& options, const InstanceFormat& format, uint64_t seed) {
  LiveBackup run({.seed = seed, .tool = options.tool, .format = format, .has_kinds = true});
  const Status status = run.Run();
  fmt::print("| {} | {} | {} | {} |\n", format.Describe(), seed, run.figures().Describe(),
             status.ok() ? "passed" : "FAILED: " + status.ToString());
  return status.ok();
}

void PrintHead(const MatrixOptions& options) {
  if (options.is_live) {
    fmt::print("| instance | seed | figures | result |\n|---|---|---|---|\n");
    return;
  }
  std::string head = "| instance | seed |";
  std::string line = "|---|---|";
  for (const auto& [kind, text] : CellsOf({}, {})) {
    head += " " + kind + " |";
    line += "---|";
  }
  fmt::print("{} redo |\n{}---|\n", head, line);
}

int RunMatrix(const MatrixOptions& options) {
  const auto tree = FindServerTree(options.series);
  if (!tree.ok()) {
    fmt::print(stderr, "skipped: {}\n", tree.status().message());
    return 2;
  }
  PrintHead(options);
  int passed = 0;
  int failed = 0;
  uint64_t seed = options.seed;
  for (const InstanceFormat& format : MatrixFormats(tree.value())) {
    if (format.Describe().find(options.only) == std::string::npos) continue;
    for (int run = 0; run < options.run_count; ++run, ++seed) {
      const bool is_right = options.is_live ? RunLiveRow(options, format, seed)
                                            : RunDifferentialRow(options, format, seed);
      ++(is_right ? passed : failed);
      std::fflush(stdout);
    }
  }
  fmt::print("\n{} instances passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace hbk::testing

int main(int argc, char** argv) {
  hbk::testing::MatrixOptions options;
  for (int i = 1; i < argc; ++i) {
    if (!hbk::testing::ParseArgument(argv[i], options)) {
      fmt::print(stderr, "unknown argument {}; see the head of matrix.cc\n", argv[i]);
      return 2;
    }
  }
  return hbk::testing::RunMatrix(options);
}
