// The list of the pages that were damaged on the server already, and that are in the backup as they
// were.
//
// Format   innodb_corrupted_pages, as mariadb-backup writes it: two lines for each tablespace, its
//          name without extension and its id; then page numbers. docs/format/backup-directory.md.
// Errors   kCorruption: a list that cannot be read.
// Threads  Pure functions and values.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/innodb/types.h"

namespace hbk::manifest {

constexpr std::string_view kDamagedPagesName = "innodb_corrupted_pages";

struct DamagedPageList {
  struct Space {
    std::string name;  // "db/t", "innodb_system"
    innodb::SpaceId id = 0;
    std::set<innodb::PageNo> pages;
  };
  std::vector<Space> spaces;

  [[nodiscard]] bool empty() const { return spaces.empty(); }
  [[nodiscard]] bool Contains(innodb::PageId page) const;
};

// Each tablespace once, by id.
Result<DamagedPageList> ParseDamagedPageList(std::string_view text);
// In the order that they are in.
std::string RenderDamagedPageList(const DamagedPageList& list);

}  // namespace hbk::manifest
