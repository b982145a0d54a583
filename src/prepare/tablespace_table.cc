#include "tablespace_table.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

using innodb::FirstPageKind;
using innodb::SpaceId;

constexpr std::string_view kTemporaryPrefix = "#hbk-";
constexpr std::string_view kSuffix = ".ibd";

std::vector<Segment> SegmentsOf(const std::vector<FoundFile>& files, const FoundFile& file) {
  std::vector<Segment> segments{{file.name, 0, file.size}};
  if (file.kind != SpaceKind::kSystem) return segments;
  // Page numbers run on through the files. All but the last have a fixed size.
  const uint32_t page_size = file.first_page.header.flags.physical_size();
  for (const FoundFile& other : files) {
    if (other.kind != SpaceKind::kSystem || other.name == file.name) continue;
    const Segment& last = segments.back();
    segments.push_back({other.name,
                        static_cast<innodb::PageNo>(last.first_page + last.size / page_size),
                        other.size});
  }
  return segments;
}

// The steps of ResolveTablespaces.
class Resolver {
 public:
  Resolver(const std::vector<FoundFile>& files, const SpaceLogs& logs,
           const ResolveOptions& options)
      : files_(files), logs_(logs), options_(options) {}

  Result<TablespaceTable> Resolve() {
    HBK_RETURN_IF_ERROR(IndexById());
    for (const auto& [id, log] : logs_.spaces) {
      if (id >= innodb::kSpaceIdEnd) {
        return CorruptionError(fmt::format("the redo changes a tablespace with id {}", id));
      }
      HBK_RETURN_IF_ERROR(ResolveSpace(id, log));
    }
    HBK_RETURN_IF_ERROR(CheckTrims());
    HBK_RETURN_IF_ERROR(CheckFinalNames());
    HBK_RETURN_IF_ERROR(CheckUnclaimed());
    return std::move(table_);
  }

 private:
  Status IndexById() {
    for (const FoundFile& file : files_) {
      by_name_[file.name] = &file;
      if (file.first_page.kind != FirstPageKind::kValid) continue;
      const SpaceId id = file.first_page.header.space_id;
      if ((file.kind == SpaceKind::kSystem) != (id == innodb::kSystemSpaceId)) {
        return CorruptionError(fmt::format("{} holds the tablespace {}", file.name, id));
      }
      const auto [other, is_first] = by_id_.emplace(id, &file);
      if (!is_first) {
        return CorruptionError(fmt::format("{} and {} are both the tablespace {}",
                                           other->second->name, file.name, id));
      }
    }
    return OkStatus();
  }

  Status ResolveSpace(SpaceId id, const SpaceLog& log) {
    const auto found = by_id_.find(id);
    // IMPORT TABLESPACE keeps the id. What the redo says before the deletion is about the file
    // before; whether the backup has that one or the imported one cannot be told from the pages.
    if (log.has_returned && !(options_.has_imported_files && found != by_id_.end())) {
      return UnsupportedError(fmt::format("{} was discarded and imported again under its id {} "
                                          "while the backup was taken",
                                          log.last_name, id))
          .WithHint("take another backup; nothing was changed in this one");
    }
    if (found == by_id_.end() && log.has_first_page && AddKnown(id, log)) return OkStatus();
    if (log.is_deleted) {
      table_.dropped.insert(id);
      // A server logs nothing of an import before it changes the imported pages: this deletion was
      // the DISCARD before.
      if (found != by_id_.end() && found->second->has_zero_lsn && options_.has_imported_files)
        return OkStatus();
      if (found != by_id_.end()) table_.removals.push_back(found->second->name);
      return OkStatus();
    }
    if (found != by_id_.end()) {
      AddFound(*found->second, log);
      return OkStatus();
    }
    // The copy of an ALTER TABLE that was still at work: no table yet. The server drops what its
    // dictionary knows of it when it starts on a restored set.
    if (io::BaseName(log.last_name).starts_with("#sql-alter")) {
      table_.dropped.insert(id);
      return OkStatus();
    }
    if (log.has_first_page && !log.last_name.empty()) {
      AddNew(id, log);
      return OkStatus();
    }
    if (log.entry_count == 0) return OkStatus();
    // Servers before 10.6 give it other names.
    if (io::BaseName(log.last_name).starts_with("#sql")) {
      table_.dropped.insert(id);
      return OkStatus();
    }
    if (options_.is_partial) {
      table_.dropped.insert(id);
      table_.warnings.push_back(
          fmt::format("tablespace {} ({}) is not in this partial backup: its redo is left out", id,
                      log.last_name));
      return OkStatus();
    }
    return CorruptionError(fmt::format(
        "the redo at LSN {} changes tablespace {} ({}), of which the backup has no file",
        log.first_page_lsn, id, log.last_name.empty() ? "no name" : log.last_name));
  }

