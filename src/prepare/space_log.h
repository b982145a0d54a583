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

// Pages whose redo is noted together: no more than a chunk of a digest, of pages up to 16 KiB.
constexpr uint32_t kRedoExtentPages = 64;
// Of all tablespaces: 32 MiB, for 256 TiB of pages.
constexpr uint64_t kRedoExtentsMax = 256ULL << 20;

struct SpaceLog {
  std::string last_name;  // "db/t.ibd"; empty: the redo names no file of it
  std::string last_path;  // as the redo has it: "./db/t.ibd", "/elsewhere/db/t.ibd"
  bool is_created = false;
  bool is_deleted = false;         // in the end
  bool has_returned = false;       // named again after its deletion: IMPORT TABLESPACE keeps the id
  innodb::Lsn last_file_lsn = 0;   // of the mtr of the last record about its file
  bool has_first_page = false;     // INIT_PAGE of page 0: everything of it is in the redo
  uint64_t entry_count = 0;        // runs of page records, since a deletion
  innodb::Lsn first_page_lsn = 0;  // of the first of them
  std::vector<bool> extents = {};  // with a page that any redo is of, kRedoExtentPages each
};

// TRIM_PAGES: the tablespace was cut to `page_count` pages.
struct Trim {
  innodb::Lsn start_lsn = 0;  // of its mtr
  innodb::PageNo page_count = 0;

  friend bool operator==(const Trim&, const Trim&) = default;
};

struct SpaceLogs {
  std::map<innodb::SpaceId, SpaceLog> spaces;
  std::map<innodb::SpaceId, std::vector<Trim>> trims;
  bool has_unnoted_extents = false;  // there was redo of others: what changes is not known
  // Start of the mtr of the last deletion: what was before is about another file.
  std::map<innodb::SpaceId, innodb::Lsn> deletions;
  // Where each backup of a chain begins that the redo is of, the first at 0; empty: there is one.
  std::vector<innodb::Lsn> part_starts;
  // The oldest backup of a chain whose redo of the tablespace counts; of one that is not here it is
  // the last backup.
  std::map<innodb::SpaceId, uint32_t> oldest_parts;

  // The backup of the chain that the redo of the tablespace with this LSN is of.
  [[nodiscard]] uint32_t PartOf(innodb::SpaceId id, innodb::Lsn lsn) const;
  [[nodiscard]] uint32_t last_part() const {
    return part_starts.empty() ? 0 : static_cast<uint32_t>(part_starts.size() - 1);
  }

  // Takes in one file record of the mtr at `start_lsn`.
  Status AddFileRecord(const redo::RedoRecord& record, innodb::Lsn start_lsn);
  // The mtr at `start_lsn` deletes the file: what was before is about another one.
  void AddDeletion(innodb::SpaceId id, innodb::Lsn start_lsn);
  // Takes in what the redo behind this one says, of which another thread has read it.
  void Append(SpaceLogs later);
  // Whether the redo of the page in the mtr at `start_lsn` went away with a later truncation or
  // deletion. A truncation in the redo of a later backup of the chain takes away what is cut off,
  // and nothing else: had the backups been prepared one by one, the rest would be in the pages.
  [[nodiscard]] bool IsGone(innodb::PageId page, innodb::Lsn start_lsn) const;
  // False where IsGone is false for each page of it.
  [[nodiscard]] bool MayBeGone(innodb::SpaceId space) const {
    return deletions.count(space) != 0 || trims.count(space) != 0;
  }

 private:
  // Of a tablespace whose file is there, by the last record about it.
  [[nodiscard]] bool HasReturned(innodb::SpaceId id, const SpaceLog& space) const;
};

// The name within a backup of a path in the redo: "./db/t.ibd" as well as "/elsewhere/db/t.ibd"
// give "db/t.ibd". kCorruption for what cannot be a table's file.
Result<std::string> NameFromRedoPath(std::string_view path);

// True if the redo at `start_lsn` of the page went away with a later truncation. In an undo
// tablespace that is all earlier redo; in the system tablespace only that of the pages cut off.
bool IsTrimmed(const Trim& trim, innodb::PageId page, innodb::Lsn start_lsn);

}  // namespace hbk::prepare
