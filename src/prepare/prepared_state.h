// The last steps: the empty log, and the metadata that says prepared.
//
// Each is atomic, and they are done in this order. Killed between them, the next prepare finds
// either the old log, and does everything again, or the empty one, and has only these to do.
//
// Threads  One; digests are made by several.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "hbk/crypto/key_source.h"
#include "hbk/redo/log_file.h"
#include "hbk/report/reporter.h"

#include "backup_set.h"
#include "chunk_reuse.h"
#include "redo_reader.h"

namespace hbk::prepare {

constexpr std::string_view kLogFileName = "ib_logfile0";

// "Backup 10.11.19" for a log that "MariaDB 10.11.19" or "Backup 10.11.19" wrote. With it the
// server drops what interrupted ALTERs have left.
std::string CreatorOfEmptyLog(std::string_view source_creator);

// The redo of a backup, also where it is the empty file that a finished prepare leaves for servers
// of 10.5 to 10.7. See RedoReader::Open.
Result<std::unique_ptr<RedoReader>> OpenLog(io::FileSystem& fs, const BackupSet& set,
                                            size_t window_bytes, crypto::KeySource* keys);

// The log of a prepared backup is empty, and ends where prepare has left it. Returns that LSN.
// kCorruption: it is not so; of one that mariadb-backup has prepared only that it is empty is
// known.
Result<innodb::Lsn> CheckPreparedLog(io::FileSystem& fs, const BackupSet& set,
                                     crypto::KeySource* keys);

// Puts a log that is empty and ends at `end_lsn` in the place of the redo that had the header
// `source`, for a server of the version that wrote that; removes other log files. Where an empty
// log has no bytes, the system tablespace gets the LSN before.
Status ReplaceLog(io::FileSystem& fs, const BackupSet& set, innodb::Lsn end_lsn,
                  const redo::LogFileHeader& source);

// The manifest says unprepared, and the checkpoints file what neither mariadb-backup nor copy-back
// take: the directory is between a base and its sum with increments. Can be repeated.
Status MarkUnfinished(io::FileSystem& fs, const BackupSet& set);

// The checkpoints file of mariadb-backup's kind, if there is one, says log-applied.
Status StoreCheckpoints(io::FileSystem& fs, const BackupSet& set);

struct ManifestChange {
  innodb::Lsn prepared_lsn = 0;
  std::set<std::string> changed_files;  // by their final names
  // Another run changed files, too: what the manifest says of tablespaces is not to be trusted.
  bool all_tablespaces_changed = false;
  uint32_t worker_count = 1;
  const ChunkReuse* chunks = nullptr;  // null: files are digested whole
};

// The manifest says prepared, and has sizes and digests as they are now; hbk_chunks has what these
// are made of. Nothing to do where there is no manifest.
Status UpdateManifest(io::FileSystem& fs, const BackupSet& set, const ManifestChange& change,
                      report::Reporter& reporter);

}  // namespace hbk::prepare
