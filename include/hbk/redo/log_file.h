// The head of ib_logfile0: header block and checkpoint blocks; and where an LSN lies in the file.
//
// Format   MariaDB 10.8+; docs/format/redo-log.md, "The file".
// Units    Offsets are bytes in the file. An Lsn is a byte position in the log stream.
// Errors   kUnsupported: a format that this build does not apply (the message names the creator).
//          kCorruption: bad checksum or impossible fields.
// Source   MariaDB Server 10.11, log0log.h (read, not copied); verified on logs of 10.11.19.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/types.h"

namespace hbk::redo {

using innodb::Lsn;

constexpr uint64_t kLogHeadBytes = 12288;      // header block + 2 checkpoint blocks of 4 KiB
constexpr uint64_t kLogStart = kLogHeadBytes;  // first byte of the ring
constexpr uint64_t kCheckpointOffset1 = 4096;
constexpr uint64_t kCheckpointOffset2 = 8192;
constexpr uint64_t kLogFileBytesMin = kLogHeadBytes + 16;
constexpr uint64_t kMiniTransactionBytesMax = 1 << 20;

struct LogFileHeader {
  Lsn first_lsn = 0;    // of file offset kLogStart
  std::string creator;  // "MariaDB 10.11.19" or "Backup 10.11.19"
  bool is_encrypted = false;
};

struct Checkpoint {
  Lsn checkpoint_lsn = 0;
  Lsn end_lsn = 0;  // where the FILE_MODIFY.. FILE_CHECKPOINT records of this checkpoint start
};

// `block` is at least the first 512 bytes of the file.
Result<LogFileHeader> ParseLogFileHeader(ByteView block);
// `block` is 64 bytes at one of the checkpoint offsets. Nothing if it is not a valid one.
std::optional<Checkpoint> ParseCheckpoint(ByteView block, Lsn first_lsn);
// The better of the two blocks of a log head of kLogHeadBytes; kCorruption if neither is valid.
Result<Checkpoint> NewestCheckpoint(ByteView head, Lsn first_lsn);

// Where the bytes of the log stream lie in a file of this size.
class LogGeometry {
 public:
  // file_size >= kLogFileBytesMin.
  LogGeometry(Lsn first_lsn, uint64_t file_size);

  [[nodiscard]] Lsn first_lsn() const { return first_lsn_; }
  [[nodiscard]] uint64_t capacity() const { return capacity_; }
  // lsn >= first_lsn().
  [[nodiscard]] uint64_t OffsetOf(Lsn lsn) const {
    return kLogStart + (lsn - first_lsn_) % capacity_;
  }
  // The sequence byte that a mini-transaction with its sequence byte at this LSN carries.
  [[nodiscard]] uint8_t SequenceBit(Lsn lsn) const {
    return static_cast<uint8_t>(((lsn - first_lsn_) / capacity_ + 1) & 1);
  }

 private:
  Lsn first_lsn_;
  uint64_t capacity_;
};

// The head (kLogHeadBytes) of a log file that starts at `first_lsn`, with `checkpoint` in the
// first block. `creator` up to 31 bytes; "Backup ..." makes the server drop orphans at its start.
std::string RenderLogHead(Lsn first_lsn, const Checkpoint& checkpoint, std::string_view creator);

// The whole file that a finished prepare leaves: logically empty, ending at `end_lsn`.
std::string RenderEmptyLog(Lsn end_lsn, std::string_view creator);

}  // namespace hbk::redo
