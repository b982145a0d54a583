// Page 5 of the system tablespace: where the doublewrite buffer and the rollback segments lie.
//
// The two blocks of the doublewrite buffer hold copies of other pages, in whatever state: they are
// neither checked nor believed, and a backup may leave them out.
//
// Format   docs/format/innodb-pages.md, "TRX_SYS".
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

constexpr PageNo kTrxSysPageNo = 5;

struct DoublewriteBuffer {
  std::array<PageNo, 2> first = {0, 0};
  PageNo block_pages = 0;  // one extent

  [[nodiscard]] bool Contains(PageNo page) const {
    return (page >= first[0] && page - first[0] < block_pages) ||
           (page >= first[1] && page - first[1] < block_pages);
  }
};

// `page` is a whole page 5 of space 0. Nothing if the instance has no doublewrite buffer yet.
std::optional<DoublewriteBuffer> ParseDoublewriteBuffer(ByteView page);

// The header pages of the rollback segments, in their order; at most 128. The same.
std::vector<PageId> ParseRollbackSegments(ByteView page);

}  // namespace hbk::innodb
