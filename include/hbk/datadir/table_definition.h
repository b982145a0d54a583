// What a .frm file says of its table: the engine, and the version that changes with each DDL.
//
// Format   docs/format/data-directory.md, "Table definitions". Little-endian.
// Source   Files that 10.5 to 11.8 wrote; tests/golden/frm has some.
// Errors   kCorruption: neither a table nor a view, or a length leads out of the file.
// Threads  Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::datadir {

using TableVersion = std::array<uint8_t, 16>;

struct TableDefinition {
  bool is_view = false;  // then nothing else is set
  // As the engine calls itself: "InnoDB", "ROCKSDB". Of a partitioned table that of its partitions;
  // empty where an old server did not write it.
  std::string engine;
  bool is_partitioned = false;
  std::optional<TableVersion> version;  // servers before 10.0 wrote none
};

// The whole file.
Result<TableDefinition> ParseTableDefinition(ByteView frm);

// As the server writes it: "c2c01cc9-f83a-11ee-8f0b-02fc00000001".
std::string TableVersionText(const TableVersion& version);

}  // namespace hbk::datadir