  void AddFound(const FoundFile& file, const SpaceLog& log) {
    Tablespace space;
    space.id = file.first_page.header.space_id;
    space.kind = file.kind;
    space.header = file.first_page.header;
    space.segments = SegmentsOf(files_, file);
    space.final_name = file.name;
    if (file.kind == SpaceKind::kTable && !log.last_name.empty()) space.final_name = log.last_name;
    table_.spaces.emplace(space.id, std::move(space));
  }

  // False: there is no such file.
  bool AddKnown(SpaceId id, const SpaceLog& log) {
    const auto known = options_.known_files.find(id);
    if (known == options_.known_files.end() || log.is_deleted) return false;
    const auto file = by_name_.find(known->second);
    if (file == by_name_.end() || file->second->first_page.kind != FirstPageKind::kDeferred)
      return false;
    Tablespace space;
    space.id = id;
    space.is_new = true;
    space.has_pages = true;
    space.segments = {{known->second, 0, file->second->size}};
    space.final_name = log.last_name.empty() ? known->second : log.last_name;
    claimed_.insert(file->second->name);
    table_.spaces.emplace(id, std::move(space));
    return true;
  }

  void AddNew(SpaceId id, const SpaceLog& log) {
    Tablespace space;
    space.id = id;
    space.is_new = true;
    space.final_name = log.last_name;
    const std::string temporary = TemporaryName(log.last_name, id);
    const auto left = by_name_.find(temporary);
    space.exists = left != by_name_.end();
    space.segments = {{temporary, 0, space.exists ? left->second->size : 0}};
    const auto replaced = by_name_.find(log.last_name);
    if (replaced != by_name_.end() &&
        replaced->second->first_page.kind == FirstPageKind::kDeferred) {
      space.size_min = replaced->second->size;
    }
    table_.spaces.emplace(id, std::move(space));
  }

  Status CheckTrims() const {
    for (const auto& [id, trims] : logs_.trims) {
      const auto space = table_.spaces.find(id);
      if (space == table_.spaces.end()) continue;
      if (space->second.kind == SpaceKind::kTable) {
        return CorruptionError(fmt::format("the redo at LSN {} truncates tablespace {}, a table",
                                           trims.front().start_lsn, id));
      }
    }
    return OkStatus();
  }

  // No tablespace may be moved over one that stays.
  Status CheckFinalNames() {
    std::map<std::string_view, SpaceId> leaving;
    for (const auto& [id, space] : table_.spaces)
      if (space.name() != space.final_name) leaving[space.name()] = id;
    for (const auto& [id, space] : table_.spaces) {
      const auto [other, is_first] = final_names_.emplace(space.final_name, id);
      if (!is_first) {
        return CorruptionError(
            fmt::format("the redo gives the name {} to the tablespaces {} and {}", space.final_name,
                        other->second, id));
      }
      const auto there = by_name_.find(space.final_name);
      if (space.name() == space.final_name || there == by_name_.end() ||
          there->second->first_page.kind != FirstPageKind::kValid ||
          leaving.contains(there->second->name)) {
        continue;
      }
      const SpaceId there_id = there->second->first_page.header.space_id;
      if (!table_.dropped.contains(there_id)) {
        return CorruptionError(
            fmt::format("the redo gives the name {} to tablespace {}, but the file holds {}",
                        space.final_name, id, there_id));
      }
    }
    return OkStatus();
  }

