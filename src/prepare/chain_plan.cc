#include "chain_plan.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "hbk/datadir/layout.h"
#include "hbk/innodb/page.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/damaged_page_list.h"

#include "tablespace_table.h"

namespace hbk::prepare {
namespace {

using datadir::FileKind;
using innodb::SpaceId;
using manifest::BackupManifest;
using manifest::FileContent;
using manifest::ManifestFile;

constexpr uint32_t kNoLimit = UINT32_MAX;

FileKind KindOf(const ManifestFile& file) {
  // A manifest with another kind is not read.
  return datadir::FileKindByName(file.kind).value_or(FileKind::kDefinition);
}

bool IsTablespace(FileKind kind) {
  return kind == FileKind::kSystemTablespace || kind == FileKind::kUndoTablespace ||
         kind == FileKind::kTablespace;
}

uint32_t PagesOf(uint64_t bytes, uint32_t page_size) {
  return static_cast<uint32_t>(std::min<uint64_t>(bytes / page_size, kNoLimit));
}

// What of the runs lies in front of `limit`, by page.
std::vector<PagePiece> PiecesOf(const std::vector<delta::DeltaRun>& runs, uint32_t part,
                                uint32_t limit) {
  std::vector<PagePiece> pieces;
  pieces.reserve(runs.size());
  for (size_t run = 0; run < runs.size(); ++run) {
    if (runs[run].first_page >= limit) continue;
    pieces.push_back({runs[run].first_page,
                      std::min(runs[run].page_count, limit - runs[run].first_page), part,
                      static_cast<uint32_t>(run)});
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const PagePiece& a, const PagePiece& b) { return a.first_page < b.first_page; });
  return pieces;
}

// Both by page; of `older` what is not in `newer`.
std::vector<PagePiece> Merge(const std::vector<PagePiece>& newer, std::vector<PagePiece> older) {
  std::vector<PagePiece> merged;
  merged.reserve(newer.size() + older.size());
  auto next = newer.begin();
  for (PagePiece& piece : older) {
    while (piece.page_count != 0) {
      while (next != newer.end() && next->end() <= piece.first_page)
        merged.push_back(*next++);
      if (next == newer.end() || next->first_page >= piece.end()) {
        merged.push_back(piece);
        break;
      }
      const uint32_t end = piece.end();
      if (next->first_page > piece.first_page) {
        merged.push_back(
            {piece.first_page, next->first_page - piece.first_page, piece.part, piece.run});
      }
      piece.first_page = std::min(end, next->end());
      piece.page_count = end - piece.first_page;
    }
  }
  merged.insert(merged.end(), next, newer.end());
  return merged;
}

class Planner {
 public:
  explicit Planner(const ChainInput& input) : input_(input), indexes_(input.parts.size()) {}

  Result<ChainPlan> Run() {
    HBK_RETURN_IF_ERROR(IndexParts());
    HBK_RETURN_IF_ERROR(IndexBase());
    plan_.last_part = LastPart();
    const BackupManifest& last = *Part(LastPart()).manifest;
    plan_.databases = last.databases;
    for (const ManifestFile& file : last.files) {
      const FileKind kind = KindOf(file);
      if (IsTablespace(kind))
        HBK_RETURN_IF_ERROR(PlanTablespace(file, kind));
      else if (kind != FileKind::kRedoLog && !IsLeftToPrepare(file.name))
        HBK_RETURN_IF_ERROR(PlanFile(file, kind));
    }
    HBK_RETURN_IF_ERROR(PlaceSystemFiles(last));
    PlanRemovals();
    return std::move(plan_);
  }

 private:
  struct PartIndex {
    std::map<SpaceId, const ManifestFile*> spaces;  // not of the system tablespace
    std::map<std::string_view, const ManifestFile*> names;
  };

  [[nodiscard]] uint32_t LastPart() const { return static_cast<uint32_t>(input_.parts.size()); }
  [[nodiscard]] const ChainPart& Part(uint32_t part) const { return input_.parts[part - 1]; }
  [[nodiscard]] const std::string& DirOf(uint32_t part) const {
    return part == 0 ? input_.base_dir : Part(part).dir;
  }

  Status IndexParts() {
    for (uint32_t part = 1; part <= LastPart(); ++part) {
      PartIndex& index = indexes_[part - 1];
      for (const ManifestFile& file : Part(part).manifest->files) {
        index.names.emplace(file.name, &file);
        const FileKind kind = KindOf(file);
        if (!file.space.has_value() || !IsTablespace(kind) || kind == FileKind::kSystemTablespace)
          continue;
        const auto [other, is_first] = index.spaces.emplace(file.space->space_id, &file);
        if (is_first) continue;
        return CorruptionError(fmt::format("{}: {} and {} are both the tablespace {}", DirOf(part),
                                           other->second->name, file.name, file.space->space_id));
      }
    }
    return OkStatus();
  }

