// Many live backups with random seeds: one line a run, a count at the end.
//
//   live_backup_campaign [--runs=20] [--seed=N] [--log=both|small|default] [--ddl]
//                        [--bulk-mib=60] [--tool=hbk|mariadb-backup] [--keep-unprepared]
//                        [--server=10.5|10.11|11.8] [--undo-truncation]
//                        [--key-rotation] [--cipher=cbc|ctr] [--kinds] [--checksum=NAME]
//                        [--all-engines] [--aria-log=small] [--parallel=N]
//                        [--increments=N] [--prefixes] [--backup-option=--compress]...
//                        [--stream=hbk|mbstream]
//
// --all-engines: tables of every engine that come, go and change all the time; then --log=default
// and --bulk-mib=24 unless they are given, and --parallel=1 and 4 in turn.
// --increments: that many after the full backup, laid onto it at once and one after another;
// --prefixes: each shorter chain is restored, too.
// --cipher: everything is encrypted, the redo log too; --kinds: tables of every kind instead of the
// usual ones. These and --key-rotation need a --server. --checksum: innodb_checksum_algorithm, with
// 10.5 also the legacy ones, innodb and none. With --log=both, every second run has the
// small log. Run i has seed N + i, so that a failed run is repeated by --runs=1 --seed=(its seed)
// and its --log. Exit code 1 if a run failed.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/integration/live_backup_scenario.h"

namespace hbk::testing {
namespace {

constexpr uint32_t kAllEnginesBulkMib = 24;

struct CampaignOptions {
  int run_count = 20;
  uint64_t seed = SeedFromEnvironment();
  std::string log;
  bool has_ddl = false;
  std::optional<uint32_t> bulk_mib;
  bool has_all_engines = false;
  bool has_small_aria_log = false;
  int parallel = 0;
  int increment_count = 0;
  bool checks_prefixes = false;
  std::vector<std::string> backup_options = {};
  std::string stream = {};
  BackupTool tool = ToolUnderTest();
  bool keeps_unprepared = false;
  ServerTree tree;
  bool has_undo_truncation = false;
  bool has_key_rotation = false;
  PageCipher cipher = PageCipher::kNone;
  std::string checksum;
  bool has_kinds = false;
};

bool ParseArgument(std::string_view argument, CampaignOptions& options) {
  const std::string value(argument.substr(std::min(argument.find('=') + 1, argument.size())));
  if (argument.starts_with("--runs=")) {
    options.run_count = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
  } else if (argument.starts_with("--seed=")) {
    options.seed = std::strtoull(value.c_str(), nullptr, 10);
  } else if (argument == "--log=both" || argument == "--log=small" || argument == "--log=default") {
    options.log = value;
  } else if (argument.starts_with("--bulk-mib=")) {
    options.bulk_mib = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  } else if (argument == "--keep-unprepared") {
    options.keeps_unprepared = true;
  } else if (argument.starts_with("--server=")) {
    const auto tree = FindServerTree(value);
    if (!tree.ok()) {
      fmt::print(stderr, "skipped: {}\n", tree.status().message());
      return false;
    }
    options.tree = tree.value();
  } else if (argument == "--undo-truncation") {
    options.has_undo_truncation = true;
  } else if (argument == "--cipher=cbc" || argument == "--cipher=ctr") {
    options.cipher = value == "cbc" ? PageCipher::kCbc : PageCipher::kCtr;
  } else if (argument.starts_with("--checksum=")) {
    options.checksum = value;
  } else if (argument == "--kinds") {
    options.has_kinds = true;
  } else if (argument == "--key-rotation") {
    options.has_key_rotation = true;
  } else if (argument == "--all-engines") {
    options.has_all_engines = true;
  } else if (argument == "--aria-log=small") {
    options.has_small_aria_log = true;
  } else if (argument.starts_with("--increments=")) {
    options.increment_count = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
  } else if (argument.starts_with("--backup-option=")) {
    options.backup_options.push_back(value);
  } else if (argument == "--stream=hbk" || argument == "--stream=mbstream") {
    options.stream = value;
  } else if (argument == "--prefixes") {
    options.checks_prefixes = true;
  } else if (argument.starts_with("--parallel=")) {
    options.parallel = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
  } else if (argument == "--ddl") {
    options.has_ddl = true;
  } else if (argument == "--tool=hbk") {
    options.tool = BackupTool::kHbk;
  } else if (argument == "--tool=mariadb-backup") {
    options.tool = BackupTool::kMariadbBackup;
  } else {
    return false;
  }
  return true;
}

bool RunOne(const CampaignOptions& options, int index) {
  std::optional<InstanceFormat> format;
  if (options.cipher != PageCipher::kNone || !options.checksum.empty()) {
    format = InstanceFormat{.tree = options.tree,
                            .checksum = !options.checksum.empty() ? options.checksum
                                        : index % 4 < 2           ? "full_crc32"
                                                                  : "crc32",
                            .cipher = options.cipher};
  }
  const std::string log = !options.log.empty()      ? options.log
                          : options.has_all_engines ? "default"
                                                    : "both";
  int parallel = options.parallel;
  if (parallel == 0 && options.has_all_engines) parallel = index % 2 == 0 ? 1 : 4;
  const LiveBackupConfig config{
      .seed = options.seed + static_cast<uint64_t>(index),
      .has_small_log = log == "small" || (log == "both" && index % 2 == 1),
      .has_ddl = options.has_ddl,
      .has_all_engines = options.has_all_engines,
      .has_small_aria_log = options.has_small_aria_log,
      .increment_count = options.increment_count,
      .checks_prefixes = options.checks_prefixes,
      .parallel = parallel,
      .bulk_mib = options.bulk_mib.value_or(options.has_all_engines ? kAllEnginesBulkMib
                                                                    : LiveBackupConfig().bulk_mib),
      .backup_options = options.backup_options,
      .stream = options.stream,
      .tool = options.tool,
      .keeps_unprepared = options.keeps_unprepared,
      .tree = options.tree,
      .format = format,
      .has_kinds = options.has_kinds,
      .has_undo_truncation = options.has_undo_truncation,
      .has_key_rotation = options.has_key_rotation};
  LiveBackup run(config);
  const Status status = run.Run();
  fmt::print("run {:2} seed {}: {}: {}\n", index + 1, config.seed, run.figures().Describe(),
             status.ok() ? "passed" : "FAILED: " + status.ToString());
  std::fflush(stdout);
  return status.ok();
}

int RunCampaign(const CampaignOptions& options) {
  fmt::print("{} runs of {}, seeds from {}\n", options.run_count, ToolName(options.tool),
             options.seed);
  int passed = 0;
  for (int i = 0; i < options.run_count; ++i) {
    passed += RunOne(options, i) ? 1 : 0;
  }
  fmt::print("{} passed, {} failed\n", passed, options.run_count - passed);
  return passed == options.run_count ? 0 : 1;
}

}  // namespace
}  // namespace hbk::testing

int main(int argc, char** argv) {
  hbk::testing::CampaignOptions options;
  for (int i = 1; i < argc; ++i) {
    if (!hbk::testing::ParseArgument(argv[i], options)) {
      fmt::print(stderr, "unknown argument {}; see the head of live_backup_campaign.cc\n", argv[i]);
      return 2;
    }
  }
  return hbk::testing::RunCampaign(options);
}
