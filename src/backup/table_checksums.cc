#include "table_checksums.h"

#include <fmt/format.h>

namespace hbk::backup {
namespace {

// The restored server changes these by itself, or the server that is backed up does.
bool IsOfServer(const server::ListedTable& table) {
  return table.database == "mysql" || table.database == "sys";
}

}  // namespace

Result<std::unique_ptr<TableChecksums>> TableChecksums::Open(
    std::unique_ptr<server::TableSession> session, std::string_view account) {
  const Status probed = session->ProbeReading();
  if (probed.code() == StatusCode::kMissingPrivilege) {
    return Status(StatusCode::kMissingPrivilege,
                  fmt::format("{} lacks SELECT (for --record-checksums)", account))
        .WithHint(fmt::format("GRANT SELECT ON *.* TO {};", account));
  }
  HBK_RETURN_IF_ERROR(probed);
  return std::unique_ptr<TableChecksums>(new TableChecksums(std::move(session)));
}

Result<std::vector<manifest::TableChecksum>> TableChecksums::Take(report::Reporter& reporter,
                                                                  const std::stop_token& stop) {
  session_->SetWait({.stop = stop});
  HBK_ASSIGN_OR_RETURN(const auto tables, session_->ListTables());
  std::vector<manifest::TableChecksum> taken;
  uint64_t left_out = 0;
  for (const server::ListedTable& table : tables) {
    if (table.engine != "InnoDB" || table.is_sequence || IsOfServer(table)) continue;
    HBK_ASSIGN_OR_RETURN(const auto sum, session_->SumInSnapshot(table));
    if (!sum) {
      ++left_out;
      continue;
    }
    taken.push_back({table.database, table.table, sum->row_count, sum->checksum});
  }
  HBK_RETURN_IF_ERROR(session_->EndSnapshot());
  reporter.Info("checksums of tables recorded",
                {{"table_count", std::to_string(taken.size())},
                 {"changed_meanwhile_count", std::to_string(left_out)}});
  return taken;
}

}  // namespace hbk::backup
