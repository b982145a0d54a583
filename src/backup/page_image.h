// What the image of a page tells without a key: how much of it is used, which key it needs, and
// what is wrong with a damaged one.
//
// Format   docs/format/innodb-pages.md.
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::backup {

// innodb::CheckPage, and more where it is to be had: the page inside of a compressed one whose
// image has no checksum, if this build has the codec.
innodb::PageVerdict CheckImage(ByteView page, const innodb::TablespaceFlags& flags,
                               innodb::PageId id);

// True for a good page that no checksum covers here: old format, compressed, and encrypted or
// without a codec for it in this build.
bool IsUnverifiable(ByteView page, const innodb::TablespaceFlags& flags);

// The bytes at the start of a good page that mean something; behind them may be anything. The whole
// page, unless it is a compressed one.
size_t UsedBytes(ByteView page, const innodb::TablespaceFlags& flags);

// Of the key that a good page is encrypted with; 0: it is in plain text. In the old format a page
// of a file without encryption metadata may have anything there.
uint32_t KeyVersionOf(ByteView page, const innodb::TablespaceFlags& flags, innodb::PageId id);

// Each check that fails, with what was found: "checksum 0x12345678, computed 0x9abcdef0; LSN ends
// in 0x1 at the head, in 0x2 at the tail; page number 7".
std::string DescribeDamage(ByteView page, const innodb::TablespaceFlags& flags, innodb::PageId id);

}  // namespace hbk::backup