  Status IndexBase() {
    for (const BaseFile& file : input_.base) {
      base_names_.emplace(file.name, &file);
      const bool has_id = file.space_id.has_value() && IsTablespace(file.kind) &&
                          file.kind != FileKind::kSystemTablespace;
      if (!has_id || input_.is_base_named) continue;
      const auto [other, is_first] = base_spaces_.emplace(*file.space_id, &file);
      // A power cut may leave the old name beside the temporary one.
      const bool is_on_its_way = IdOfTemporaryName(file.name) == file.space_id;
      if (is_on_its_way) other->second = &file;
      if (is_first || is_on_its_way || IdOfTemporaryName(other->second->name) == file.space_id)
        continue;
      return CorruptionError(fmt::format("{}: {} and {} are both the tablespace {}",
                                         input_.base_dir, other->second->name, file.name,
                                         *file.space_id));
    }
    return OkStatus();
  }

  // The same tablespace in an increment; null if it has none.
  [[nodiscard]] const ManifestFile* FindIn(uint32_t part, const PlannedTablespace& space) const {
    const PartIndex& index = indexes_[part - 1];
    if (space.kind == FileKind::kSystemTablespace) {
      const auto found = index.names.find(space.name);
      return found == index.names.end() ? nullptr : found->second;
    }
    const auto found = index.spaces.find(space.facts->space_id);
    return found == index.spaces.end() ? nullptr : found->second;
  }

  [[nodiscard]] const BaseFile* FindInBase(const PlannedTablespace& space) const {
    if (space.kind != FileKind::kSystemTablespace && !input_.is_base_named) {
      const auto found = base_spaces_.find(space.facts->space_id);
      return found == base_spaces_.end() ? nullptr : found->second;
    }
    const auto found = base_names_.find(space.name);
    return found == base_names_.end() ? nullptr : found->second;
  }

  [[nodiscard]] Status Missing(uint32_t part, std::string_view what) const {
    return Status(StatusCode::kChainBroken,
                  fmt::format("{} builds on {} of the backup before it, which {} does not have",
                              DirOf(part), what, DirOf(part - 1)));
  }

  Status PlanTablespace(const ManifestFile& file, FileKind kind) {
    PlannedTablespace& space = plan_.tablespaces.emplace_back();
    space.name = file.name;
    space.kind = kind;
    space.facts = file.space;
    space.size = file.size;
    space.is_size_open = Part(LastPart()).has_open_sizes;
    space.names.resize(LastPart() + 1);
    space.kept_bytes = UINT64_MAX;
    if (kind == FileKind::kSystemTablespace && !space.facts.has_value())
      space.facts = {.page_size = Part(LastPart()).manifest->server.page_size};
    if (!space.facts.has_value()) {
      // Its first page is not written yet: all of it comes from the redo, but for its length.
      space.origin = LastPart();
      space.is_whole = file.content == FileContent::kWhole;
      if (space.is_whole) space.names[LastPart()] = file.name;
      return OkStatus();
    }
    return Trace(file, space);
  }

  // From the last part back to where nothing older counts.
  Status Trace(const ManifestFile& last, PlannedTablespace& space) {
    const ManifestFile* file = &last;
    uint32_t limit = kNoLimit;
    for (uint32_t part = LastPart();; --part) {
      HBK_RETURN_IF_ERROR(CheckPageSize(part, *file, space));
      if (space.is_size_open) space.size = std::max(space.size, file->size);
      if (!Part(part).has_open_sizes) {
        const uint32_t page_count = PagesOf(file->size, space.facts->page_size);
        space.cuts.push_back({part, page_count});
        limit = std::min(limit, page_count);
      }
      const auto runs = Part(part).runs->find(file->name);
      if (file->content == FileContent::kDelta && runs != Part(part).runs->end()) {
        space.names[part] = file->name;
        space.pieces = Merge(space.pieces, PiecesOf(runs->second, part, limit));
      }
      if (file->content == FileContent::kWhole || file->replaces_base) {
        space.origin = part;
        space.is_whole = file->content == FileContent::kWhole;
        if (space.is_whole) space.names[part] = file->name;
        break;
      }
      if (part == 1) {
        HBK_RETURN_IF_ERROR(UseBase(*file, space));
        break;
      }
      const ManifestFile* older = FindIn(part - 1, space);
      if (older == nullptr && MayBeNew(part, *file)) {
        space.is_new = true;
        break;
      }
      if (older == nullptr) return Missing(part, NameOf(*file));
      file = older;
    }
    std::reverse(space.cuts.begin(), space.cuts.end());
    if (limit != kNoLimit) space.kept_bytes = uint64_t{limit} * space.facts->page_size;
    return OkStatus();
  }

