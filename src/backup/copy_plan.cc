#include "copy_plan.h"

#include <algorithm>
#include <array>

#include "hbk/base/check.h"

namespace hbk::backup {

namespace {

using datadir::FileKind;

struct PlanRow {
  FileKind kind;
  CopyRule rule;
};

// Which FileKind is copied in which stage. Exceptions by name: RuleOf().
constexpr PlanRow kPlan[] = {
    // The redo log repairs them; DDL is followed under BLOCK_DDL.
    {FileKind::kSystemTablespace, {CopyStage::kStart, CopyStage::kStart}},
    {FileKind::kUndoTablespace, {CopyStage::kStart, CopyStage::kStart}},
    {FileKind::kTablespace, {CopyStage::kStart, CopyStage::kBlockDdl}},
    // Small, many, and changed by DDL only.
    {FileKind::kTablespaceLink, {CopyStage::kStart, CopyStage::kBlockDdl}},
    {FileKind::kDefinition, {CopyStage::kStart, CopyStage::kBlockDdl}},
    // Transactional tables as InnoDB's, with the Aria log; others as MyISAM's.
    {FileKind::kAriaTable, {CopyStage::kStart, CopyStage::kBlockDdl}},
    {FileKind::kAriaControl, {CopyStage::kBlockCommit, CopyStage::kBlockCommit}},
    {FileKind::kAriaLog, {CopyStage::kFlush, CopyStage::kBlockCommit}},
    // In START those that nobody has written to lately, in FLUSH those that are closed.
    {FileKind::kMyisamTable, {CopyStage::kStart, CopyStage::kBlockDdl}},
    {FileKind::kCsvTable, {CopyStage::kStart, CopyStage::kBlockDdl}},
    {FileKind::kArchiveTable, {CopyStage::kStart, CopyStage::kBlockDdl}},
    // Written through memory maps: nothing tells when.
    {FileKind::kMroonga, {CopyStage::kBlockDdl, CopyStage::kBlockDdl}},
    // From a checkpoint that was made under BLOCK_COMMIT.
    {FileKind::kRocksdb, {CopyStage::kEnd, CopyStage::kEnd}},
    {FileKind::kBufferPoolDump, {CopyStage::kEnd, CopyStage::kEnd}},
    {FileKind::kUpgradeMarker, {CopyStage::kEnd, CopyStage::kEnd}},
    {FileKind::kRedoLog, {CopyStage::kNever, CopyStage::kNever}},   // the tailer writes it
    {FileKind::kMetadata, {CopyStage::kNever, CopyStage::kNever}},  // of another backup tool
};

constexpr std::string_view kSystemDatabase = "mysql/";
constexpr std::array<std::string_view, 2> kLogTables = {"general_log", "slow_log"};
constexpr std::array<std::string_view, 3> kStatisticsTables = {"table_stats", "column_stats",
                                                               "index_stats"};

// True for "mysql/<table>.<extension>", with any extension.
bool IsOneOf(std::string_view name, const auto& tables) {
  if (!name.starts_with(kSystemDatabase)) return false;
  name.remove_prefix(kSystemDatabase.size());
  const std::string_view table = name.substr(0, name.rfind('.'));
  return std::find(tables.begin(), tables.end(), table) != tables.end();
}

}  // namespace

std::string_view CopyStageName(CopyStage stage) {
  switch (stage) {
    case CopyStage::kStart: return "start";
    case CopyStage::kFlush: return "flush";
    case CopyStage::kBlockDdl: return "block-ddl";
    case CopyStage::kBlockCommit: return "block-commit";
    case CopyStage::kEnd: return "end";
    case CopyStage::kNever: return "never";
  }
  return "";
}

CopyRule RuleOf(datadir::FileKind kind, std::string_view name) {
  for (const PlanRow& row : kPlan) {
    if (row.kind != kind) continue;
    const bool is_data = kind == FileKind::kAriaTable || kind == FileKind::kMyisamTable ||
                         kind == FileKind::kCsvTable;
    if (is_data && (IsLogTableFile(name) || IsStatisticsTableFile(name)))
      return {CopyStage::kBlockCommit, CopyStage::kBlockCommit};
    return row.rule;
  }
  HBK_CHECK(false);  // The test walks all kinds.
}

bool IsLogTableFile(std::string_view name) {
  return IsOneOf(name, kLogTables);
}

bool IsStatisticsTableFile(std::string_view name) {
  return IsOneOf(name, kStatisticsTables);
}

}  // namespace hbk::backup
