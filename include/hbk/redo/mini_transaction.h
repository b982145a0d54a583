// Splits the redo log into mini-transactions (mtr), and those into records.
//
// Format   MariaDB 10.8+; docs/format/redo-log.md, "Mini-transactions" and "Records".
// Errors   A torn or missing mtr is not an error: the log has no other end marker, so the caller
//          compares the LSN it reached with the one it expects. kCorruption: a record inside a
//          whole mtr that no server writes.
// Threads  Pure functions and values. Views point into the caller's bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/types.h"
#include "hbk/redo/log_file.h"

namespace hbk::redo {

using innodb::PageId;
using innodb::PageNo;
using innodb::SpaceId;

enum class MtrOutcome : uint8_t {
  kWhole,      // one valid mini-transaction
  kNeedBytes,  // the window ends before the mini-transaction does: ask again with more bytes
  kEndOfLog,   // nothing valid here
};

struct MiniTransaction {
  Lsn start_lsn = 0;
  Lsn end_lsn = 0;
  ByteView body;              // records, without sequence byte and checksum
  size_t sequence_index = 0;  // of the sequence byte, from the start of the mtr; == body.size()
};

// Why nothing valid stands somewhere.
enum class MtrFault : uint8_t { kNone, kZeroByte, kNoRecord, kLength, kSequenceBit, kChecksum };

// "zero byte", "no record" (a first byte of 1), "length", "sequence bit", "checksum".
std::string_view MtrFaultName(MtrFault fault);

// How far a mini-transaction reaches. Of one word, which stays in a register: there are millions a
// second, and what is written to memory in parts and read back as a whole has to wait for that.
struct MtrExtent {
  MtrOutcome outcome = MtrOutcome::kEndOfLog;
  MtrFault fault = MtrFault::kNone;  // kEndOfLog
  uint32_t body_bytes = 0;           // kWhole: records; the sequence byte stands behind them
};

// Bytes behind the body of an mtr: sequence byte, nonce, checksum.
constexpr size_t MtrTrailerBytes(bool is_encrypted) {
  return is_encrypted ? 13 : 5;
}

// Measures the mtr that starts with the first byte of `window`, which lies at `start_lsn`, and
// checks it. A ring is presented to it unrolled. Never answers kNeedBytes for a window of
// kMiniTransactionBytesMax + 16, nor for one of geometry.capacity(): an mtr is not longer than the
// ring.
MtrExtent MeasureMiniTransaction(ByteView window, Lsn start_lsn, const LogGeometry& geometry,
                                 bool is_encrypted);

struct MtrParse {
  MtrOutcome outcome = MtrOutcome::kEndOfLog;
  MiniTransaction mtr;          // kWhole
  std::string_view end_reason;  // kEndOfLog: MtrFaultName()
};

// The same, with the parts of the mtr.
MtrParse ParseMiniTransaction(ByteView window, Lsn start_lsn, const LogGeometry& geometry,
                              bool is_encrypted);

enum class RecordKind : uint8_t {
  // of a page
  kFreePage,
  kInitPage,
  kExtended,
  kWrite,
  kMemset,
  kMemmove,
  kOption,
  // of a file
  kFileCreate,
  kFileDelete,
  kFileRename,
  kFileModify,
  kFileCheckpoint,
};

enum class ExtendedKind : uint8_t {
  kInitRowFormatRedundant = 0,
  kInitRowFormatDynamic = 1,
  kUndoInit = 2,
  kUndoAppend = 3,
  kInsertHeapRedundant = 4,
  kInsertReuseRedundant = 5,
  kInsertHeapDynamic = 6,
  kInsertReuseDynamic = 7,
  kDeleteRowFormatRedundant = 8,
  kDeleteRowFormatDynamic = 9,
  kTrimPages = 10,
};

// The server's names: "FREE_PAGE", "INSERT_HEAP_DYNAMIC".
std::string_view RecordKindName(RecordKind kind);
std::string_view ExtendedKindName(ExtendedKind kind);

struct RedoRecord {
  RecordKind kind = RecordKind::kOption;
  PageId page;                // file records: page 0 of the space
  bool is_same_page = false;  // a page record without a page id of its own
  ByteView raw;               // the whole record, from its first byte
  ByteView payload;           // what follows the page id

  // kExtended only: payload has at least one byte, its first is the subtype.
  [[nodiscard]] ExtendedKind extended_kind() const { return static_cast<ExtendedKind>(payload[0]); }
  // kFileCreate, kFileDelete, kFileModify: the path. kFileRename: the old path.
  [[nodiscard]] std::string_view path() const;
  // kFileRename only.
  [[nodiscard]] std::string_view new_path() const;
  // kFileCheckpoint only; 0 for padding.
  [[nodiscard]] Lsn checkpoint_lsn() const;
};

// Walks the records of one mtr body in order. Checks everything about a record that can be checked
// without its page: lengths, page ids, order of file and page records, subtypes, paths.
class RecordReader {
 public:
  // `are_payloads_encrypted`: of a log of LogEncryption::kPayloads without its key. What stands
  // behind the page id of page records is not checked then, and means nothing.
  explicit RecordReader(ByteView body, bool are_payloads_encrypted = false)
      : rest_(body), are_payloads_encrypted_(are_payloads_encrypted) {}

  // False at the end of the body. After an error: stop.
  Result<bool> Next(RedoRecord& record);

 private:
  // What is wrong with the record; null if nothing is.
  const char* ParsePageRecord(ByteView content, RedoRecord& record);

  ByteView rest_;
  bool are_payloads_encrypted_;
  bool have_page_ = false;
  bool is_blocked_ = false;  // after FREE_PAGE no same-page record may follow
  PageId page_;
};

}  // namespace hbk::redo
