// Page checksums: is this page whole, and how to make it so before it is written.
//
// Format   docs/format/innodb-pages.md, "Checksums".
// Threads  Pure functions.
#pragma once

#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

enum class PageVerdict {
  kGood,
  kZero,          // all bytes zero: legal, never written or freed
  kBadChecksum,   // includes a torn page
  kLsnMismatch,   // head and tail LSN differ: torn
  kWrongPageNo,   // a valid page of another place
  kWrongSpaceId,  // a valid page of another tablespace
};
std::string_view PageVerdictName(PageVerdict verdict);  // for messages: "bad checksum"

// Checks one page as it lies in the file (physical_size bytes). `id` is where it was read from.
// Encrypted and page_compressed images are checked as far as that is possible without key and
// codec. The space id is checked where it is readable (not inside ciphertext).
PageVerdict CheckPage(ByteView page, const TablespaceFlags& flags, PageId id);

// Sets what the server sets when it writes a page: trailer LSN and checksum(s), from the LSN in
// the header. In the old format also zeroes bytes 26..33, except on page 0 of any space and page
// 5 of space 0. The page is neither encrypted nor page_compressed by this.
void SealPage(MutableByteView page, const TablespaceFlags& flags, PageId id);

}  // namespace hbk::innodb
