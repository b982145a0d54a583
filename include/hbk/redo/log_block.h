// The blocks of the log of MariaDB 10.5 to 10.7: numbers, checksums, and how LSNs go through them.
//
// Format   docs/format/redo-log.md, "The file of 10.5 to 10.7". An LSN counts the headers and
//          trailers of blocks, too; blocks begin at LSNs that are multiples of their size.
// Threads  Pure functions.
// Source   MariaDB Server 10.5, log0log.h (read, not copied); verified on logs of 10.5.23.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/innodb/types.h"

namespace hbk::redo {

using innodb::Lsn;

constexpr uint64_t kBlockLogHeadBytes = 2048;  // header block, 2 checkpoint blocks, one not in use
constexpr size_t kLogBlockBytes = 512;
constexpr size_t kLogBlockHeaderBytes = 12;  // number, length, first group, checkpoint number
constexpr size_t kLogBlockChecksumBytes = 4;
constexpr size_t kLogBlockKeyBytes = 4;  // key version, in an encrypted block

// Where the payload of a full block ends.
constexpr size_t LogBlockPayloadEnd(bool is_encrypted) {
  return kLogBlockBytes - kLogBlockChecksumBytes - (is_encrypted ? kLogBlockKeyBytes : 0);
}

// The block that holds this LSN.
constexpr Lsn LogBlockOf(Lsn lsn) {
  return lsn - lsn % kLogBlockBytes;
}

constexpr bool IsInPayload(Lsn lsn, bool is_encrypted) {
  const uint64_t place = lsn % kLogBlockBytes;
  return place >= kLogBlockHeaderBytes && place < LogBlockPayloadEnd(is_encrypted);
}

// `count` bytes of payload behind `lsn`. What fills a block ends at the payload of the next.
constexpr Lsn AdvanceLsn(Lsn lsn, uint64_t count, bool is_encrypted) {
  const uint64_t payload = LogBlockPayloadEnd(is_encrypted) - kLogBlockHeaderBytes;
  const uint64_t before = lsn % kLogBlockBytes - kLogBlockHeaderBytes;
  return lsn + count + (before + count) / payload * (kLogBlockBytes - payload);
}

// The number, without the bit that says first of a write, of the block at this LSN.
constexpr uint32_t LogBlockNumber(Lsn block_lsn) {
  return static_cast<uint32_t>((block_lsn / kLogBlockBytes) & 0x3FFFFFFF) + 1;
}

// Whether these kLogBlockBytes are whole, and those of this place: empty if so, else what is wrong.
std::string_view CheckLogBlock(ByteView block, Lsn block_lsn);

// Bytes in use of a plain block that was checked, header included; all of a full one. 0 if that
// cannot be.
size_t LogBlockBytesUsed(ByteView block);

}  // namespace hbk::redo
