// What the redo says of each tablespace as a whole: names, birth, end, truncation.
//
// Threads  A value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/innodb/types.h"
#include "hbk/redo/mini_transaction.h"

namespace hbk::prepare {

struct SpaceLog {
  std::string last_name;  // "db/t.ibd"; empty: the redo names no file of it
  std::string last_path;  // as the redo has it: "./db/t.ibd", "/elsewhere/db/t.ibd"
  bool is_created = false;
  bool is_deleted = false;         // in the end
  bool has_returned = false;       // named again after its deletion: IMPORT TABLESPACE keeps the id
  bool has_first_page = false;     // INIT_PAGE of page 0: everything of it is in the redo
  uint64_t entry_count = 0;        // runs of page records, since a deletion
  innodb::Lsn first_page_lsn = 0;  // of the first of them
};

// TRIM_PAGES: the tablespace was cut to `page_count` pages.
struct Trim {
  innodb::Lsn start_lsn = 0;  // of its mtr
  innodb::PageNo page_count = 0;
};

struct SpaceLogs {
  std::map<innodb::SpaceId, SpaceLog> spaces;
  std::map<innodb::SpaceId, std::vector<Trim>> trims;
  // Start of the mtr of the last deletion: what was before is about another file.
  std::map<innodb::SpaceId, innodb::Lsn> deletions;

  // Takes in one file record of the mtr at `start_lsn`.
  Status AddFileRecord(const redo::RedoRecord& record, innodb::Lsn start_lsn);
  // Whether the redo of the page in the mtr at `start_lsn` went away with a later truncation or
  // deletion.
  [[nodiscard]] bool IsGone(innodb::PageId page, innodb::Lsn start_lsn) const;
};

// The name within a backup of a path in the redo: "./db/t.ibd" as well as "/elsewhere/db/t.ibd"
// give "db/t.ibd". kCorruption for what cannot be a table's file.
Result<std::string> NameFromRedoPath(std::string_view path);

// True if the redo at `start_lsn` of the page went away with a later truncation. In an undo
// tablespace that is all earlier redo; in the system tablespace only that of the pages cut off.
bool IsTrimmed(const std::vector<Trim>& trims, innodb::PageId page, innodb::Lsn start_lsn);

}  // namespace hbk::prepare
