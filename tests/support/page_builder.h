// Builds InnoDB pages for tests, and reads index pages back without the code under test.
//
// Format   docs/format/innodb-pages.md; docs/format/redo-log.md, "Index pages".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::testing {

// The bytes of `text`, to be changed in place.
MutableByteView MutableBytes(std::string& text);

// A page of zeros but for the fields that every page has. The checksum is not set.
std::string MakePage(size_t size, innodb::PageId id, innodb::Lsn lsn, uint16_t type);

// Page 0 of a tablespace with this size and these flags, sealed.
std::string MakeFirstPage(const innodb::TablespaceFlags& flags, innodb::SpaceId space,
                          uint32_t size_pages, innodb::Lsn lsn);

// A record of an index page, as the page links it.
struct IndexRecord {
  uint32_t offset = 0;  // of its data, from the start of the page
  uint32_t heap_no = 0;
  uint32_t owned = 0;
  uint32_t info_bits = 0;  // of 4
};

// The user records in list order.
std::vector<IndexRecord> ListIndexRecords(ByteView page, bool is_dynamic);
// The records of the free list, first first.
std::vector<uint32_t> ListFreeRecords(ByteView page, bool is_dynamic);

// What is wrong with list, counts or directory of an index page; empty if nothing is.
std::string IndexPageFault(ByteView page, bool is_dynamic);

}  // namespace hbk::testing
