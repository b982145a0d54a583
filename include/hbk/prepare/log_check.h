// What prepare wants of logs and of the order of increments, looked at without preparing.
//
// Changes nothing. The file systems show stored files as plain ones (manifest/stored_backup.h).
//
// Errors   kCorruption: a log that is damaged, or ends too early. kChainBroken: increments that do
//          not follow one another. kMissingKey: an encrypted log without its key. kInterrupted.
// Threads  Any; one per call.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/crypto/key_source.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

struct CheckedLog {
  std::string path;
  innodb::Lsn start_lsn = 0;  // the checkpoint
  innodb::Lsn end_lsn = 0;    // of the last mini-transaction that is whole
  innodb::Lsn needed_lsn = 0;
  uint64_t mtr_count = 0;
  uint64_t record_count = 0;
};

// The log of a full backup, of an increment, or the empty one of a prepared backup: every
// mini-transaction from the checkpoint on, and every record in it, up to the LSN that the backup
// needs. `keys` may be null.
Result<CheckedLog> CheckBackupLog(io::FileSystem& fs, const std::string& backup_dir,
                                  crypto::KeySource* keys, const std::stop_token& stop);

// The increments, oldest first, follow one another, and the first of them follows the base.
Status CheckChainOrder(io::FileSystem& fs, const std::string& base_dir,
                       const std::vector<std::string>& incremental_dirs);

// Every file of an increment with every checksum there is: of one that mariadb-backup made, the
// only ones that there are.
Status CheckIncrementFiles(io::FileSystem& fs, const std::string& dir, uint32_t worker_count,
                           const std::stop_token& stop);

}  // namespace hbk::prepare
