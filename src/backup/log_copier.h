// Judges what was read of the server's log, and brings what is log into the target.
//
// The two containers differ in what can be told without a key, and in what the target takes: whole
// mini-transactions of a ring; whole blocks, of which the last one is written again until full.
//
// Format   docs/format/redo-log.md.
// Errors   kCorruption: a record that no server writes. What cannot be judged yet is no error: it
//          is looked at again in the next round.
// Threads  One at a time.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "hbk/backup/log_tailer.h"
#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/redo/log_file.h"

#include "redo_target.h"

namespace hbk::backup {

class LogCopier {
 public:
  // From the checkpoint of `head` on. `target` has its head already, and must outlive the copier.
  static std::unique_ptr<LogCopier> Create(const redo::LogHead& head,
                                           const redo::LogGeometry& geometry, RedoTarget& target);
  virtual ~LogCopier() = default;
  LogCopier(const LogCopier&) = delete;
  LogCopier& operator=(const LogCopier&) = delete;

  // What is to be read next: from here, not behind copied_lsn(), up to ReadEnd().
  [[nodiscard]] virtual Lsn read_begin() const = 0;
  [[nodiscard]] virtual Lsn ReadEnd(Lsn fence) const = 0;
  // `bytes` were read from read_begin() on, after the server had said that it flushed up to
  // `fence`.
  virtual Status Take(MutableByteView bytes, Lsn fence) = 0;
  // The log goes on in a file of another size.
  virtual void UseGeometry(const redo::LogGeometry& geometry) = 0;
  // Appends what was held back. Called once, at the end.
  virtual Status Finish() = 0;

  // Everything before is in the target, or will be with Finish.
  [[nodiscard]] Lsn copied_lsn() const { return copied_lsn_; }
  // The end of the last mini-transaction that is known to be copied: may be less where only blocks
  // can be seen.
  [[nodiscard]] Lsn whole_lsn() const { return whole_lsn_; }
  // Why the last Take did not come up to its fence.
  [[nodiscard]] std::string_view end_reason() const { return end_reason_; }
  // What was seen since the last call.
  [[nodiscard]] SpaceChanges TakeChanges() { return std::exchange(changes_, {}); }

 protected:
  LogCopier(Lsn start_lsn, RedoTarget& target)
      : target_(target), copied_lsn_(start_lsn), whole_lsn_(start_lsn) {}

  RedoTarget& target_;
  Lsn copied_lsn_;
  Lsn whole_lsn_;
  std::string_view end_reason_;
  SpaceChanges changes_;
};

// Whether the file records of such a log can be read without a key.
inline bool HasPlainFileRecords(redo::LogEncryption encryption) {
  return encryption == redo::LogEncryption::kNone || encryption == redo::LogEncryption::kPayloads;
}

}  // namespace hbk::backup
