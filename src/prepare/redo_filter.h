// Which redo of one backup of a chain counts.
//
// Threads  Any.
#pragma once

#include "hbk/innodb/types.h"

namespace hbk::prepare {

class RedoFilter {
 public:
  RedoFilter() = default;
  virtual ~RedoFilter() = default;
  RedoFilter(const RedoFilter&) = delete;
  RedoFilter& operator=(const RedoFilter&) = delete;

  // Records of a page, in an mtr that starts at `lsn`.
  [[nodiscard]] virtual bool CountsPage(innodb::PageId page, innodb::Lsn lsn) const = 0;
  // Truncations of a tablespace, and deletions of its file.
  [[nodiscard]] virtual bool CountsSpace(innodb::SpaceId space, innodb::Lsn lsn) const = 0;
  // Names, births and ends of files.
  [[nodiscard]] virtual bool CountsFiles() const = 0;
};

}  // namespace hbk::prepare
