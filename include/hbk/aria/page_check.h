// Whether a page of an Aria file is whole.
//
// Format   docs/format/aria.md: CRC-32 in the last four bytes, started with the page's number.
// Source   Files of MariaDB 10.11.19; every page of several tables computed again.
// Threads  Pure functions.
#pragma once

#include <cstdint>

#include "hbk/aria/table_header.h"
#include "hbk/base/bytes.h"

namespace hbk::aria {

enum class AriaFile { kIndex, kData };  // .MAI, .MAD

// What has to be known of a table to check its pages.
struct PageRules {
  AriaFile file = AriaFile::kData;
  uint32_t block_bytes = 0;
  uint64_t header_bytes = 0;  // of the index file
  bool is_transactional = false;
  bool is_encrypted = false;
};

PageRules RulesOf(const TableHeader& header, AriaFile file);

enum class PageState {
  kGood,
  kBad,
  kUnverifiable,  // no checksum, one over plain text that is encrypted here, or a header
};

// `page` has block_bytes.
PageState CheckPage(const PageRules& rules, uint64_t page_no, ByteView page);

}  // namespace hbk::aria
