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

MtrParse NeedBytes() {
  return {.outcome = MtrOutcome::kNeedBytes, .mtr = {}, .end_reason = {}};
}

MtrParse EndOfLog(std::string_view reason) {
  return {.outcome = MtrOutcome::kEndOfLog, .mtr = {}, .end_reason = reason};
}

}  // namespace

MtrParse ParseMiniTransaction(ByteView window, Lsn start_lsn, const LogGeometry& geometry,
                              bool is_encrypted) {
  const size_t trailer_bytes = kSequenceBytes + (is_encrypted ? kNonceBytes : 0) + kChecksumBytes;
  // An mtr is shorter than the format allows, and never overlaps itself in the ring.
  const size_t body_end =
      std::min<uint64_t>(kMiniTransactionBytesMax, geometry.capacity() - trailer_bytes + 1);
  if (window.empty()) return NeedBytes();
  if (window[0] == 0) return EndOfLog("zero byte");
  if (window[0] == 1) return EndOfLog("no record");

  size_t at = 0;
  while (true) {
    if (at >= body_end) return EndOfLog("length");
    if (at >= window.size()) return NeedBytes();
    if (window[at] <= 1) break;
    const RecordExtent extent = MeasureRecord(window.subspan(at));
    if (extent.state == RecordExtent::kTruncated) return NeedBytes();
    if (extent.state == RecordExtent::kMalformed) return EndOfLog("length");
    at += extent.total_bytes;
  }
  if (window[at] != geometry.SequenceBit(start_lsn + at)) return EndOfLog("sequence bit");
  if (window.size() - at < trailer_bytes) return NeedBytes();

  const ByteView body = window.first(at);
  uint32_t checksum = Crc32c(body);
  if (is_encrypted)
    checksum = Crc32cExtend(checksum, window.subspan(at + kSequenceBytes, kNonceBytes));
  if (checksum != LoadBe32(window, at + trailer_bytes - kChecksumBytes))
    return EndOfLog("checksum");
  return {.outcome = MtrOutcome::kWhole,
          .mtr = {.start_lsn = start_lsn,
                  .end_lsn = start_lsn + at + trailer_bytes,
                  .body = body,
                  .sequence_index = at},
          .end_reason = {}};
}

}  // namespace hbk::redo
