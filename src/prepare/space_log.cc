#include "space_log.h"

#include <algorithm>

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
  space.has_returned = !space.is_deleted && deletions.contains(record.page.space);
  if (record.kind == RecordKind::kFileCreate) space.is_created = true;
  if (space.is_deleted) {
    deletions[record.page.space] = start_lsn;
    space.has_first_page = false;
    space.entry_count = 0;
  }
  return OkStatus();
}

bool SpaceLogs::IsGone(innodb::PageId page, innodb::Lsn start_lsn) const {
  if (!deletions.empty()) {
    const auto deletion = deletions.find(page.space);
    if (deletion != deletions.end() && start_lsn < deletion->second) return true;
  }
  if (trims.empty()) return false;
  const auto trim = trims.find(page.space);
  return trim != trims.end() && IsTrimmed(trim->second, page, start_lsn);
}

bool IsTrimmed(const std::vector<Trim>& trims, innodb::PageId page, innodb::Lsn start_lsn) {
  return std::any_of(trims.begin(), trims.end(), [&](const Trim& trim) {
    // In the system tablespace the record is the last one of its mtr, which may have dealt with
    // the same pages before; in an undo tablespace it is the first, and the new pages follow.
    if (page.space == innodb::kSystemSpaceId) {
      return page.page >= trim.page_count && start_lsn <= trim.start_lsn;
    }
    return start_lsn < trim.start_lsn;
  });
}

}  // namespace hbk::prepare
