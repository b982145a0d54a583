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

Status SpaceLogs::AddFileRecord(const redo::RedoRecord& record) {
  using redo::RecordKind;
  if (record.kind == RecordKind::kFileCheckpoint) return OkStatus();
  SpaceLog& space = spaces[record.page.space];
  const bool is_rename = record.kind == RecordKind::kFileRename;
  space.last_path = is_rename ? record.new_path() : record.path();
  HBK_ASSIGN_OR_RETURN(space.last_name, NameFromRedoPath(space.last_path));
  if (space.is_deleted && record.kind != RecordKind::kFileDelete) space.has_returned = true;
  if (record.kind == RecordKind::kFileCreate) space.is_created = true;
  if (record.kind == RecordKind::kFileDelete) space.is_deleted = true;
  return OkStatus();
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
