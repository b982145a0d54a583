#include "tests/integration/live_backup_scenario.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/integration/key_rotator.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/object_checks.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;

constexpr uint64_t kSmallLogBytes = 12ULL << 20;
constexpr uint64_t kLogHeadBytes = 12'288;  // of ib_logfile0; the rest is the ring
constexpr uint64_t kDefaultLogBytes = 96ULL << 20;
constexpr double kWrapsMin = 3;
// Aimed at, since the load is slower beside a backup than before it.
constexpr double kWrapsWanted = 9;
// What mariadb-backup calls a pair is smaller (measured), and its log reader uses them up too.
constexpr double kPairsOfMariadbBackup = 5;
// Of a backup in which something else has to happen.
constexpr double kLongBackupSeconds = 20;
constexpr double kKindsBackupSeconds = 6;  // most tables are small, and would be copied at once
constexpr double kAllEnginesBackupSeconds = 5;
constexpr milliseconds kRotationLimit{30'000};
constexpr double kPairsMax = 500;  // the disk is slower: no need to throttle
constexpr milliseconds kWarmUp{2'000};
constexpr milliseconds kIncrementPause{1'500};
constexpr milliseconds kPurgeLimit{20'000};
constexpr milliseconds kCatchUpLimit{180'000};

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

Result<uint64_t> CurrentLsn(const Mariadbd& server) {
  HBK_ASSIGN_OR_RETURN(SqlClient client, server.Connect());
  return client.StatusNumber("Innodb_lsn_current");
}

Result<uint64_t> UndoTruncations(const Mariadbd& server) {
  HBK_ASSIGN_OR_RETURN(SqlClient client, server.Connect());
  return client.StatusNumber("Innodb_undo_truncations");
}

// Each fills an undo tablespace beyond innodb_max_undo_log_size, whose least is 10 MiB. The table
// is their own: nobody else waits for their locks.
constexpr uint32_t kLargeRows = 4'000;
constexpr uint32_t kLargeRowBytes = 3'200;

std::vector<std::string> LargeTransactions() {
  return {"UPDATE live.large SET v = REVERSE(v)",
          "UPDATE live.large SET k = k + 1, v = REVERSE(v)"};
}

}  // namespace

uint64_t SeedFromEnvironment() {
  const char* text = std::getenv("HBK_SEED");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (text != nullptr) {
    return std::strtoull(text, nullptr, 10);
  }
  return std::random_device()() % 1'000'000;
}

std::string LiveBackupFigures::Describe() const {
  const std::string margin =
      redo_margin ? fmt::format("{:.0f}%", *redo_margin * 100) : std::string("-");
  const std::string truncations = rotation ? ", " + *rotation
                                  : undo_truncations
                                      ? fmt::format(", {} undo truncations", *undo_truncations)
                                      : std::string();
  const std::string ddl = ddl_count ? fmt::format(", {} DDL meanwhile", *ddl_count) : "";
  const std::string increments =
      increment_mib.empty() ? "" : fmt::format(" + {}", fmt::join(increment_mib, " + "));
  return fmt::format(
      "{}, wraps {:.1f}{}, redo margin {}, {}{} MiB, backup {:.1f} s, prepare {:.1f} s, all {:.1f} "
      "s",
      settings, wraps, truncations + ddl, margin, backup_mib, increments, backup_seconds,
      prepare_seconds, total_seconds);
}

Status LiveBackup::Run() {
  const auto start = steady_clock::now();
  const Status status = RunSteps();
  figures_.total_seconds = SecondsSince(start);
  if (!status.ok() && scratch_) {
    scratch_->Keep();
  }
  return status;
}

Status LiveBackup::RunSteps() {
  HBK_ASSIGN_OR_RETURN(ScratchDir scratch, ScratchDir::Make());
  scratch_.emplace(std::move(scratch));
  HBK_RETURN_IF_ERROR(Choose());
  HBK_RETURN_IF_ERROR(StartSource().WithContext("source"));
  HBK_RETURN_IF_ERROR(BackUp());
  // The load goes on, but the replica has to catch up with all of it in one thread.
  load_->SetPause(milliseconds(100));
  HBK_RETURN_IF_ERROR(Prepare());
  HBK_RETURN_IF_ERROR(RestoreAndCheck(scratch_->Sub("prepared"), config_.increment_count));
  for (int count = 0; config_.checks_prefixes && count < config_.increment_count; ++count) {
    HBK_RETURN_IF_ERROR(
        RestorePrefix(count).WithContext(fmt::format("the first {} increments", count)));
  }
  return OkStatus();
}

std::string LiveBackup::BackupDir(int number) const {
  return scratch_->Sub(number == 0 ? "backup" : fmt::format("increment{}", number));
}

Status LiveBackup::Choose() {
  std::mt19937_64 random(config_.seed);
  const auto one_of = [&random](std::initializer_list<const char*> values) {
    return std::string(values.begin()[random() % values.size()]);
  };
  const std::string chosen_undo = one_of({"0", "3"});
  const std::string undo = config_.has_undo_truncation ? "3" : chosen_undo;
  const std::string flush = one_of({"0", "1", "2"});
  const std::string checksum = one_of({"full_crc32", "full_crc32", "crc32"});
  choices_.parallel = static_cast<int>(random() % 4) + 1;
  if (config_.parallel > 0) choices_.parallel = config_.parallel;
  choices_.replication =
      random() % 2 == 0 ? ReplicationStart::kFilePosition : ReplicationStart::kGtid;
  if (!config_.format) config_.format = InstanceFormat{.tree = config_.tree, .checksum = checksum};
  const InstanceFormat& format = *config_.format;
  choices_.install_options = InstallOptions(format);
  choices_.install_options.push_back("--innodb-undo-tablespaces=" + undo);
  HBK_ASSIGN_OR_RETURN(choices_.server_options, ServerOptions(format, scratch_->Sub("keys")));
  choices_.server_options.insert(
      choices_.server_options.end(),
      {"--innodb-flush-log-at-trx-commit=" + flush, "--innodb-undo-log-truncate=ON",
       "--innodb-max-undo-log-size=10M", "--loose-innodb-purge-rseg-truncate-frequency=1"});
  if (config_.has_kinds) choices_.kinds = format.kinds();
  if (config_.has_undo_truncation) choices_.side_statements = LargeTransactions();
  if (config_.has_key_rotation) {
    HBK_RETURN_IF_ERROR(StartVault());
    choices_.kinds = format.kinds();
    choices_.kinds->is_encrypted = true;
    choices_.side_statements = EncryptionSwitches();
  }
  if (config_.has_small_log) {
    choices_.server_options.push_back(fmt::format("--innodb-log-file-size={}", kSmallLogBytes));
  }
  if (config_.has_all_engines) {
    // Row formats of one engine are none of another's, which a replica must not mind either; and
    // slow statements are rows of a log table.
    choices_.server_options.insert(choices_.server_options.end(),
                                   {"--innodb-strict-mode=OFF", "--slow-query-log=ON",
                                    "--long-query-time=0.1", "--log-output=TABLE"});
    const std::vector<std::string> plugin = PluginOptions(format.tree, {"ha_archive"});
    choices_.server_options.insert(choices_.server_options.end(), plugin.begin(), plugin.end());
  }
  if (config_.has_small_aria_log) {
    choices_.server_options.insert(choices_.server_options.end(),
                                   {"--aria-log-file-size=8M", "--aria-checkpoint-interval=2"});
  }
  figures_.settings =
      fmt::format("{}, log {}M, undo spaces {}, flush {}, parallel {}, {}", format.Describe(),
                  config_.has_small_log ? 12 : 96, undo, flush, choices_.parallel,
                  choices_.replication == ReplicationStart::kGtid ? "gtid" : "file position");
  return OkStatus();
}

Status LiveBackup::StartVault() {
  if (!config_.format->tree.HasPlugin("hashicorp_key_management")) {
    return NotFoundError("the server has no plugin hashicorp_key_management");
  }
  HBK_ASSIGN_OR_RETURN(vault_, VaultServer::Start(scratch_->Sub("vault")));
  std::vector<std::string> options = vault_->PluginOptions();
  options.insert(options.end(),
                 {"--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON",
                  "--innodb-encryption-threads=4", "--innodb-encryption-rotation-iops=5000",
                  // With the usual 64 MiB the rotation fills it with changed pages, and stalls.
                  "--innodb-buffer-pool-size=256M", "--innodb-encryption-rotate-key-age=1"});
  choices_.server_options.insert(choices_.server_options.end(), options.begin(), options.end());
  return OkStatus();
}

Status LiveBackup::StartSource() {
  MariadbdOptions options{.base_dir = scratch_->Sub("source"),
                          .install_options = choices_.install_options,
                          .extra = choices_.server_options,
                          .tree = config_.format->tree};
  options.extra.insert(options.extra.end(), {"--log-bin=binlog", "--binlog-format=ROW"});
  HBK_ASSIGN_OR_RETURN(source_, Mariadbd::Start(options));
  // mariadb-backup leaves out Aria tables with files elsewhere, which would hide what else it does.
  const std::string outside_dir =
      config_.tool == BackupTool::kHbk ? scratch_->Sub("outside") : std::string();
  if (!outside_dir.empty()) HBK_RETURN_IF_ERROR(MakeDirectory(outside_dir));
  load_ = std::make_unique<Workload>(
      source_->socket_path(),
      WorkloadOptions{.seed = config_.seed,
                      .thread_count = config_.has_all_engines ? 2 : 4,
                      .bulk_mib = config_.bulk_mib,
                      .has_ddl = config_.has_ddl,
                      .has_all_engines = config_.has_all_engines,
                      .has_archive = config_.format->tree.HasPlugin("ha_archive"),
                      .outside_dir = outside_dir,
                      .kinds = choices_.kinds,
                      .side_statements = choices_.side_statements,
                      .side_pause = milliseconds(config_.has_undo_truncation ? 1500 : 250)});
  HBK_RETURN_IF_ERROR(load_->CreateTables());
  if (config_.has_undo_truncation || config_.has_key_rotation) {
    HBK_RETURN_IF_ERROR(MakeLargeTransactionTable());
  }
  load_->Start();
  return OkStatus();
}

Status LiveBackup::MakeLargeTransactionTable() {
  HBK_ASSIGN_OR_RETURN(SqlClient client, source_->Connect());
  HBK_RETURN_IF_ERROR(client.Execute("USE live"));
  HBK_RETURN_IF_ERROR(
      client.Execute("CREATE TABLE live.large (id INT PRIMARY KEY, k INT NOT NULL, v VARCHAR(4000) "
                     "NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=latin1"));
  return client.Execute(
      fmt::format("INSERT INTO live.large SELECT seq, seq, REPEAT(MD5(seq), {}) FROM seq_1_to_{}",
                  kLargeRowBytes / 32, kLargeRows));
}

Result<int> LiveBackup::ChooseThrottle() {
  HBK_ASSIGN_OR_RETURN(const uint64_t before, CurrentLsn(*source_));
  const auto start = steady_clock::now();
  std::this_thread::sleep_for(kWarmUp);
  HBK_ASSIGN_OR_RETURN(const uint64_t after, CurrentLsn(*source_));
  if (!config_.has_small_log && !config_.has_undo_truncation && !choices_.kinds &&
      !config_.has_all_engines) {
    return 0;
  }
  const double redo_bytes_per_s = static_cast<double>(after - before) / SecondsSince(start);
  const double seconds =
      config_.has_small_log
          ? std::min(kWrapsWanted * static_cast<double>(kSmallLogBytes) / redo_bytes_per_s,
                     config_.backup_seconds_max)
      : config_.has_undo_truncation || config_.has_key_rotation ? kLongBackupSeconds
      : config_.has_all_engines                                 ? kAllEnginesBackupSeconds
                                                                : kKindsBackupSeconds;
  constexpr uint64_t kOtherFiles = 60;  // each takes a pair, however small
  uint64_t mib = (TreeBytes(source_->data_dir() + "/live") >> 20) + kOtherFiles;
  if (choices_.kinds) mib = TreeBytes(source_->data_dir()) >> 20;
  const double pairs = static_cast<double>(mib) / seconds *
                       (config_.tool == BackupTool::kHbk ? 1 : kPairsOfMariadbBackup);
  return pairs > kPairsMax ? 0 : std::max(1, static_cast<int>(pairs));
}

Status LiveBackup::BackUp() {
  HBK_ASSIGN_OR_RETURN(const int throttle, ChooseThrottle());
  HBK_ASSIGN_OR_RETURN(const uint64_t truncations_before, UndoTruncations(*source_));
  std::optional<KeyRotator> rotator;
  KeyRotator::Counts counts_before;
  if (vault_) {
    rotator.emplace(*vault_, *source_);
    const auto deadline = steady_clock::now() + kRotationLimit;
    while (rotator->counts().rotated == 0 && steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(50));
    }
    counts_before = rotator->counts();
  }
  const uint64_t ddl_before = load_->ddl_count();
  Status status = RunBackup(throttle);
  if (status.ok()) status = BackUpIncrements(throttle);
  if (config_.has_all_engines) figures_.ddl_count = load_->ddl_count() - ddl_before;
  if (config_.has_undo_truncation) {
    HBK_ASSIGN_OR_RETURN(const uint64_t truncations_after, UndoTruncations(*source_));
    figures_.undo_truncations = truncations_after - truncations_before;
  }
  KeyRotator::Counts counts;
  if (rotator) {
    rotator->Stop();
    counts = rotator->counts() - counts_before;
    figures_.rotation = fmt::format("{} rotations, {} turns, {} looks at running ones",
                                    counts.rotated, counts.turned, counts.running);
  }
  HBK_RETURN_IF_ERROR(status);
  if (figures_.undo_truncations == 0U) {
    return FailedError("no undo tablespace was truncated during the backup");
  }
  if (figures_.ddl_count == 0U) return FailedError("no table changed during the backup");
  if (rotator && (counts.rotated + counts.running == 0 || counts.turned == 0)) {
    HBK_RETURN_IF_ERROR(load_->Stop());
    return FailedError("no table was given a new key, or none turned, during the backup");
  }
  return OkStatus();
}

Status LiveBackup::RunBackup(int throttle) {
  HBK_ASSIGN_OR_RETURN(const uint64_t lsn_before, CurrentLsn(*source_));
  const BackupArguments arguments{.socket_path = source_->socket_path(),
                                  .target_dir = scratch_->Sub("backup"),
                                  .parallel = choices_.parallel,
                                  .throttle = throttle,
                                  .extra = config_.backup_options,
                                  .tree = config_.format->tree};
  std::vector<std::string> command = BackupCommand(config_.tool, arguments);
  if (!config_.stream.empty()) {
    HBK_ASSIGN_OR_RETURN(command, StreamCommand(arguments));
  }
  const auto end = RunToSuccess(command, scratch_->Sub("backup.log"));
  HBK_ASSIGN_OR_RETURN(const uint64_t lsn_after, CurrentLsn(*source_));
  const uint64_t log_bytes = config_.has_small_log ? kSmallLogBytes : kDefaultLogBytes;
  figures_.wraps =
      static_cast<double>(lsn_after - lsn_before) / static_cast<double>(log_bytes - kLogHeadBytes);
  HBK_RETURN_IF_ERROR(end.status());
  figures_.backup_seconds = end.value().seconds;
  figures_.backup_mib = TreeBytes(scratch_->Sub("backup")) >> 20;
  figures_.redo_margin = ReadRedoMargin(scratch_->Sub("backup"));
  if (config_.has_small_log && figures_.wraps < kWrapsMin) {
    return FailedError(
        fmt::format("the log wrapped only {:.1f} times during the backup (throttle "
                    "{}): the test has not tested what it is for",
                    figures_.wraps, throttle));
  }
  return OkStatus();
}

BackupTool LiveBackup::LaterTool() const {
  return config_.stream == "mbstream" ? BackupTool::kMariadbBackup : config_.tool;
}

// hbk backup into a pipe. What it says goes to a file of its own, whose last line is the last one
// here, too, if both ends of the pipe were content.
Result<std::vector<std::string>> LiveBackup::StreamCommand(const BackupArguments& arguments) const {
  std::string backup;
  for (const std::string& word : BackupCommand(config_.tool, arguments))
    if (!word.starts_with("--target-dir=")) backup += fmt::format("'{}' ", word);
  const std::string said = scratch_->Sub("stream.log");
  std::string reader = fmt::format("'{}' extract --no-defaults --directory='{}' --parallel={}",
                                   HbkProgram(), arguments.target_dir, arguments.parallel);
  if (config_.stream == "mbstream") {
    HBK_RETURN_IF_ERROR(MakeDirectory(arguments.target_dir));
    reader =
        fmt::format("'{}' -x -C '{}'", arguments.tree.Program("mbstream"), arguments.target_dir);
  }
  return std::vector<std::string>{
      "bash", "-c",
      fmt::format("set -o pipefail; {} --stream={} 2>'{}' | {} && tail -n 1 '{}'", backup,
                  config_.stream, said, reader, said)};
}

Status LiveBackup::BackUpIncrements(int throttle) {
  for (int number = 1; number <= config_.increment_count; ++number) {
    std::this_thread::sleep_for(kIncrementPause);
    std::vector<std::string> extra = config_.backup_options;
    extra.push_back("--incremental-basedir=" + BackupDir(number - 1));
    // Each kind is an increment to each other.
    if (number % 3 == 2) extra.emplace_back("--trust-file-times");
    if (number % 3 == 0) extra.emplace_back("--incremental-force-scan");
    const BackupArguments arguments{.socket_path = source_->socket_path(),
                                    .target_dir = BackupDir(number),
                                    .parallel = choices_.parallel,
                                    .throttle = throttle,
                                    .extra = std::move(extra),
                                    .tree = config_.format->tree};
    HBK_RETURN_IF_ERROR(RunToSuccess(BackupCommand(config_.tool, arguments),
                                     scratch_->Sub(fmt::format("increment{}.log", number)))
                            .status());
    figures_.increment_mib.push_back(TreeBytes(BackupDir(number)) >> 20);
  }
  return OkStatus();
}

std::vector<std::string> LiveBackup::IncrementOptions(int count) const {
  std::vector<std::string> options;
  for (int number = 1; number <= count; ++number)
    options.push_back("--incremental-dir=" + BackupDir(number));
  return options;
}

// From a copy of the backup: what was backed up stays as it is, for prefixes and for a failure.
Status LiveBackup::Prepare() {
  const std::string dir = scratch_->Sub("prepared");
  const bool is_needed_again = config_.keeps_unprepared || config_.increment_count > 0;
  if (is_needed_again) HBK_RETURN_IF_ERROR(CopyTree(BackupDir(0), dir));
  if (!is_needed_again && std::rename(BackupDir(0).c_str(), dir.c_str()) != 0)
    return FailedError("cannot rename " + BackupDir(0));
  if (config_.increment_count > 0) return PrepareChain();
  HBK_ASSIGN_OR_RETURN(const ProcessEnd prepared,
                       RunToSuccess(PrepareCommand(LaterTool(), dir, {}, config_.format->tree),
                                    scratch_->Sub("prepare.log")));
  figures_.prepare_seconds = prepared.seconds;
  return OkStatus();
}

Status LiveBackup::PrepareChain() {
  const ServerTree& tree = config_.format->tree;
  const int count = config_.increment_count;
  HBK_ASSIGN_OR_RETURN(const ProcessEnd prepared,
                       RunToSuccess(PrepareCommand(config_.tool, scratch_->Sub("prepared"),
                                                   IncrementOptions(count), tree),
                                    scratch_->Sub("prepare.log")));
  figures_.prepare_seconds = prepared.seconds;
  const std::string dir = scratch_->Sub("one-by-one");
  HBK_RETURN_IF_ERROR(CopyTree(BackupDir(0), dir));
  for (int number = 0; number <= count; ++number) {
    std::vector<std::string> options;
    if (number > 0) options.push_back("--incremental-dir=" + BackupDir(number));
    HBK_RETURN_IF_ERROR(RunToSuccess(PrepareCommand(config_.tool, dir, options, tree),
                                     scratch_->Sub(fmt::format("prepare{}.log", number)))
                            .status());
  }
  HBK_ASSIGN_OR_RETURN(const auto differences,
                       CompareFiles(scratch_->Sub("prepared"), dir, {"hbk_manifest.json"}));
  if (!differences.empty()) {
    return FailedError(
        fmt::format("all increments at once and one after another differ in {} files: {}",
                    differences.size(), differences.front()));
  }
  return RemoveTree(dir);
}

Status LiveBackup::RestorePrefix(int count) {
  const std::string dir = scratch_->Sub(fmt::format("prefix{}", count));
  std::vector<std::string> options = IncrementOptions(count);
  options.push_back("--output-dir=" + dir);
  HBK_RETURN_IF_ERROR(
      RunToSuccess(PrepareCommand(config_.tool, BackupDir(0), options, config_.format->tree),
                   dir + ".log")
          .status());
  HBK_RETURN_IF_ERROR(RestoreAndCheck(dir, count));
  return RemoveTree(dir);
}

Status LiveBackup::RestoreAndCheck(const std::string& prepared_dir, int last_increment) {
  const std::string base_dir = scratch_->Sub(fmt::format("restored{}", last_increment));
  const std::string data_dir = base_dir + "/data";
  HBK_RETURN_IF_ERROR(MakeDirectory(data_dir));
  HBK_RETURN_IF_ERROR(
      RunToSuccess(CopyBackCommand(LaterTool(), prepared_dir, data_dir, {}, config_.format->tree),
                   base_dir + ".log")
          .status());
  HBK_RETURN_IF_ERROR(StartRestored(base_dir).WithContext("start on the restored files"));
  HBK_RETURN_IF_ERROR(CheckRestored().WithContext("right after the start"));
  HBK_RETURN_IF_ERROR(CompareAfterCatchUp(prepared_dir));
  restored_.reset();
  return RemoveTree(base_dir);
}

Status LiveBackup::StartRestored(const std::string& base_dir) {
  MariadbdOptions options{.base_dir = base_dir,
                          .has_data = true,
                          .server_id = 2,
                          .install_options = choices_.install_options,
                          .extra = choices_.server_options,
                          .tree = config_.format->tree};
  options.extra.emplace_back("--relay-log=relay");
  HBK_ASSIGN_OR_RETURN(restored_, Mariadbd::Start(options));
  return OkStatus();
}

Status LiveBackup::CheckRestored() {
  HBK_ASSIGN_OR_RETURN(SqlClient client, restored_->Connect());
  HBK_RETURN_IF_ERROR(CheckBank(client));
  HBK_RETURN_IF_ERROR(WaitForPurge(client, kPurgeLimit));
  HBK_ASSIGN_OR_RETURN(SqlClient source, source_->Connect());
  HBK_RETURN_IF_ERROR(CheckAllTables(client, &source));
  if (config_.has_all_engines) {
    HBK_RETURN_IF_ERROR(CheckFilesHaveTables(restored_->data_dir()));
    HBK_RETURN_IF_ERROR(CheckNoneWasOpen(client));
  }
  return CheckErrorLog(*restored_);
}

Status LiveBackup::CompareAfterCatchUp(const std::string& prepared_dir) {
  HBK_ASSIGN_OR_RETURN(const BinlogInfo info, ReadBinlogInfo(prepared_dir));
  HBK_RETURN_IF_ERROR(AttachReplica(*source_, *restored_, info, choices_.replication));
  HBK_RETURN_IF_ERROR(load_->Stop());
  HBK_RETURN_IF_ERROR(CatchUp(*source_, *restored_, kCatchUpLimit));
  HBK_ASSIGN_OR_RETURN(SqlClient source, source_->Connect());
  HBK_ASSIGN_OR_RETURN(SqlClient restored, restored_->Connect());
  HBK_RETURN_IF_ERROR(CompareTables(source, restored));
  if (config_.has_all_engines) HBK_RETURN_IF_ERROR(CompareObjects(source, restored));
  HBK_RETURN_IF_ERROR(CheckBank(restored));
  HBK_RETURN_IF_ERROR(CheckAllTables(restored, &source).WithContext("after catching up"));
  if (config_.has_all_engines) HBK_RETURN_IF_ERROR(CheckErrorLog(*restored_));
  return restored_->Stop();
}

}  // namespace hbk::testing