  // Files without a valid first page: the redo replaces them, drops them, or they are damaged.
  Status CheckUnclaimed() {
    for (const FoundFile& file : files_) {
      const bool is_part = file.kind == SpaceKind::kSystem && &file != &files_.front();
      if (file.first_page.kind == FirstPageKind::kValid || is_part) continue;
      if (final_names_.contains(file.name) || claimed_.contains(file.name) ||
          IsTemporary(file.name))
        continue;
      if (IsNameOfDropped(file.name)) {
        table_.removals.push_back(file.name);
      } else if (file.first_page.kind == FirstPageKind::kDamaged ||
                 file.kind != SpaceKind::kTable) {
        return CorruptionError(fmt::format(
            "{}: {}", file.name,
            file.first_page.reason.empty() ? "page 0 is all zero" : file.first_page.reason));
      } else if (!io::BaseName(file.name).starts_with("#sql")) {
        // The first page of a new table is in the redo until it is in the file.
        table_.warnings.push_back(fmt::format(
            "page 0 of {} is all zero, and the redo does not make it: the table was lost at the "
            "source, or is being imported",
            file.name));
      }
    }
    return OkStatus();
  }

  bool IsTemporary(std::string_view name) const {
    const auto id = IdOfTemporaryName(name);
    return id.has_value() && table_.spaces.contains(*id);
  }

  bool IsNameOfDropped(std::string_view name) const {
    return std::any_of(logs_.spaces.begin(), logs_.spaces.end(), [&](const auto& item) {
      return item.second.is_deleted && item.second.last_name == name;
    });
  }

  const std::vector<FoundFile>& files_;
  const SpaceLogs& logs_;
  const ResolveOptions options_;
  std::map<SpaceId, const FoundFile*> by_id_;
  std::map<std::string_view, const FoundFile*> by_name_;
  std::map<std::string_view, SpaceId> final_names_;
  std::set<std::string_view> claimed_;  // files without a first page whose tablespaces are known
  TablespaceTable table_;
};

}  // namespace

std::string TemporaryName(std::string_view final_name, innodb::SpaceId id) {
  return fmt::format("{}/{}{}{}", io::DirName(final_name), kTemporaryPrefix, id, kSuffix);
}

std::optional<innodb::SpaceId> IdOfTemporaryName(std::string_view name) {
  std::string_view base = io::BaseName(name);
  if (!base.starts_with(kTemporaryPrefix) || !base.ends_with(kSuffix)) return std::nullopt;
  base.remove_prefix(kTemporaryPrefix.size());
  base.remove_suffix(kSuffix.size());
  innodb::SpaceId id = 0;
  const auto [end, error] = std::from_chars(base.data(), base.data() + base.size(), id);
  if (error != std::errc() || end != base.data() + base.size()) return std::nullopt;
  return id;
}

Result<TablespaceTable> ResolveTablespaces(const std::vector<FoundFile>& files,
                                           const SpaceLogs& logs, const ResolveOptions& options) {
  return Resolver(files, logs, options).Resolve();
}

std::optional<Tablespace> FindTablespace(const std::vector<FoundFile>& files, innodb::SpaceId id) {
  for (const FoundFile& file : files) {
    if (file.first_page.kind != FirstPageKind::kValid || file.first_page.header.space_id != id)
      continue;
    Tablespace space;
    space.id = id;
    space.kind = file.kind;
    space.segments = SegmentsOf(files, file);
    space.final_name = file.name;
    space.header = file.first_page.header;
    return space;
  }
  return std::nullopt;
}

}  // namespace hbk::prepare
