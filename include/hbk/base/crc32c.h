// CRC-32C (Castagnoli), the checksum of InnoDB pages and redo.
//
// Format   Reflected polynomial 0x82F63B78, initial value and final xor 0xFFFFFFFF;
//          Crc32c("123456789") == 0xE3069283.
// Threads  Any.
#pragma once

#include <cstdint>

#include "hbk/base/bytes.h"

namespace hbk {

// Goes on from the finished value `crc` of the bytes before: Crc32cExtend(Crc32c(a), b) is the CRC
// of a followed by b.
uint32_t Crc32cExtend(uint32_t crc, ByteView bytes);

inline uint32_t Crc32c(ByteView bytes) {
  return Crc32cExtend(0, bytes);
}

}  // namespace hbk
