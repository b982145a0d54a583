// Which file is which tablespace, and what has to become of it.
//
// Tablespaces are known by their ids, never by their names: the redo renames them.
//
// Errors   kCorruption: two files of one tablespace, a damaged first page that the redo does not
//          replace, a file that would be overwritten. kNotFound is never among them: a tablespace
//          without file that the redo changes is kCorruption too.
// Threads  Values and pure functions, but for those that list files.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/tablespace_header.h"

#include "backup_set.h"
#include "space_log.h"

namespace hbk::prepare {

enum class SpaceKind { kSystem, kUndo, kTable };

// A tablespace file of the backup, as it is found.
struct FoundFile {
  std::string name;
  SpaceKind kind = SpaceKind::kTable;
  uint64_t size = 0;
  innodb::FirstPage first_page;
  bool has_zero_lsn = false;  // its first page: no redo has changed it since IMPORT TABLESPACE
};

// A part of a tablespace. Only the system tablespace has more than one.
struct Segment {
  std::string name;
  innodb::PageNo first_page = 0;
  uint64_t size = 0;  // bytes, as found
};

struct Tablespace {
  innodb::SpaceId id = 0;
  SpaceKind kind = SpaceKind::kTable;
  std::vector<Segment> segments;
  std::string final_name;  // of a table's file: where the redo leaves it
  bool is_new = false;     // there is no file with a first page yet: all comes from the redo
  bool exists = true;      // there is a file
  bool has_pages = false;  // of a new one: its file has other pages than the first
  uint64_t size_min = 0;   // bytes: of the empty file that a new one replaces
  innodb::TablespaceHeader header;  // as found; after PlanHeaders: as the redo leaves it
  // After PlanCoders: null if the images of its pages are frames.
  std::unique_ptr<innodb::PageCoder> coder;

  [[nodiscard]] const std::string& name() const { return segments.front().name; }
};

struct TablespaceTable {
  std::map<innodb::SpaceId, Tablespace> spaces;  // those that the redo speaks of
  std::set<innodb::SpaceId> dropped;             // their redo is not applied
  std::vector<std::string> removals;             // files of dropped tablespaces
  std::vector<std::string> warnings;
};

// Where a tablespace lies while its name is taken: "db/#hbk-17.ibd". No table can have that name.
std::string TemporaryName(std::string_view final_name, innodb::SpaceId id);
// The id in such a name.
std::optional<innodb::SpaceId> IdOfTemporaryName(std::string_view name);

// All tablespace files of the backup, with their first pages judged.
Result<std::vector<FoundFile>> ListTablespaceFiles(io::FileSystem& fs, const BackupSet& set);
// The same without those of tables.
Result<std::vector<FoundFile>> ListServerTablespaceFiles(io::FileSystem& fs, const BackupSet& set);

// The tablespace with this id, as it is in the files; nothing if none of them has it.
std::optional<Tablespace> FindTablespace(const std::vector<FoundFile>& files, innodb::SpaceId id);

struct ResolveOptions {
  bool is_partial = false;  // redo of tablespaces without file is left out
  // A tablespace that was imported under its old id while the backup was taken is in it as it was
  // after the import.
  bool has_imported_files = false;
  // Tablespaces of tables whose files are known otherwise than by a first page, with the names of
  // these: where the redo makes the first page, the other pages in the file count.
  std::map<innodb::SpaceId, std::string> known_files = {};
};

// Brings files and redo together.
Result<TablespaceTable> ResolveTablespaces(const std::vector<FoundFile>& files,
                                           const SpaceLogs& logs, const ResolveOptions& options);

}  // namespace hbk::prepare
