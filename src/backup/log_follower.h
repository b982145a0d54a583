// One round of tailing a live redo log: read, ask the server, believe or not, append.
//
// LogTailer runs it in a thread; without thread and clock of its own it can be tested step by
// step. The rules are in hbk/backup/log_tailer.h.
//
// Threads  One at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "hbk/backup/log_tailer.h"
#include "hbk/base/aligned_buffer.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "log_copier.h"
#include "redo_ring.h"
#include "redo_target.h"

namespace hbk::backup {

struct FollowRound {
  uint64_t copied_bytes = 0;
  uint64_t lag_bytes = 0;  // what the server had written beyond our position before this round
};

class LogFollower {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Bytes of log read in one round. Not less than the largest mini-transaction.
  static constexpr size_t kWindowBytes = 4 << 20;

  // Follows `ring` from `start_lsn` on: that of its checkpoint, or one behind it, where a base
  // ends. `fs`, `source` and `target` must outlive the follower.
  LogFollower(io::FileSystem& fs, LsnSource& source, RedoTarget& target,
              std::unique_ptr<RedoRing> ring, Lsn start_lsn);

  // The first call asks the server for the fence and copies nothing.
  Result<FollowRound> Next(TimePoint now);

  // The log is in its file up to there, whatever the server says it has flushed.
  void NoteWritten(Lsn lsn) { written_ = std::max(written_, lsn); }

  // False if there is log behind the start, as far as the server has said, and none was copied yet.
  [[nodiscard]] bool HasBegun() const {
    return copied_lsn() > start_lsn_ || std::max(server_.flushed, written_) <= start_lsn_;
  }

  // Brings what was held back to the target. After the last round.
  Status Finish() { return copier_->Finish(); }

  // What the rounds since the last call have seen.
  [[nodiscard]] SpaceChanges TakeChanges() { return copier_->TakeChanges(); }

  [[nodiscard]] Lsn copied_lsn() const { return copier_->copied_lsn(); }
  // The end of the last mini-transaction known to be copied.
  [[nodiscard]] Lsn whole_lsn() const { return copier_->whole_lsn(); }
  [[nodiscard]] const LsnStatus& server() const { return server_; }
  [[nodiscard]] uint64_t capacity() const { return ring_->geometry().capacity(); }
  [[nodiscard]] uint64_t margin_bytes() const { return margin_bytes_; }
  // The smallest share of the ring that was free; the ring may have changed its size.
  [[nodiscard]] double margin() const { return margin_; }
  [[nodiscard]] uint64_t lag_bytes_max() const { return lag_bytes_max_; }
  [[nodiscard]] uint32_t replaced_count() const { return replaced_count_; }
  [[nodiscard]] uint64_t round_count() const { return round_count_; }

  // The newest checkpoint of the server that is not beyond what is copied.
  [[nodiscard]] Lsn ReadLastCheckpoint();

 private:
  Result<bool> IsReplaced();
  Status SwitchRing();
  Status PollServer();
  Status CheckOverrun(Lsn begin, std::optional<Lsn> checkpoint_after_read);
  void NoteMargin(uint64_t lag);
  Status CheckStall(TimePoint now, Lsn flushed);
  void NoteCheckpoint(Lsn lsn);
  [[nodiscard]] Status JudgeStart(const Status& status) const;

  io::FileSystem& fs_;
  LsnSource& source_;
  std::unique_ptr<RedoRing> ring_;
  std::unique_ptr<LogCopier> copier_;
  AlignedBuffer buffer_;

  const Lsn start_lsn_;
  const bool is_end_of_base_;  // it is no checkpoint
  LsnStatus server_;           // as of the last round; flushed is the fence of the next
  Lsn written_ = 0;            // or this is, if it is further
  Lsn last_checkpoint_;

  std::optional<TimePoint> stalled_since_;

  bool has_caught_up_ = false;  // lag and margin count from then on
  uint64_t margin_bytes_;
  double margin_ = 1;
  uint64_t lag_bytes_max_ = 0;
  uint32_t replaced_count_ = 0;
  uint64_t round_count_ = 0;
};

}  // namespace hbk::backup
