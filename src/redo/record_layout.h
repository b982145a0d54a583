// The first bytes of a redo record: its type and its length.
//
// Format   docs/format/redo-log.md, "Records".
#pragma once

#include <cstddef>
#include <cstdint>

#include "hbk/base/bytes.h"
#include "hbk/redo/log_file.h"

#include "varint.h"

namespace hbk::redo {

constexpr uint8_t kSamePageBit = 0x80;
constexpr uint8_t kTypeMask = 0x70;
constexpr uint8_t kLengthMask = 0x0F;
constexpr uint32_t kExtendedLengthBase = 15;  // added to a length that has bytes of its own
constexpr uint32_t kLengthBytesMax = 3;

constexpr uint8_t kTypeFreePage = 0x00;
constexpr uint8_t kTypeInitPage = 0x10;
constexpr uint8_t kTypeExtended = 0x20;
constexpr uint8_t kTypeWrite = 0x30;
constexpr uint8_t kTypeMemset = 0x40;
constexpr uint8_t kTypeMemmove = 0x50;
constexpr uint8_t kTypeReserved = 0x60;
constexpr uint8_t kTypeOption = 0x70;
// The same bits in a file record.
constexpr uint8_t kTypeFileCreate = 0x00;
constexpr uint8_t kTypeFileDelete = 0x10;
constexpr uint8_t kTypeFileRename = 0x20;
constexpr uint8_t kTypeFileModify = 0x30;
constexpr uint8_t kTypeFileCheckpoint = 0x70;

// How far a record reaches.
struct RecordExtent {
  enum State : uint8_t { kKnown, kTruncated, kMalformed };
  State state = kMalformed;
  uint32_t head_bytes = 0;   // type byte and length bytes
  uint32_t total_bytes = 0;  // of the whole record; may lie beyond the end of `bytes`
};

// `bytes` starts with a record's first byte, and that is neither 0 nor 1. kTruncated: the length
// bytes are cut off; the record itself may be cut off in any case.
inline RecordExtent MeasureRecord(ByteView bytes) {
  const uint32_t short_length = bytes[0] & kLengthMask;
  if (short_length != 0) return {RecordExtent::kKnown, 1, 1 + short_length};
  if (bytes.size() < 2) return {RecordExtent::kTruncated, 0, 0};
  const uint32_t length_bytes = VarintSize(bytes[1]);
  if (length_bytes == 0 || length_bytes > kLengthBytesMax) return {RecordExtent::kMalformed, 0, 0};
  const Varint length = DecodeVarint(bytes.subspan(1));
  if (length.size == 0) return {RecordExtent::kTruncated, 0, 0};
  if (length.value >= kMiniTransactionBytesMax) return {RecordExtent::kMalformed, 0, 0};
  // The length counts its own bytes.
  return {RecordExtent::kKnown, 1 + length.size, 1 + kExtendedLengthBase + length.value};
}

}  // namespace hbk::redo
