// Where things are on an InnoDB page.
//
// Format   docs/format/innodb-pages.md. All integers big-endian.
// Units    Offsets from the start of the page, in bytes.
// Source   MariaDB Server 10.11, fil0fil.h, fsp0fsp.h, page0page.h (read, not copied); verified on
//          files of 10.11.19.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hbk/base/bytes.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

constexpr size_t kPageSizeMin = 1024;  // ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=1
constexpr size_t kPageSizeMax = 65536;

// FIL header, on every page.
constexpr size_t kFilChecksum = 0;  // full_crc32: key version
constexpr size_t kFilPageNo = 4;
constexpr size_t kFilPrev = 8;
constexpr size_t kFilNext = 12;
constexpr size_t kFilLsn = 16;
constexpr size_t kFilType = 24;
constexpr size_t kFilKeyVersion = 26;  // old format; 0 = not encrypted
constexpr size_t kFilSpaceId = 34;
constexpr size_t kFilData = 38;
constexpr size_t kFilTrailer = 8;  // bytes at the end of an uncompressed page

// FSP header, on page 0 of a tablespace.
constexpr size_t kFspSpaceId = 38;
constexpr size_t kFspSize = 46;
constexpr size_t kFspFreeLimit = 50;
constexpr size_t kFspFlags = 54;

enum PageType : uint16_t {
  kPageAllocated = 0,
  kPageUndoLog = 2,
  kPageInode = 3,
  kPageSys = 6,
  kPageTrxSys = 7,
  kPageFspHeader = 8,
  kPageXdes = 9,
  kPageBlob = 10,
  kPageRtree = 17854,
  kPageIndex = 17855,
  kPageCompressed = 34354,           // page_compressed, old format
  kPageCompressedEncrypted = 37401,  // the same, encrypted
};

inline PageNo PageNumber(ByteView page) {
  return LoadBe32(page, kFilPageNo);
}
inline SpaceId PageSpaceId(ByteView page) {
  return LoadBe32(page, kFilSpaceId);
}
inline Lsn PageLsn(ByteView page) {
  return LoadBe64(page, kFilLsn);
}

}  // namespace hbk::innodb
