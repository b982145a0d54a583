// Extent descriptors: which pages of a tablespace are in use.
//
// Format   docs/format/innodb-pages.md, "Extent descriptors".
// Units    Extents are counted in pages of physical_size bytes.
// Threads  Pure functions.
// Source   MariaDB Server 10.11, fsp0fsp.h (read, not copied); verified on files of 10.11.19.
#pragma once

#include <cstddef>

#include "hbk/base/bytes.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

// Where on a descriptor page the descriptors begin.
constexpr size_t kXdesArray = 150;

PageNo ExtentPages(const TablespaceFlags& flags);
size_t XdesBytes(const TablespaceFlags& flags);
// The page that describes `page`.
PageNo DescriptorPageOf(const TablespaceFlags& flags, PageNo page);

// Whether nothing uses `page`. `descriptor` is the page that describes it, in plain form, checked;
// `free_limit` is the one of page 0 of the tablespace.
bool IsPageFree(ByteView descriptor, const TablespaceFlags& flags, PageNo free_limit, PageNo page);

}  // namespace hbk::innodb
