// Pages that were damaged on the server already, and that the backup took as they were.
//
// Their redo is skipped, unless it makes them anew. When all redo is applied, those that are whole
// then, or that nothing uses, leave the list.
//
// Format   innodb_corrupted_pages, as mariadb-backup writes it: two lines for each tablespace, its
//          name without extension and its id; then page numbers. docs/format/backup-directory.md.
// Errors   kCorruption: a list that cannot be read.
// Threads  A value; the functions: one.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/crypto/key_source.h"

#include "backup_set.h"

namespace hbk::prepare {

constexpr std::string_view kDamagedPagesName = "innodb_corrupted_pages";

struct DamagedPages {
  struct Space {
    std::string name;  // "db/t", "innodb_system"
    std::set<innodb::PageNo> pages;
  };
  std::map<innodb::SpaceId, Space> spaces;

  [[nodiscard]] bool empty() const { return spaces.empty(); }
  [[nodiscard]] bool Contains(innodb::PageId page) const {
    const auto space = spaces.find(page.space);
    return space != spaces.end() && space->second.pages.contains(page.page);
  }
};

Result<DamagedPages> ParseDamagedPages(std::string_view text);
std::string RenderDamagedPages(const DamagedPages& damaged);

// Empty if the backup has no list.
Result<DamagedPages> LoadDamagedPages(io::FileSystem& fs, const BackupSet& set);
// Replaces the list; without pages there is none.
Status StoreDamagedPages(io::FileSystem& fs, const BackupSet& set, const DamagedPages& damaged);

// Once all redo is applied and all files have their names: takes the pages off the list that are
// whole or free. Returns what is left in words: "db/t.ibd, page 3: bad checksum".
Result<std::vector<std::string>> ForgiveDamagedPages(io::FileSystem& fs, const BackupSet& set,
                                                     crypto::KeySource* keys,
                                                     DamagedPages& damaged);

}  // namespace hbk::prepare