  Status UseBase(const ManifestFile& file, PlannedTablespace& space) {
    const BaseFile* base = FindInBase(space);
    if (base == nullptr && MayBeNew(1, file)) {
      space.is_new = true;
      return OkStatus();
    }
    if (base == nullptr) return Missing(1, NameOf(file));
    space.base_name = base->name;
    return OkStatus();
  }

  [[nodiscard]] bool MayBeNew(uint32_t part, const ManifestFile& file) const {
    return Part(part).is_base_unknown && file.content == FileContent::kDelta;
  }

  static std::string NameOf(const ManifestFile& file) {
    if (!file.space.has_value()) return file.name;
    return fmt::format("{} (tablespace {})", file.name, file.space->space_id);
  }

  Status CheckPageSize(uint32_t part, const ManifestFile& file,
                       const PlannedTablespace& space) const {
    const uint32_t wanted = space.facts->page_size;
    const bool is_size = wanted >= innodb::kPageSizeMin && wanted <= innodb::kPageSizeMax;
    if (is_size && (!file.space.has_value() || file.space->page_size == wanted)) return OkStatus();
    return CorruptionError(fmt::format("{}: {} has pages of {} bytes there, and of {} in the end",
                                       DirOf(part), file.name,
                                       file.space.has_value() ? file.space->page_size : 0, wanted));
  }

  Status PlanFile(const ManifestFile& file, FileKind kind) {
    PlannedFile planned{
        .name = file.name, .kind = kind, .part = 0, .size = file.size, .digest = file.digest};
    for (uint32_t part = LastPart(); part >= 1; --part) {
      const auto found = indexes_[part - 1].names.find(file.name);
      if (found == indexes_[part - 1].names.end()) return Missing(part + 1, file.name);
      if (found->second->content == FileContent::kDelta) {
        return CorruptionError(
            fmt::format("{}: {} is no tablespace and has a delta", DirOf(part), file.name));
      }
      if (found->second->content == FileContent::kBase) continue;
      planned.part = part;
      planned.size = found->second->size;
      planned.digest = found->second->digest;
      break;
    }
    if (planned.part == 0 && !base_names_.contains(file.name)) return Missing(1, file.name);
    plan_.files.push_back(std::move(planned));
    return OkStatus();
  }

  // Page numbers run on through the files of the system tablespace.
  Status PlaceSystemFiles(const BackupManifest& last) {
    const std::string& path = last.server.data_file_path;
    HBK_ASSIGN_OR_RETURN(const auto files, datadir::ParseDataFilePath(
                                               path.empty() ? "ibdata1:12M:autoextend" : path));
    uint64_t first_page = 0;
    for (const datadir::SystemFile& file : files) {
      const auto space = std::find_if(
          plan_.tablespaces.begin(), plan_.tablespaces.end(), [&](const PlannedTablespace& item) {
            return item.kind == FileKind::kSystemTablespace && item.name == io::BaseName(file.path);
          });
      if (space == plan_.tablespaces.end()) {
        return CorruptionError(fmt::format("{}: {} of the system tablespace is not listed",
                                           DirOf(LastPart()), io::BaseName(file.path)));
      }
      space->first_page = static_cast<innodb::PageNo>(first_page);
      space->facts->space_id = innodb::kSystemSpaceId;
      first_page += space->size / space->facts->page_size;
    }
    return OkStatus();
  }

  void PlanRemovals() {
    std::set<std::string_view> kept;
    for (const PlannedTablespace& space : plan_.tablespaces) {
      if (!space.base_name.empty()) kept.insert(space.base_name);
      if (input_.is_base_named) kept.insert(space.name);
    }
    for (const PlannedFile& file : plan_.files)
      kept.insert(file.name);
    for (const BaseFile& file : input_.base) {
      if (kept.contains(file.name) || file.kind == FileKind::kRedoLog ||
          IsLeftToPrepare(file.name)) {
        continue;
      }
      (IsTablespace(file.kind) ? plan_.tablespace_removals : plan_.file_removals)
          .push_back(file.name);
    }
  }

