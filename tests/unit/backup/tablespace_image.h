// Tablespace files for tests: page 0 as the server makes it, then sealed pages.
#pragma once

#include <cstdint>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::backup {

struct TablespaceImage {
  innodb::SpaceId space_id = 5;
  uint32_t page_count = 8;
  innodb::TablespaceFlags flags = innodb::TablespaceFlags::FullCrc32(16384);
};

// A good page that differs from all others.
inline std::string MakePage(const TablespaceImage& image, innodb::PageNo page_no, char fill) {
  std::string page(image.flags.physical_size(), fill);
  const MutableByteView view(reinterpret_cast<uint8_t*>(page.data()), page.size());
  StoreBe32(view, innodb::kFilPageNo, page_no);
  StoreBe64(view, innodb::kFilLsn, 1'000'000 + page_no);
  StoreBe16(view, innodb::kFilType, innodb::kPageIndex);
  StoreBe32(view, innodb::kFilSpaceId, image.space_id);
  if (page_no == 0) {
    StoreBe16(view, innodb::kFilType, innodb::kPageFspHeader);
    StoreBe32(view, innodb::kFspSpaceId, image.space_id);
    StoreBe32(view, innodb::kFspSize, image.page_count);
    StoreBe32(view, innodb::kFspFlags, image.flags.raw());
  }
  innodb::SealPage(view, image.flags, {image.space_id, page_no});
  return page;
}

inline std::string MakeTablespace(const TablespaceImage& image) {
  std::string file;
  for (innodb::PageNo page = 0; page < image.page_count; ++page)
    file += MakePage(image, page, static_cast<char>('a' + page % 26));
  return file;
}

}  // namespace hbk::backup
