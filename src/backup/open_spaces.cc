#include "open_spaces.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/io/file_system.h"

namespace hbk::backup {

namespace {

// Some servers open tablespaces when they are first used: looking at a table has that effect. More
// are not looked at; whether their copies count is then judged by the files (tablespace_set.h).
constexpr size_t kUnusedTablesMax = 1000;

struct ClosedTable {
  server::TablespaceRow row;
  bool has_file = false;
  server::TableName name;
  server::ClosedReason reason = server::ClosedReason::kUnknown;
};

Result<std::vector<ClosedTable>> LookAtClosedTables(server::ServerSession& session,
                                                    const std::vector<server::TablespaceRow>& rows,
                                                    const datadir::Scan& scan) {
  std::set<std::string> files;
  for (const datadir::DataFile& file : scan.files)
    files.insert(file.name);
  std::vector<ClosedTable> tables;
  size_t unused_count = 0;
  for (const server::TablespaceRow& row : rows) {
    const bool is_intermediate = io::BaseName(row.name).starts_with("#sql");
    if (is_intermediate || row.name.find('/') == std::string::npos) continue;
    ClosedTable table;
    table.row = row;
    table.has_file = files.count(row.name + ".ibd") != 0;
    if (table.has_file && ++unused_count > kUnusedTablesMax) continue;
    HBK_ASSIGN_OR_RETURN(table.name, session.DecodeTableName(row.name));
    HBK_ASSIGN_OR_RETURN(table.reason, session.FindClosedReason(table.name));
    tables.push_back(std::move(table));
  }
  return tables;
}

void Note(const ClosedTable& table, ClosedTables& closed) {
  const std::string name = table.name.ToString();
  const std::string file = table.row.name + ".ibd";
  switch (table.reason) {
    case server::ClosedReason::kDropped: return;
    case server::ClosedReason::kDiscarded: closed.discarded.push_back(name); return;
    case server::ClosedReason::kUnknown:
      if (table.has_file) return;  // Not used yet, in all likelihood.
      closed.warnings.push_back(fmt::format(
          "table {} has no tablespace on the server: it was discarded, or {} is missing "
          "(hbk may not look at the table to find out)",
          name, file));
      return;
    case server::ClosedReason::kMissingFile: break;
  }
  closed.warnings.push_back(fmt::format(
      "table {} has no usable tablespace on the server: {} {}", name, file,
      table.has_file ? "is copied as it is" : "is missing, and so it is in the backup"));
}

}  // namespace

Result<ClosedTables> FindClosedTables(server::ServerSession& session, const datadir::Scan& scan) {
  ClosedTables closed;
  HBK_ASSIGN_OR_RETURN(const auto rows, session.ListClosedTables());
  for (const server::TablespaceRow& row : rows)
    closed.max_id = std::max(closed.max_id, row.space_id);
  HBK_ASSIGN_OR_RETURN(const auto tables, LookAtClosedTables(session, rows, scan));
  if (tables.empty()) return closed;
  // What is open now was only not in use.
  HBK_ASSIGN_OR_RETURN(const auto rows_after, session.ListClosedTables());
  std::set<innodb::SpaceId> still_closed;
  for (const server::TablespaceRow& row : rows_after)
    still_closed.insert(row.space_id);
  for (const ClosedTable& table : tables)
    if (still_closed.count(table.row.space_id) != 0) Note(table, closed);
  return closed;
}

OpenSpaces CombineOpenSpaces(const std::vector<server::TablespaceRow>& before,
                             const std::vector<server::TablespaceRow>& after,
                             const ClosedTables& closed) {
  OpenSpaces open;
  open.max_id = closed.max_id;
  std::set<innodb::SpaceId> first;
  for (const server::TablespaceRow& row : before) {
    open.max_id = std::max(open.max_id, row.space_id);
    first.insert(row.space_id);
  }
  for (const server::TablespaceRow& row : after) {
    open.max_id = std::max(open.max_id, row.space_id);
    if (first.count(row.space_id) != 0) open.ids.insert(row.space_id);
  }
  return open;
}

}  // namespace hbk::backup
