// Follows the server's redo log while a backup runs, and copies it.
//
// The log is a ring that the server overwrites. The tailer starts at the newest checkpoint, or at
// the end of an increment's base if that is behind it, before the first page is copied, and stays
// ahead of the overwriting: it has a thread of its own and never waits for copiers, for the
// reporter or for the target's disk (a second thread writes).
//
// Key      None is needed: what is encrypted is copied as it is.
// Fence    A mini-transaction is taken only if it starts before the LSN that the server said it has
//          flushed, or that is known to be written, before the bytes were read: what lies beyond
//          may be half written, or an older lap that looks valid.
// Overrun  Checksum and sequence byte do not prove that bytes belong to an LSN (after two laps both
//          fit again); only distance does. After each read the server is asked for its current
//          LSN; if it could have come around, what was read is thrown away: kRedoOverrun.
// Format   The target is a log file that starts there, docs/format/redo-log.md, with container and
//          encryption of the server's. Its mini-transactions are the server's bytes, with the
//          sequence byte of a first lap; its blocks (10.5 to 10.7) are the server's.
// Units    Lsn and sizes are bytes.
// Errors   kRedoOverrun: overwritten before it was read. kUnsupported: format of the log.
//          kChainBroken: nothing in the log begins at start_lsn. kCorruption: the log does not go
//          on although the server says it does. The status of LsnSource as it is. The first error
//          ends the tailer and stays in status().
// Threads  Start and Finish from one thread; the other calls from any. LsnSource is used by the
//          tailer's thread alone from Start to Finish.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "hbk/base/status.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

using innodb::Lsn;
using innodb::SpaceId;

// What the server says of its log.
struct LsnStatus {
  Lsn flushed = 0;          // Innodb_lsn_flushed
  Lsn current = 0;          // Innodb_lsn_current
  Lsn last_checkpoint = 0;  // Innodb_lsn_last_checkpoint
};

// Asks the server. One statement, on a connection that nobody else uses.
class LsnSource {
 public:
  LsnSource() = default;
  virtual ~LsnSource() = default;
  LsnSource(const LsnSource&) = delete;
  LsnSource& operator=(const LsnSource&) = delete;

  virtual Result<LsnStatus> ReadLsn() = 0;
};

// What the copied log says about one tablespace. Space 0 and undo spaces have no file records.
struct SpaceChange {
  bool has_pages = false;       // a page of it is changed
  bool is_created = false;      // FILE_CREATE
  bool has_first_page = false;  // INIT_PAGE of page 0: redo alone can rebuild the file
  bool is_deleted = false;      // FILE_DELETE
  bool is_renamed = false;      // FILE_RENAME
  bool is_modified = false;     // FILE_MODIFY
  std::string last_path;        // of the latest create, modify, or new name of a rename
  Lsn last_lsn = 0;             // start of the mini-transaction that said so last
};
using SpaceChanges = std::map<SpaceId, SpaceChange>;

struct LogTailerOptions {
  std::string log_path;     // the server's ib_logfile0
  std::string target_path;  // created; must not exist
  std::string creator;      // of the target: "Backup 10.11.19"; at most 31 bytes
  // Where the base of an increment ends. 0, or not behind the newest checkpoint: that is the start.
  Lsn start_lsn = 0;
};

struct LogTailerProgress {
  Lsn copied_lsn = 0;
  Lsn current_lsn = 0;         // of the server, when last asked
  uint64_t redo_bytes = 0;     // copied so far
  uint64_t capacity = 0;       // of the server's log
  uint64_t lag_bytes_max = 0;  // since it first caught up with the server
  uint64_t margin_bytes = 0;   // smallest distance to being overwritten since then
};

struct LogTailerResult {
  Lsn start_lsn = 0;  // where the target begins
  Lsn last_lsn = 0;   // end of the last mini-transaction copied
  Lsn to_lsn = 0;     // newest checkpoint of the server's log at the end
  uint64_t redo_bytes = 0;
  uint64_t file_size = 0;     // of the target
  std::string digest;         // of the target, filter::TreeDigest
  uint64_t margin_bytes = 0;  // smallest distance to being overwritten
  double margin = 1;          // the same as a share of the capacity
  uint64_t lag_bytes_max = 0;
  uint64_t capacity = 0;
  uint32_t replaced_count = 0;  // how often the server replaced its log (innodb_log_file_size)
  uint64_t round_count = 0;     // reads of the log
  std::string source_creator;   // "MariaDB 10.11.19"
};

class LogTailer {
 public:
  // `fs` and `source` must outlive the tailer.
  LogTailer(io::FileSystem& fs, LsnSource& source, LogTailerOptions options);
  // Ends the threads; the target stays as it is.
  ~LogTailer();
  LogTailer(const LogTailer&) = delete;
  LogTailer& operator=(const LogTailer&) = delete;

  // Opens the log, writes the head of the target, begins to follow; from a start_lsn it has then
  // copied something, if there is anything. Once it has returned, pages may
  // be copied.
  Status Start();

  // Says that the server has written its log to the file up to there. With
  // innodb_flush_log_at_trx_commit=2 it flushes once a second only, and says nothing of writes.
  void NoteWritten(Lsn lsn);

  // Until the log is copied up to `lsn`. The status of the tailer if it ended; kCorruption if the
  // log did not get there in time; kInterrupted on a stop request.
  Status WaitFor(Lsn lsn, std::stop_token stop, std::chrono::milliseconds timeout);

  // Stops following: nothing is copied that the server writes after the return. To be called while
  // commits are still blocked, or the log would go on behind the binlog position. Quick.
  void Stop();

  // Stops following, completes and syncs the target. Called once, not under a lock if it can be
  // helped: it reads the target once more for its digest.
  Result<LogTailerResult> Finish();

  // Ok while it runs and after a successful Finish.
  [[nodiscard]] Status status() const;
  [[nodiscard]] LogTailerProgress progress() const;
  [[nodiscard]] Lsn start_lsn() const;
  // Of the log copied since the last call. Means nothing where knows_space_changes() is false.
  [[nodiscard]] SpaceChanges TakeSpaceChanges();
  // False, from Start on, where the log is encrypted so that the names of files cannot be read:
  // nothing is known of space changes then.
  [[nodiscard]] bool knows_space_changes() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace hbk::backup
