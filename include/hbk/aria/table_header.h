// The header of an Aria table, at the start of its .MAI file: what kind of table it is, and by what
// one generation of it is told from the next.
//
// Format   docs/format/aria.md; big-endian, but LSNs, which are compared as bytes only.
// Source   Files of MariaDB 10.11.19.
// Units    Sizes are bytes.
// Errors   kCorruption: not the header of an Aria table.
// Threads  Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::aria {

// Enough of a .MAI file for ParseTableHeader.
constexpr size_t kTableHeadBytes = 1024;

using LsnBytes = std::array<uint8_t, 7>;

// Changes whenever the content is replaced by something that the log does not describe: the table
// is made, truncated, repaired, filled without logging, or renamed, which makes recovery look for
// it under another name.
struct TableGeneration {
  std::array<uint8_t, 16> instance_uuid{};
  LsnBytes create_rename_lsn{};
  LsnBytes skip_redo_lsn{};
  uint64_t create_trid = 0;
  bool operator==(const TableGeneration&) const = default;
};

struct TableHeader {
  bool has_page_checksums = false;
  bool is_transactional = false;  // as it was made
  bool has_page_rows = false;     // the data file consists of pages, too
  bool is_encrypted = false;
  uint16_t open_count = 0;  // not 0: changed, and not closed since
  uint32_t block_bytes = 0;
  uint64_t header_bytes = 0;  // of the .MAI file; index pages follow
  TableGeneration generation;

  // True if it can be copied while it is written: each page can be checked, and the log repairs
  // what changes meanwhile.
  [[nodiscard]] bool IsCopyableOnline() const {
    return has_page_checksums && is_transactional && has_page_rows;
  }
};

// `head` are the first bytes of a .MAI file: kTableHeadBytes, or what there is.
Result<TableHeader> ParseTableHeader(ByteView head);

}  // namespace hbk::aria
