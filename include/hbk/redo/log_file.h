// The head of ib_logfile0: header block and checkpoint blocks; and where an LSN lies in the file.
//
// There are two containers. Since 10.8 the log is a ring of mini-transactions; from 10.5 to 10.7 it
// is a ring of blocks that hold them. Each can be encrypted. What follows the head is read by a
// LogDecoder (hbk/redo/log_decoder.h).
//
// Format   docs/format/redo-log.md, "The file" and "The file of 10.5 to 10.7".
// Units    Offsets are bytes in the file. An Lsn is a byte position in the log stream.
// Errors   kUnsupported: a format that this build does not know (the message names the creator).
//          kCorruption: bad checksum or impossible fields.
// Source   MariaDB Server 10.5, 10.11, log0log.h (read, not copied); verified on logs of 10.5.23
//          and 10.11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/crypto/cipher.h"
#include "hbk/innodb/types.h"

namespace hbk::redo {

using innodb::Lsn;

// Since 10.8.
constexpr uint64_t kLogHeadBytes = 12288;      // header block + 2 checkpoint blocks of 4 KiB
constexpr uint64_t kLogStart = kLogHeadBytes;  // first byte of the ring
constexpr uint64_t kCheckpointOffset1 = 4096;
constexpr uint64_t kCheckpointOffset2 = 8192;
constexpr uint64_t kLogFileBytesMin = kLogHeadBytes + 16;
constexpr uint64_t kMiniTransactionBytesMax = 1 << 20;

enum class LogContainer : uint8_t {
  kRing,    // since 10.8: mini-transactions, one behind the other
  kBlocks,  // 10.5 to 10.7: in blocks of 512 bytes
};

enum class LogEncryption : uint8_t {
  kNone,
  kPayloads,  // the first format of 10.8: what follows the page id of each page record
  kRecords,   // since 10.11.15, 11.4.9, 11.8.4: all but types and lengths of records
  kBlocks,    // 10.5 to 10.7: blocks
};

// How to find the key of an encrypted log. The key itself is in no file.
struct LogCrypt {
  uint32_t key_id = 0;
  uint32_t key_version = 0;
  crypto::Block message{};  // encrypted with the server's key it is the log's key
  uint32_t nonce = 0;       // a part of each IV; kBlocks only

  friend bool operator==(const LogCrypt&, const LogCrypt&) = default;
};

struct LogFileHeader {
  Lsn first_lsn = 0;    // kRing: of file offset kLogStart. kBlocks: of no use
  std::string creator;  // "MariaDB 10.11.19" or "Backup 10.11.19"
  bool is_encrypted = false;
  LogContainer container = LogContainer::kRing;
  LogEncryption encryption = LogEncryption::kNone;
  uint32_t subformat = 0;  // kBlocks only
  LogCrypt crypt;          // kBlocks: stands in the checkpoint; only ParseLogHead sets it
};

struct Checkpoint {
  Lsn checkpoint_lsn = 0;
  // Where the FILE_MODIFY.. FILE_CHECKPOINT records of this checkpoint start. 0: none are promised,
  // as in some logs of backups.
  Lsn end_lsn = 0;
  uint64_t offset = 0;  // of the checkpoint LSN in the file; kBlocks only
};

struct LogHead {
  LogFileHeader header;
  Checkpoint checkpoint;  // the newest
};

// `head` is the beginning of the file: kLogHeadBytes, or all of a smaller file.
Result<LogHead> ParseLogHead(ByteView head);

// `block` is at least the first 512 bytes of the file.
Result<LogFileHeader> ParseLogFileHeader(ByteView block);
// `block` is 64 bytes at one of the checkpoint offsets of a ring. Nothing if it is not a valid one.
std::optional<Checkpoint> ParseCheckpoint(ByteView block, Lsn first_lsn);
// The newest checkpoint of a head of either container; kCorruption if there is no valid one.
Result<Checkpoint> NewestCheckpoint(ByteView head, Lsn first_lsn);

// Where the bytes of the log stream lie in a file of this size.
class LogGeometry {
 public:
  // Of a ring. file_size >= kLogFileBytesMin.
  LogGeometry(Lsn first_lsn, uint64_t file_size);
  // kCorruption: the file is too small for its head.
  static Result<LogGeometry> Of(const LogHead& head, uint64_t file_size);

  // The LSN of a place at offset start(): not after the first checkpoint, nor the oldest there is.
  [[nodiscard]] Lsn first_lsn() const { return first_lsn_; }
  // First byte behind the head.
  [[nodiscard]] uint64_t start() const { return start_; }
  [[nodiscard]] uint64_t capacity() const { return capacity_; }
  // lsn >= first_lsn().
  [[nodiscard]] uint64_t OffsetOf(Lsn lsn) const { return start_ + (lsn - first_lsn_) % capacity_; }
  // The sequence byte that a mini-transaction with its sequence byte at this LSN carries. Of a
  // ring.
  [[nodiscard]] uint8_t SequenceBit(Lsn lsn) const {
    return static_cast<uint8_t>(((lsn - first_lsn_) / capacity_ + 1) & 1);
  }

 private:
  LogGeometry(Lsn first_lsn, uint64_t start, uint64_t capacity)
      : first_lsn_(first_lsn), start_(start), capacity_(capacity) {}

  Lsn first_lsn_;
  uint64_t start_;
  uint64_t capacity_;
};

// The head (kLogHeadBytes) of a plain ring that starts at `first_lsn`, with `checkpoint` in the
// first block. `creator` up to 31 bytes; "Backup ..." makes the server drop orphans at its start.
std::string RenderLogHead(Lsn first_lsn, const Checkpoint& checkpoint, std::string_view creator);

// The head of the log of a backup whose source had the head `source`: of the same container and
// encryption, beginning at the checkpoint. kBlocks: it begins with the block of the checkpoint.
std::string RenderBackupLogHead(const LogHead& source, std::string_view creator);

// The whole file that a finished prepare leaves for 10.8 and later: logically empty, ending at
// `end_lsn`.
std::string RenderEmptyLog(Lsn end_lsn, std::string_view creator);

}  // namespace hbk::redo
