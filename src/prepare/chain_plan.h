// What a base and its increments give when they are laid together: from which of them each file and
// each page comes, and which redo still counts.
//
// The base is part 0 of the chain, its increments are the parts from 1 on, oldest first.
// Tablespaces are followed by their ids through the parts, files of a system tablespace by their
// names, as everything else. docs/design/0007-increments.md, "Laying it together" and "Length", has
// the rules.
//
// Units    Pages of a PlannedTablespace are counted in its file; PageIds in the tablespace.
// Errors   kChainBroken: a part says that something is in the one before, and it is not.
//          kCorruption: an increment that contradicts itself.
// Threads  Pure functions and values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/delta/delta_file.h"
#include "hbk/innodb/types.h"
#include "hbk/manifest/backup_manifest.h"

#include "redo_filter.h"
#include "space_log.h"

namespace hbk::prepare {

// A file of the base, as it lies there.
struct BaseFile {
  std::string name;
  datadir::FileKind kind = datadir::FileKind::kDefinition;
  std::optional<innodb::SpaceId> space_id;  // in page 0
  uint64_t size = 0;
};

using DeltaRuns = std::map<std::string, std::vector<delta::DeltaRun>>;  // by name of the tablespace

struct ChainPart {
  std::string dir;  // for messages
  const manifest::BackupManifest* manifest = nullptr;
  const DeltaRuns* runs = nullptr;
  // Lengths of tablespace files are the least that they have (mariadb-backup).
  bool has_open_sizes = false;
  // The part before did not tell which tablespaces it has, or this one does not tell which are new:
  // one that is not in the part before is made of the pages that are here.
  bool is_base_unknown = false;
};

struct ChainInput {
  std::string base_dir;
  std::vector<BaseFile> base;
  // Files of the base are under their last names already, and pages may have been laid: an earlier
  // run was killed. Then `space_id` does not count.
  bool is_base_named = false;
  std::vector<ChainPart> parts;  // of the increments: part 1 first
};

// Neighbouring pages of one run of a delta file.
struct PagePiece {
  uint32_t first_page = 0;
  uint32_t page_count = 0;
  uint32_t part = 0;
  uint32_t run = 0;  // index in the part's runs of this tablespace
  [[nodiscard]] uint32_t end() const { return first_page + page_count; }
  bool operator==(const PagePiece&) const = default;
};

// From the part on, the file had so many pages at some time: what older parts have behind them is
// zeros.
struct FileCut {
  uint32_t part = 0;
  uint32_t page_count = 0;
  bool operator==(const FileCut&) const = default;
};

struct PlannedTablespace {
  std::string name;
  datadir::FileKind kind = datadir::FileKind::kTablespace;
  std::optional<manifest::SpaceFacts> facts;
  innodb::PageNo first_page = 0;  // of the file in its tablespace
  uint64_t size = 0;
  bool is_size_open = false;  // it may be longer
  // The base has no file with its id, and the increment that has it first does not tell which
  // tablespaces are new. It was made shortly before the base's end or later: pages that no
  // increment has are made by the redo, that of the base included.
  bool is_new = false;
  // Nothing of older parts counts. 0: the base's file does, as far as kept_bytes.
  uint32_t origin = 0;
  bool is_whole = false;           // part `origin`, not 0, has the whole file
  std::string base_name;           // with origin 0: of the base's file
  uint64_t kept_bytes = 0;         // of the base's, or the whole, file
  std::vector<std::string> names;  // by part; "" where it has no pages of it
  std::vector<FileCut> cuts;       // by part
  std::vector<PagePiece> pieces;   // by page, each page once, from the newest part that has it

