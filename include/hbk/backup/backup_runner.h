// `hbk backup`: a consistent copy of a running server, in the order of RunBackup's steps.
//
// Errors   Each refusal before the first byte has its own code and hint; see docs/exit-codes.md.
//          On every way out the server is left without a backup lock, and without a manifest
//          unless the backup is complete.
// Threads  Run is called once, from the main thread; `stop` may be requested from any.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/backup/lock_wait_options.h"
#include "hbk/base/status.h"
#include "hbk/codec/frame_codec.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/report/reporter.h"
#include "hbk/seal/sealing_keys.h"
#include "hbk/server/connect_options.h"

namespace hbk::backup {

// Whether the position in the server's binlog is read.
enum class BinlogInfo { kOff, kOn, kAuto };  // kOn: it must have one; kAuto: if it has one

struct BackupOptions {
  std::string target_dir;
  bool is_streamed = false;  // the target is an archive, and its room not known
  server::ConnectOptions connect;
  uint32_t parallel = 0;    // copier threads; 0: from the cores
  uint32_t throttle = 0;    // read+write pairs of 1 MiB per second over all threads; 0: no limit
  uint64_t rate_limit = 0;  // bytes per second that are read, over all threads; 0: no limit
  codec::FrameChoice compression;
  // Files are sealed with a data key that each of the keys opens. Without it the keys are for a
  // sealed base.
  bool is_sealed = false;
  bool seals_names = false;  // and the manifest; of a sealed one
  seal::SealingKeyOptions sealing_keys;
  LockWaitOptions lock_wait;
  // Damaged pages are copied and listed, as warnings; else they fail the backup.
  bool log_page_corruption = false;
  // False: of MyRocks tables only the definitions, with a warning.
  bool rocksdb_backup = true;
  BinlogInfo binlog_info = BinlogInfo::kAuto;
  bool slave_info = false;         // positions of a replica in its sources
  bool galera_info = false;        // position of a node in its Galera cluster
  bool safe_slave_backup = false;  // SQL threads are stopped, at a moment without temporary tables
  uint32_t safe_slave_backup_timeout_s = 300;
  // What the user says of the layout; compared with what the server says. Empty: not said.
  datadir::LayoutOptions said_layout;
  // Of an increment; at most one of these is set.
  std::string incremental_basedir;          // a backup, or its manifest
  std::optional<uint64_t> incremental_lsn;  // the end of a base of which nothing else is known
  std::string incremental_history_name;     // the newest backup of that name on the server's list
  std::string incremental_history_uuid;
  // A file whose times say that it was not changed since the base is not read; some are, as a
  // proof.
  bool trust_file_times = false;
  // Every page is read, though the redo log tells which have changed since the base. Not with
  // trust_file_times.
  bool incremental_force_scan = false;
  // Row counts and checksums of InnoDB tables go into the manifest, for a drill to compare.
  bool record_checksums = false;
  std::string extra_lsndir;            // gets a copy of the manifest and of two metadata files
  std::optional<std::string> history;  // on the server's list of backups, under this name
  std::vector<std::string> recorded_options;  // for manifest and info file; no secrets
};

struct BackupSummary {
  uint64_t file_count = 0;
  uint64_t bytes = 0;
  uint64_t last_lsn = 0;
  std::vector<manifest::StageTime> stages;  // without their files
  // As in the manifest.
  uint64_t redo_bytes = 0;
  uint64_t redo_margin_bytes = 0;
  double redo_margin = 1;
};

Result<BackupSummary> RunBackup(const BackupOptions& options, io::FileSystem& fs,
                                report::Reporter& reporter, std::stop_token stop);

}  // namespace hbk::backup
