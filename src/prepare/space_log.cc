#include "space_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace hbk::prepare {

Result<std::string> NameFromRedoPath(std::string_view path) {
  const auto bad = [&] {
    return CorruptionError(fmt::format("the redo names a tablespace file '{}'", path));
  };
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return bad();
  const size_t before = path.rfind('/', slash - 1);
  const size_t start = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view database = path.substr(start, slash - start);
  const std::string_view file = path.substr(slash + 1);
  // '.' is encoded in both names, so the only dot is that of the suffix.
  if (database.empty() || database.find('.') != std::string_view::npos || !file.ends_with(".ibd") ||
      file.find('.') != file.size() - 4 || file.size() == 4 ||
      path.find('\0') != std::string_view::npos) {
    return bad();
  }
  return std::string(path.substr(start));
}

Status SpaceLogs::AddFileRecord(const redo::RedoRecord& record, innodb::Lsn start_lsn) {
  using redo::RecordKind;
  if (record.kind == RecordKind::kFileCheckpoint) return OkStatus();
  SpaceLog& space = spaces[record.page.space];
  const bool is_rename = record.kind == RecordKind::kFileRename;
  space.last_path = is_rename ? record.new_path() : record.path();
  HBK_ASSIGN_OR_RETURN(space.last_name, NameFromRedoPath(space.last_path));
  space.is_deleted = record.kind == RecordKind::kFileDelete;
  space.last_file_lsn = start_lsn;
  space.has_returned = HasReturned(record.page.space, space);
  if (record.kind == RecordKind::kFileCreate) space.is_created = true;
  if (space.is_deleted) AddDeletion(record.page.space, start_lsn);
  return OkStatus();
}

bool SpaceLogs::HasReturned(innodb::SpaceId id, const SpaceLog& space) const {
  const auto deletion = deletions.find(id);
  return !space.is_deleted && deletion != deletions.end() &&
         PartOf(id, deletion->second) == PartOf(id, space.last_file_lsn);
}

void SpaceLogs::AddDeletion(innodb::SpaceId id, innodb::Lsn start_lsn) {
  deletions[id] = start_lsn;
  SpaceLog& space = spaces[id];
  space.has_first_page = false;
  space.entry_count = 0;
  space.first_page_lsn = 0;
}

void SpaceLogs::Append(SpaceLogs later) {
  for (const auto& [id, lsn] : later.deletions)
    AddDeletion(id, lsn);
  for (auto& [id, trims_of_it] : later.trims)
    std::ranges::copy(trims_of_it, std::back_inserter(trims[id]));
  has_unnoted_extents |= later.has_unnoted_extents;
  for (auto& [id, space] : later.spaces) {
    SpaceLog& sum = spaces[id];
    if (!space.last_path.empty()) {
      sum.last_name = std::move(space.last_name);
      sum.last_path = std::move(space.last_path);
      sum.is_deleted = space.is_deleted;
      sum.last_file_lsn = space.last_file_lsn;
      sum.has_returned = HasReturned(id, sum);
    }
    sum.is_created |= space.is_created;
    sum.has_first_page |= space.has_first_page;
    if (sum.entry_count == 0) sum.first_page_lsn = space.first_page_lsn;
    sum.entry_count += space.entry_count;
    if (sum.extents.size() < space.extents.size()) sum.extents.resize(space.extents.size());
    for (size_t i = 0; i < space.extents.size(); ++i)
      if (space.extents[i]) sum.extents[i] = true;
  }
}

// The redo of a backup may begin before its base ends, for what the base does not have.
uint32_t SpaceLogs::PartOf(innodb::SpaceId id, innodb::Lsn lsn) const {
  if (part_starts.empty()) return 0;
  const auto oldest = oldest_parts.find(id);
  if (oldest == oldest_parts.end()) return last_part();
  const auto after = std::upper_bound(part_starts.begin(), part_starts.end(), lsn);
  const auto part = static_cast<uint32_t>(std::distance(part_starts.begin(), after) - 1);
  return std::max(part, oldest->second);
}

bool SpaceLogs::IsGone(innodb::PageId page, innodb::Lsn start_lsn) const {
  if (!deletions.empty()) {
    const auto deletion = deletions.find(page.space);
    if (deletion != deletions.end() && start_lsn < deletion->second) return true;
  }
  if (trims.empty()) return false;
  const auto of_space = trims.find(page.space);
  if (of_space == trims.end()) return false;
  const uint32_t part = PartOf(page.space, start_lsn);
  return std::any_of(of_space->second.begin(), of_space->second.end(), [&](const Trim& trim) {
    if (PartOf(page.space, trim.start_lsn) == part) return IsTrimmed(trim, page, start_lsn);
    return start_lsn < trim.start_lsn && page.page >= trim.page_count;
  });
}

bool IsTrimmed(const Trim& trim, innodb::PageId page, innodb::Lsn start_lsn) {
  // In the system tablespace the record is the last one of its mtr, which may have dealt with the
  // same pages before; in an undo tablespace it is the first, and the new pages follow.
  if (page.space == innodb::kSystemSpaceId)
    return page.page >= trim.page_count && start_lsn <= trim.start_lsn;
  return start_lsn < trim.start_lsn;
}

}  // namespace hbk::prepare