  // It is new, and no increment has its first page.
  [[nodiscard]] bool LacksFirstPage() const;
  // The part whose pages have it; 0: none.
  [[nodiscard]] uint32_t PiecePartOf(uint32_t page) const;
  // The newest part that says what is on the page, or that it is gone.
  [[nodiscard]] uint32_t OriginOf(uint32_t page) const;
};

// Any other file.
struct PlannedFile {
  std::string name;
  datadir::FileKind kind = datadir::FileKind::kDefinition;
  uint32_t part = 0;  // where it is whole; 0: it is in the base already
  uint64_t size = 0;
  std::string digest;  // may be empty
};

struct ChainPlan {
  uint32_t last_part = 0;
  std::vector<PlannedTablespace> tablespaces;
  std::vector<PlannedFile> files;
  std::vector<std::string> databases;
  // Files of the base that go.
  std::vector<std::string> tablespace_removals;
  std::vector<std::string> file_removals;

  // Once the redo is read: truncations cut images off that are older.
  void CutTrimmed(const SpaceLogs& logs);
};

Result<ChainPlan> PlanChain(const ChainInput& input);

// Files that prepare makes by itself, or that mean a backup and not what is in it.
bool IsLeftToPrepare(std::string_view name);

// Which redo of a part counts: of a page not that of parts older than what the page comes from; of
// a tablespace that the last manifest does not list, and of files, that of the last part alone.
// Borrows the plan.
class ChainFilter {
 public:
  explicit ChainFilter(const ChainPlan& plan);

  [[nodiscard]] bool CountsPage(uint32_t part, innodb::PageId page) const;
  // The page is laid from that part's delta.
  [[nodiscard]] bool ComesFrom(uint32_t part, innodb::PageId page) const;
  [[nodiscard]] bool CountsSpace(uint32_t part, innodb::SpaceId space) const;
  // Of each tablespace in the last manifest: the first part whose redo can count.
  [[nodiscard]] std::map<innodb::SpaceId, uint32_t> OldestParts() const;
  [[nodiscard]] bool CountsFiles(uint32_t part) const { return part == plan_.last_part; }

 private:
  // The files of a tablespace, by first page.
  [[nodiscard]] const std::vector<const PlannedTablespace*>* FilesOf(innodb::SpaceId space) const;
  // The file that the page is in; null: of no tablespace in the last manifest.
  [[nodiscard]] const PlannedTablespace* FileOf(innodb::PageId page) const;

  const ChainPlan& plan_;
  std::unordered_map<innodb::SpaceId, std::vector<const PlannedTablespace*>> spaces_;
};

// For the redo of one part. It may begin before that of the part before ends, at `begin_lsn`: what
// both have counts once. In front of `begin_lsn` that is about tablespaces of which older parts do
// not count, and about pages of the part's own that may be older than `begin_lsn` themselves: they
// are, if the part has pages from `from_lsn` on (mariadb-backup: from the last checkpoint of the
// part before). For others, what is there is in the pages.
class PartFilter final : public RedoFilter {
 public:
  PartFilter(const ChainFilter& chain, uint32_t part, innodb::Lsn begin_lsn, innodb::Lsn from_lsn)
      : chain_(chain), part_(part), begin_lsn_(begin_lsn), has_older_pages_(from_lsn < begin_lsn) {}
  [[nodiscard]] bool CountsPage(innodb::PageId page, innodb::Lsn lsn) const override {
    return chain_.CountsPage(part_, page) &&
           (lsn >= begin_lsn_ || !chain_.CountsSpace(part_ - 1, page.space) ||
            (has_older_pages_ && chain_.ComesFrom(part_, page)));
  }
  [[nodiscard]] bool CountsSpace(innodb::SpaceId space, innodb::Lsn lsn) const override {
    return chain_.CountsSpace(part_, space) &&
           (lsn >= begin_lsn_ || !chain_.CountsSpace(part_ - 1, space));
  }
  [[nodiscard]] bool CountsFiles() const override { return chain_.CountsFiles(part_); }

 private:
  const ChainFilter& chain_;
  const uint32_t part_;
  const innodb::Lsn begin_lsn_;  // 0 of part 0
  const bool has_older_pages_;
};

}  // namespace hbk::prepare
