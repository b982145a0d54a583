// The checksums of old-format pages, over an image as it is, encrypted or not.
//
// Format   docs/format/innodb-pages.md, "Checksums". Defined in page_checksum.cc.
// Threads  Pure functions.
#pragma once

#include <cstdint>

#include "hbk/base/bytes.h"

namespace hbk::innodb {

// Where a checksum would stand: innodb_checksum_algorithm=none, and compressed images.
constexpr uint32_t kNoChecksum = 0xDEADBEEF;

uint32_t OldChecksum(ByteView page);
uint32_t ZipChecksum(ByteView page);

}  // namespace hbk::innodb
