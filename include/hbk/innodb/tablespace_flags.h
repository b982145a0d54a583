// FSP_SPACE_FLAGS: page size and page format of a tablespace.
//
// Format   docs/format/innodb-pages.md, "Flags". Bit 4 tells the format: full_crc32 (set) or the
//          old one. ROW_FORMAT=COMPRESSED is always old format, whatever the server's setting.
// Source   MariaDB Server 10.11, fsp0types.h (read, not copied); verified on real files.
#pragma once

#include <cstdint>

#include "hbk/base/status.h"

namespace hbk::innodb {

class TablespaceFlags {
 public:
  // kCorruption: bits that no server from 10.5 on writes. kUnsupported: a page layout of 10.1 or
  // MySQL.
  static Result<TablespaceFlags> Decode(uint32_t flags);
  // The flags a server with this page size gives to a new, plain, full_crc32 tablespace.
  static TablespaceFlags FullCrc32(uint32_t page_size);

  [[nodiscard]] uint32_t raw() const { return raw_; }
  [[nodiscard]] bool is_full_crc32() const { return (raw_ & 16) != 0; }
  [[nodiscard]] uint32_t logical_size() const { return logical_size_; }  // innodb_page_size
  [[nodiscard]] uint32_t zip_size() const { return zip_size_; }          // 0: not COMPRESSED
  [[nodiscard]] uint32_t physical_size() const {
    return zip_size_ != 0 ? zip_size_ : logical_size_;
  }
  [[nodiscard]] bool is_zip() const { return zip_size_ != 0; }
  // page_compressed=1. The algorithm (1 zlib .. 6 snappy) is per file in full_crc32, else per page:
  // 0.
  [[nodiscard]] bool is_page_compressed() const { return is_page_compressed_; }
  [[nodiscard]] uint32_t compression_algorithm() const { return compression_algorithm_; }

  bool operator==(const TablespaceFlags&) const = default;

 private:
  uint32_t raw_ = 0;
  uint32_t logical_size_ = 0;
  uint32_t zip_size_ = 0;
  bool is_page_compressed_ = false;
  uint32_t compression_algorithm_ = 0;
};

}  // namespace hbk::innodb
