#include "ddl_watch.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "hbk/datadir/ddl_log.h"
#include "hbk/io/file_identity.h"

namespace hbk::backup {

namespace {

using datadir::DdlLogEntry;

constexpr uint64_t kLogBytesMax = 256 << 20;

// After these the files tell: another name, or another inode.
bool IsSeenInFiles(const DdlLogEntry& entry) {
  constexpr std::array<std::string_view, 3> kOperations = {"CREATE", "DROP", "RENAME"};
  return std::find(kOperations.begin(), kOperations.end(), entry.operation) != kOperations.end();
}

bool IsTable(const DdlLogEntry& entry) {
  return entry.engine != "VIEW" && entry.engine != "TRIGGER" && entry.engine != "DATABASE";
}

// Whether tables exist in the end, as far as the list knows them.
std::map<std::string, bool> LastStates(const datadir::DdlLog& log) {
  std::map<std::string, bool> exists;
  for (const DdlLogEntry& entry : log.entries) {
    // Of some ARCHIVE tables there is no definition; EXCHANGE and CONVERT of partitions are not
    // told apart from other changes.
    if (!IsTable(entry) || entry.engine == "ARCHIVE" || entry.engine == "UNKNOWN") continue;
    if (entry.operation == "CREATE") exists[entry.table] = true;
    if (entry.operation == "DROP") exists[entry.table] = false;
    if (entry.operation == "ALTER") exists.erase(entry.table);
    if (entry.operation == "RENAME") {
      exists[entry.table] = false;
      exists[entry.new_table] = true;
    }
  }
  return exists;
}

}  // namespace

void DdlWatch::Begin() {
  begun_ns_ = io::FileClockNow();
}

DdlFindings DdlWatch::Read(const datadir::Scan& scan) const {
  DdlFindings findings;
  const std::string path = io::JoinPath(datadir_, datadir::kDdlLogName);
  const auto info = fs_.Stat(path, /*follow=*/false);
  if (!info.ok() || info->type != io::FileType::kRegular) return findings;
  // Left by an earlier backup, of a server that does not keep it any more.
  const io::FileIdentity identity = io::IdentityOf(*info);
  if (std::max(identity.mtime_ns, identity.ctime_ns) + io::TimeGranularity(identity) < begun_ns_)
    return findings;
  const auto text = io::ReadFile(fs_, path, kLogBytesMax);
  if (!text.ok()) return findings;
  const datadir::DdlLog log = datadir::ParseDdlLog(*text);
  findings.is_known = log.is_complete;
  findings.statements = log.entries.size();
  for (const DdlLogEntry& entry : log.entries) {
    if (!IsTable(entry) || IsSeenInFiles(entry)) continue;
    findings.changed_tables.insert(entry.table);
    if (!entry.new_table.empty()) findings.changed_tables.insert(entry.new_table);
  }
  if (!log.is_complete) return findings;
  const auto is_defined = [&scan](const std::string& table) {
    return datadir::HasFile(scan, table + ".frm");
  };
  for (const auto& [table, exists] : LastStates(log))
    if (exists != is_defined(table)) ++findings.contradictions;
  return findings;
}

}  // namespace hbk::backup
