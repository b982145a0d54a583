#include "foreign_options.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hbk::cli {
namespace {

using enum ForeignKind;

constexpr std::array kForeignOptions = {
    // Actions.
    ForeignOption{"backup", kCommand, ""},
    ForeignOption{"prepare", kCommand, ""},
    ForeignOption{"copy-back", kCommand, ""},
    ForeignOption{"move-back", kCommand, ""},
    ForeignOption{"export", kNotYet, ""},
    ForeignOption{"decompress", kCommand, ""},
    ForeignOption{"remove-original", kNotYet, "hbk makes no .qp files"},
    ForeignOption{"print-param", kRenamed, "--print-defaults shows what option files say"},
    ForeignOption{"innobackupex", kRenamed, "the commands are: backup, prepare, copy-back"},
    ForeignOption{"apply-log", kCommand, "the command is: hbk prepare"},
    ForeignOption{"redo-only", kNoEffect,
                  "hbk prepare never rolls back: increments can be applied later"},
    ForeignOption{"mysqld-args", kNotYet, "give the options of hbk by themselves"},
    // Where to.
    ForeignOption{"compress-threads", kRenamed, "--parallel threads read and compress"},
    ForeignOption{"compress-chunk-size", kNoEffect, ""},
    ForeignOption{"tmpdir", kNoEffect, "hbk makes no temporary files outside --target-dir"},
    // Increments and parts.
    ForeignOption{"databases", kNotYet, ""},
    ForeignOption{"databases-file", kNotYet, ""},
    ForeignOption{"databases-exclude", kNotYet, ""},
    ForeignOption{"tables", kNotYet, ""},
    ForeignOption{"tables-file", kNotYet, ""},
    ForeignOption{"tables-exclude", kNotYet, ""},
    // Prepare.
    ForeignOption{"innodb-force-recovery", kNotYet, "hbk prepare never skips a damaged page"},
    ForeignOption{"apply-log-only", kNoEffect, ""},
    ForeignOption{"rollback-xa", kNoEffect, ""},
    ForeignOption{"encrypted-backup", kRenamed, "hbk copies encrypted tables anyway: remove it"},
    // Redo.
    ForeignOption{"log-copy-interval", kNoEffect, "hbk reads redo as fast as the server writes it"},
    ForeignOption{"innodb-log-checkpoint-now", kNotYet, ""},
    ForeignOption{"innodb-log-file-mmap", kServerTuning, ""},
    ForeignOption{"innodb-log-file-buffering", kServerTuning, ""},
    ForeignOption{"innodb-log-buffer-size", kServerTuning, ""},
    ForeignOption{"innodb-log-write-ahead-size", kServerTuning, ""},
    // Checks.
    ForeignOption{"extended-validation", kRenamed, "hbk checks every page anyway: remove it"},
    ForeignOption{"check-privileges", kRenamed, "hbk always checks privileges: remove it"},
    ForeignOption{"skip-check-privileges", kRenamed, "hbk always checks privileges: remove it"},
    ForeignOption{"no-version-check", kNoEffect, ""},
    // Locks.
    ForeignOption{"startup-wait-timeout", kRenamed,
                  "here: --lock-wait-timeout=SECONDS for an attempt, --lock-retry-time=SECONDS for "
                  "all attempts at a stage"},
    ForeignOption{"ftwrl-wait-timeout", kRenamed,
                  "here: --lock-wait-timeout=SECONDS for an attempt, --lock-retry-time=SECONDS for "
                  "all attempts at a stage"},
    ForeignOption{"ftwrl-wait-query-type", kRenamed,
                  "here --lock-wait-threshold=SECONDS waits for all statements in the way, and for "
                  "no others: remove it"},
    ForeignOption{"ftwrl-wait-threshold", kRenamed,
                  "does nothing in mariadb-backup any more; here: --lock-wait-threshold=SECONDS"},
    ForeignOption{"no-lock", kNotYet,
                  "hbk always takes the backup stages: without them a backup "
                  "is not consistent"},
    ForeignOption{"lock-ddl-per-table", kNoEffect, "backup stages stop DDL: remove it"},
    ForeignOption{"no-backup-locks", kNoEffect, ""},
    ForeignOption{"rsync", kNoEffect, ""},
    // Connection.
    ForeignOption{"login-path", kNoEffect, ""},
    ForeignOption{"secure-auth", kNoEffect, "it is always on: remove it"},
    ForeignOption{"defaults-group", kRenamed, "here: --defaults-group-suffix, or a group [hbk]"},
    // The server's own.
    ForeignOption{"close-files", kServerTuning, ""},
    ForeignOption{"core-file", kServerTuning, ""},
    ForeignOption{"innodb", kServerTuning, ""},
    ForeignOption{"innodb-adaptive-hash-index", kServerTuning, ""},
    ForeignOption{"innodb-autoextend-increment", kServerTuning, ""},
    ForeignOption{"innodb-buffer-pool-filename", kServerTuning, ""},
    ForeignOption{"innodb-buffer-pool-size", kServerTuning, ""},
    ForeignOption{"innodb-checksum-algorithm", kServerTuning, ""},
    ForeignOption{"innodb-compression-level", kServerTuning, ""},
    ForeignOption{"innodb-doublewrite", kServerTuning, ""},
    ForeignOption{"innodb-file-io-threads", kServerTuning, ""},
    ForeignOption{"innodb-file-per-table", kServerTuning, ""},
    ForeignOption{"innodb-flush-method", kServerTuning, ""},
    ForeignOption{"innodb-io-capacity", kServerTuning, ""},
    ForeignOption{"innodb-linux-aio", kServerTuning, ""},
    ForeignOption{"innodb-log-checksums", kServerTuning, ""},
    ForeignOption{"innodb-log-file-size", kServerTuning, ""},
    ForeignOption{"innodb-max-dirty-pages-pct", kServerTuning, ""},
    ForeignOption{"innodb-open-files", kServerTuning, ""},
    ForeignOption{"innodb-page-size", kServerTuning, ""},
    ForeignOption{"innodb-read-io-threads", kServerTuning, ""},
    ForeignOption{"innodb-undo-tablespaces", kServerTuning, ""},
    ForeignOption{"innodb-use-native-aio", kServerTuning, ""},
    ForeignOption{"innodb-write-io-threads", kServerTuning, ""},
    ForeignOption{"log", kServerTuning, ""},
    ForeignOption{"log-bin", kServerTuning, ""},
    ForeignOption{"open-files-limit", kServerTuning, ""},
    // Its encryption plugins; hbk asks for the keys itself.
    ForeignOption{"plugin-dir", kIgnored, ""},
    ForeignOption{"plugin-load", kIgnored, ""},
    ForeignOption{"plugin-load-add", kIgnored, ""},
    ForeignOption{"plugin-maturity", kIgnored, ""},
    ForeignOption{"file-key-management", kServerTuning, ""},
    ForeignOption{"hashicorp-key-management", kServerTuning, ""},
    ForeignOption{"hashicorp-key-management-cache-timeout", kServerTuning, ""},
    ForeignOption{"hashicorp-key-management-cache-version-timeout", kServerTuning, ""},
    ForeignOption{"hashicorp-key-management-caching-enabled", kServerTuning, ""},
    ForeignOption{"hashicorp-key-management-check-kv-version", kServerTuning, ""},
    ForeignOption{"hashicorp-key-management-use-cache-on-timeout", kServerTuning, ""},
    ForeignOption{"innodb-encrypt-log", kServerTuning, ""},
    ForeignOption{"innodb-encrypt-tables", kServerTuning, ""},
};

}  // namespace

const ForeignOption* FindForeignOption(std::string_view name) {
  const auto found = std::ranges::find(kForeignOptions, name, &ForeignOption::name);
  return found == kForeignOptions.end() ? nullptr : &*found;
}

std::string ForeignHint(const ForeignOption& option) {
  if (!option.hint.empty()) return std::string(option.hint);
  switch (option.kind) {
    case kCommand: return fmt::format("the command is: hbk {}", option.name);
    case kRenamed: return "";
    case kNoEffect:
      return fmt::format("--{} does nothing in mariadb-backup either: remove it", option.name);
    case kNotYet: return fmt::format("--{} comes with a later version", option.name);
    case kIgnored:
    case kServerTuning:
      return fmt::format("--{} is a setting of the server that a backup does not need: remove it",
                         option.name);
  }
  return "";
}

}  // namespace hbk::cli
