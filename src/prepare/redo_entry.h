// How one run of redo records of a page is kept in a partition.
//
// Format   header (24 bytes, native byte order), then the records as they stand in their mtr:
//          start_lsn 8, space 4, page 4, mtr_bytes 4, length and flags 4. Never leaves the process.
// Units    Bytes. end_lsn = start_lsn + mtr_bytes.
#pragma once

#include <cstdint>
#include <cstring>

#include "hbk/base/bytes.h"
#include "hbk/innodb/types.h"
#include "hbk/redo/log_file.h"

namespace hbk::prepare {

struct RedoEntryHeader {
  innodb::Lsn start_lsn = 0;
  innodb::SpaceId space = 0;
  innodb::PageNo page = 0;
  uint32_t mtr_bytes = 0;
  uint32_t length : 30 = 0;  // of the records that follow
  // Begins with INIT_PAGE or FREE_PAGE: what was before does not count.
  uint32_t is_rebuild : 1 = 0;
  uint32_t is_free : 1 = 0;  // is FREE_PAGE

  [[nodiscard]] innodb::Lsn end_lsn() const { return start_lsn + mtr_bytes; }
  [[nodiscard]] uint64_t page_key() const { return uint64_t{space} << 32 | page; }
};
static_assert(sizeof(RedoEntryHeader) == 8 + 4 + 4 + 4 + 4);
static_assert(redo::kMiniTransactionBytesMax < (1 << 30));

constexpr size_t kRedoEntryHeaderBytes = sizeof(RedoEntryHeader);
constexpr size_t kRedoEntryBytesMax = kRedoEntryHeaderBytes + redo::kMiniTransactionBytesMax;

inline RedoEntryHeader LoadRedoEntryHeader(ByteView bytes, size_t offset) {
  HBK_CHECK(offset + kRedoEntryHeaderBytes <= bytes.size());
  RedoEntryHeader header;
  std::memcpy(&header, bytes.data() + offset, sizeof(header));
  return header;
}
inline ByteView HeaderBytes(const RedoEntryHeader& header) {
  return {reinterpret_cast<const uint8_t*>(&header), sizeof(header)};
}

}  // namespace hbk::prepare
