// Tables of every kind that InnoDB stores, for one instance: a database each kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/live/workload_schema.h"

namespace hbk::testing {

// The databases, which are also the columns of the table of results.
inline constexpr const char* kPlainKind = "plain";
inline constexpr const char* kZipKind = "compressed";
inline constexpr const char* kPageCompressedKind = "page_compressed";
inline constexpr const char* kEncryptedKind = "encrypted";
inline constexpr const char* kEncryptedZipKind = "encrypted_compressed";
inline constexpr const char* kEncryptedPageCompressedKind = "encrypted_page_compressed";

struct KindOptions {
  uint32_t page_kib = 16;
  // In the old page format a server refuses encrypted tables with spatial indexes.
  bool is_full_crc32 = true;
  bool is_encrypted = false;                 // the server has keys 1, 2 and 3
  std::vector<std::string> algorithms = {};  // that innodb_compression_algorithm can be set to
};

// ROW_FORMAT=COMPRESSED is refused by the server for pages of more than 16 KiB.
std::vector<std::string> KindDatabases(const KindOptions& options);
std::vector<TableSpec> KindTables(const KindOptions& options);

// All that a server may have.
const std::vector<std::string>& CompressionAlgorithms();
// Statements that change the algorithm while tables are written: in the old page format that
// matters to each page.
std::vector<std::string> CodecSwitches(const KindOptions& options);

}  // namespace hbk::testing