  const ChainInput& input_;
  std::vector<PartIndex> indexes_;
  std::map<SpaceId, const BaseFile*> base_spaces_;
  std::map<std::string_view, const BaseFile*> base_names_;
  ChainPlan plan_;
};

}  // namespace

bool PlannedTablespace::LacksFirstPage() const {
  return is_new && first_page == 0 && (pieces.empty() || pieces.front().first_page != 0);
}

uint32_t PlannedTablespace::PiecePartOf(uint32_t page) const {
  const auto after = std::upper_bound(
      pieces.begin(), pieces.end(), page,
      [](uint32_t wanted, const PagePiece& piece) { return wanted < piece.first_page; });
  return after != pieces.begin() && std::prev(after)->end() > page ? std::prev(after)->part : 0;
}

uint32_t PlannedTablespace::OriginOf(uint32_t page) const {
  uint32_t newest = std::max(origin, PiecePartOf(page));
  for (const FileCut& cut : cuts)
    if (page >= cut.page_count) newest = std::max(newest, cut.part);
  return newest;
}

void ChainPlan::CutTrimmed(const SpaceLogs& logs) {
  for (PlannedTablespace& space : tablespaces) {
    if (!space.facts.has_value()) continue;
    const auto trims = logs.trims.find(space.facts->space_id);
    if (trims == logs.trims.end()) continue;
    for (const Trim& trim : trims->second) {
      const uint32_t part = logs.PartOf(trims->first, trim.start_lsn);
      const uint32_t limit =
          trim.page_count > space.first_page ? trim.page_count - space.first_page : 0;
      // The first files of a system tablespace have a fixed length.
      if (limit == 0) continue;
      space.kept_bytes =
          std::min<uint64_t>(space.kept_bytes, uint64_t{limit} * space.facts->page_size);
      for (PagePiece& piece : space.pieces) {
        if (piece.part > part || piece.end() <= limit) continue;
        piece.page_count = piece.first_page < limit ? limit - piece.first_page : 0;
      }
    }
    std::erase_if(space.pieces, [](const PagePiece& piece) { return piece.page_count == 0; });
  }
}

bool IsLeftToPrepare(std::string_view name) {
  return name.starts_with("hbk_") || name == manifest::kDamagedPagesName ||
         name == "xtrabackup_checkpoints" || name == "mariadb_backup_checkpoints";
}

Result<ChainPlan> PlanChain(const ChainInput& input) {
  return Planner(input).Run();
}

ChainFilter::ChainFilter(const ChainPlan& plan) : plan_(plan) {
  for (const PlannedTablespace& space : plan.tablespaces)
    if (space.facts.has_value()) spaces_[space.facts->space_id].push_back(&space);
  for (auto& [id, files] : spaces_) {
    std::sort(files.begin(), files.end(),
              [](const auto* a, const auto* b) { return a->first_page < b->first_page; });
  }
}

const std::vector<const PlannedTablespace*>* ChainFilter::FilesOf(innodb::SpaceId space) const {
  const auto found = spaces_.find(space);
  return found == spaces_.end() ? nullptr : &found->second;
}

std::map<innodb::SpaceId, uint32_t> ChainFilter::OldestParts() const {
  std::map<innodb::SpaceId, uint32_t> parts;
  for (const auto& [id, files] : spaces_)
    parts[id] = files.back()->origin;
  return parts;
}

const PlannedTablespace* ChainFilter::FileOf(innodb::PageId page) const {
  const auto* files = FilesOf(page.space);
  if (files == nullptr) return nullptr;
  const auto after = std::upper_bound(
      files->begin(), files->end(), page.page,
      [](innodb::PageNo wanted, const auto* file) { return wanted < file->first_page; });
  return after == files->begin() ? files->front() : *std::prev(after);
}

bool ChainFilter::CountsPage(uint32_t part, innodb::PageId page) const {
  const PlannedTablespace* file = FileOf(page);
  if (file == nullptr) return part == plan_.last_part;
  return part >= file->OriginOf(page.page - file->first_page);
}

bool ChainFilter::ComesFrom(uint32_t part, innodb::PageId page) const {
  const PlannedTablespace* file = FileOf(page);
  return file != nullptr && file->PiecePartOf(page.page - file->first_page) == part;
}

bool ChainFilter::CountsSpace(uint32_t part, innodb::SpaceId space) const {
  const auto* files = FilesOf(space);
  if (files == nullptr) return part == plan_.last_part;
  return part >= files->back()->origin;
}

}  // namespace hbk::prepare
