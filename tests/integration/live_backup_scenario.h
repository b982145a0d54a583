// The test that counts: a server under load is backed up, prepared and restored, and the restored
// server, attached as a replica at the recorded position, ends with the same rows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/instance_format.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/vault.h"
#include "tests/support/live/workload.h"

namespace hbk::testing {

struct LiveBackupConfig {
  uint64_t seed = 1;
  // innodb_log_file_size=12M, and a backup slow enough for the log to wrap three times in it.
  bool has_small_log = false;
  double backup_seconds_max = 30;  // of that slow backup
  bool has_ddl = false;
  // Tables of every engine that come, go and change places all the time; what is checked is then
  // all that a server has, and no table may have been open when it was copied.
  bool has_all_engines = false;
  bool has_small_aria_log = false;  // aria_log_file_size=8M, a checkpoint every 2 s
  // Increments after the full backup, each of the one before, with the load going on. Laid onto the
  // base all at once and, on a copy, one after another, which must give the same bytes.
  int increment_count = 0;
  bool checks_prefixes = false;  // base alone, with the first increment, ...: each restored, too
  int parallel = 0;              // 0: the seed decides
  uint32_t bulk_mib = 60;        // of the largest table
  // Of each hbk backup: --compress, ...
  std::vector<std::string> backup_options = {};
  // "hbk": full backups go through a pipe into hbk extract. "mbstream": into mbstream -x, and
  // mariadb-backup prepares and restores what comes out.
  std::string stream = {};
  BackupTool tool = BackupTool::kHbk;
  // A copy of the backup before prepare stays beside it, for looking into a failure.
  bool keeps_unprepared = false;
  // Which server; what it stores as is chosen by the seed unless `format` says.
  ServerTree tree = {};
  std::optional<InstanceFormat> format = {};
  bool has_kinds = false;  // tables of every kind instead of the usual ones
  // Large transactions, so that undo tablespaces are truncated while the backup runs: none is a
  // failure.
  bool has_undo_truncation = false;
  // Keys from a Vault that get new versions all the time, and tables that turn encrypted and plain,
  // while the backup runs: no rotated table is a failure. Implies has_kinds.
  bool has_key_rotation = false;
};

// What a run was like; filled as far as it came.
struct LiveBackupFigures {
  std::string settings;  // what the seed chose
  double wraps = 0;      // of the log, from the start of the backup to its end
  std::optional<double> redo_margin;
  std::optional<uint64_t> undo_truncations;  // while the backup ran
  std::optional<uint64_t> ddl_count;         // statements on tables of every engine, while it ran
  std::optional<std::string> rotation;       // what the encryption threads did meanwhile
  uint64_t backup_mib = 0;
  double backup_seconds = 0;
  std::vector<uint64_t> increment_mib;
  double prepare_seconds = 0;
  double total_seconds = 0;

  [[nodiscard]] std::string Describe() const;
};

class LiveBackup {
 public:
  explicit LiveBackup(const LiveBackupConfig& config) : config_(config) {}

  // All of it, once. An error names the step that failed.
  Status Run();

  [[nodiscard]] const LiveBackupFigures& figures() const { return figures_; }

 private:
  // What the seed decides.
  struct Choices {
    std::vector<std::string> install_options;
    std::vector<std::string> server_options;
    int parallel = 1;
    ReplicationStart replication = ReplicationStart::kFilePosition;
    std::optional<KindOptions> kinds;
    std::vector<std::string> side_statements;
  };

  Status RunSteps();
  Status Choose();
  Status StartSource();
  Status MakeLargeTransactionTable();
  Status StartVault();
  // Pairs of 1 MiB a second that let the small log wrap, or the undo logs be truncated, often
  // enough; 0 where nothing has to happen during the backup.
  Result<int> ChooseThrottle();
  Status BackUp();
  Status RunBackup(int throttle);
  Result<std::vector<std::string>> StreamCommand(const BackupArguments& arguments) const;
  // Who prepares and restores.
  [[nodiscard]] BackupTool LaterTool() const;
  Status BackUpIncrements(int throttle);
  Status Prepare();
  Status PrepareChain();
  // The first `count` increments laid onto the base, in a directory of their own.
  Status RestorePrefix(int count);
  Status RestoreAndCheck(const std::string& prepared_dir, int last_increment);
  Status StartRestored(const std::string& base_dir);
  Status CheckRestored();
  Status CompareAfterCatchUp(const std::string& prepared_dir);
  // Where a backup of the chain is; 0 is the full one.
  [[nodiscard]] std::string BackupDir(int number) const;
  [[nodiscard]] std::vector<std::string> IncrementOptions(int count) const;

  LiveBackupConfig config_;
  LiveBackupFigures figures_;
  Choices choices_;
  std::optional<ScratchDir> scratch_;
  std::unique_ptr<VaultServer> vault_;
  std::unique_ptr<Mariadbd> source_;
  std::unique_ptr<Workload> load_;
  std::unique_ptr<Mariadbd> restored_;
};

// HBK_SEED, else a seed from the clock.
uint64_t SeedFromEnvironment();

}  // namespace hbk::testing
