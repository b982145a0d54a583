#include "hbk/redo/mini_transaction.h"

#include <algorithm>

#include "hbk/base/crc32c.h"

#include "record_layout.h"
#include "varint.h"

namespace hbk::redo {
namespace {

constexpr size_t kSequenceBytes = 1;
constexpr size_t kNonceBytes = 8;
constexpr size_t kChecksumBytes = 4;
static_assert(MtrTrailerBytes(true) == kSequenceBytes + kNonceBytes + kChecksumBytes);
static_assert(MtrTrailerBytes(false) == kSequenceBytes + kChecksumBytes);

constexpr MtrExtent kNeedBytes = {.outcome = MtrOutcome::kNeedBytes};

constexpr MtrExtent EndOfLog(MtrFault fault) {
  return {.outcome = MtrOutcome::kEndOfLog, .fault = fault};
}

}  // namespace

std::string_view MtrFaultName(MtrFault fault) {
  switch (fault) {
    case MtrFault::kNone: return "";
    case MtrFault::kZeroByte: return "zero byte";
    case MtrFault::kNoRecord: return "no record";
    case MtrFault::kLength: return "length";
    case MtrFault::kSequenceBit: return "sequence bit";
    case MtrFault::kChecksum: return "checksum";
  }
  return "";
}

MtrExtent MeasureMiniTransaction(ByteView window, Lsn start_lsn, const LogGeometry& geometry,
                                 bool is_encrypted) {
  const size_t trailer_bytes = MtrTrailerBytes(is_encrypted);
  // An mtr is shorter than the format allows, and never overlaps itself in the ring.
  const size_t body_end =
      std::min<uint64_t>(kMiniTransactionBytesMax, geometry.capacity() - trailer_bytes + 1);
  if (window.empty()) return kNeedBytes;
  if (window[0] == 0) return EndOfLog(MtrFault::kZeroByte);
  if (window[0] == 1) return EndOfLog(MtrFault::kNoRecord);

  size_t at = 0;
  while (true) {
    if (at >= body_end) return EndOfLog(MtrFault::kLength);
    if (at >= window.size()) return kNeedBytes;
    if (window[at] <= 1) break;
    const RecordExtent extent = MeasureRecord(window.subspan(at));
    if (extent.state == RecordExtent::kTruncated) return kNeedBytes;
    if (extent.state == RecordExtent::kMalformed) return EndOfLog(MtrFault::kLength);
    at += extent.total_bytes;
  }
  if (window[at] != geometry.SequenceBit(start_lsn + at)) return EndOfLog(MtrFault::kSequenceBit);
  if (window.size() - at < trailer_bytes) return kNeedBytes;

  uint32_t checksum = Crc32c(window.first(at));
  if (is_encrypted)
    checksum = Crc32cExtend(checksum, window.subspan(at + kSequenceBytes, kNonceBytes));
  if (checksum != LoadBe32(window, at + trailer_bytes - kChecksumBytes))
    return EndOfLog(MtrFault::kChecksum);
  return {.outcome = MtrOutcome::kWhole, .body_bytes = static_cast<uint32_t>(at)};
}

MtrParse ParseMiniTransaction(ByteView window, Lsn start_lsn, const LogGeometry& geometry,
                              bool is_encrypted) {
  const MtrExtent extent = MeasureMiniTransaction(window, start_lsn, geometry, is_encrypted);
  MtrParse parse{.outcome = extent.outcome, .mtr = {}, .end_reason = MtrFaultName(extent.fault)};
  if (extent.outcome != MtrOutcome::kWhole) return parse;
  parse.mtr = {.start_lsn = start_lsn,
               .end_lsn = start_lsn + extent.body_bytes + MtrTrailerBytes(is_encrypted),
               .body = window.first(extent.body_bytes),
               .sequence_index = extent.body_bytes};
  return parse;
}

}  // namespace hbk::redo
