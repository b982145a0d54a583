// The last steps: the empty log, and the metadata that says prepared.
//
// Each is atomic, and they are done in this order. Killed between them, the next prepare finds
// either the old log, and does everything again, or the empty one, and has only these to do.
//
// Threads  One; digests are made by several.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "hbk/report/reporter.h"

#include "backup_set.h"

namespace hbk::prepare {

constexpr std::string_view kLogFileName = "ib_logfile0";

// "Backup 10.11.19" for a log that "MariaDB 10.11.19" or "Backup 10.11.19" wrote. With it the
// server drops what interrupted ALTERs have left.
std::string CreatorOfEmptyLog(std::string_view source_creator);

// Puts a log that is empty and ends at `end_lsn` in the place of the redo; removes other log files.
Status ReplaceLog(io::FileSystem& fs, const BackupSet& set, innodb::Lsn end_lsn,
                  std::string_view creator);

// The checkpoints file of mariadb-backup's kind, if there is one, says log-applied.
Status StoreCheckpoints(io::FileSystem& fs, const BackupSet& set);

struct ManifestChange {
  innodb::Lsn prepared_lsn = 0;
  std::set<std::string> changed_files;  // by their final names
  // Another run changed files, too: what the manifest says of tablespaces is not to be trusted.
  bool all_tablespaces_changed = false;
  uint32_t worker_count = 1;
};

// The manifest says prepared, and has sizes and digests as they are now. Nothing to do where there
// is no manifest.
Status UpdateManifest(io::FileSystem& fs, const BackupSet& set, const ManifestChange& change,
                      report::Reporter& reporter);

}  // namespace hbk::prepare
