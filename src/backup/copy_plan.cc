#include "copy_plan.h"

#include <algorithm>
#include <array>

#include "hbk/base/check.h"

namespace hbk::backup {

namespace {

using datadir::FileKind;

struct PlanRow {
  FileKind kind;
  CopyStage stage;
};

// Which FileKind is copied in which stage. Exceptions by name: StageOf().
constexpr PlanRow kPlan[] = {
    {FileKind::kSystemTablespace, CopyStage::kStart},
    {FileKind::kUndoTablespace, CopyStage::kStart},
    {FileKind::kTablespace, CopyStage::kStart},
    {FileKind::kTablespaceLink, CopyStage::kBlockDdl},
    {FileKind::kDefinition, CopyStage::kBlockDdl},
    {FileKind::kAriaTable, CopyStage::kBlockDdl},
    {FileKind::kAriaControl, CopyStage::kBlockCommit},  // as read before START, see aria_log.h
    {FileKind::kAriaLog, CopyStage::kBlockCommit},      // after the tables that it repairs
    {FileKind::kMyisamTable, CopyStage::kBlockDdl},
    {FileKind::kCsvTable, CopyStage::kBlockDdl},
    {FileKind::kArchiveTable, CopyStage::kBlockDdl},
    {FileKind::kMroonga, CopyStage::kBlockDdl},
    {FileKind::kRocksdb, CopyStage::kEnd},  // from a checkpoint made under BLOCK_COMMIT
    {FileKind::kBufferPoolDump, CopyStage::kEnd},
    {FileKind::kUpgradeMarker, CopyStage::kEnd},
    {FileKind::kRedoLog, CopyStage::kNever},   // the tailer writes it
    {FileKind::kMetadata, CopyStage::kNever},  // of another backup tool
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
    case CopyStage::kBlockDdl: return "block-ddl";
    case CopyStage::kBlockCommit: return "block-commit";
    case CopyStage::kEnd: return "end";
    case CopyStage::kNever: return "never";
  }
  return "";
}

CopyStage StageOf(datadir::FileKind kind, std::string_view name) {
  for (const PlanRow& row : kPlan) {
    if (row.kind != kind) continue;
    const bool is_data = kind == FileKind::kAriaTable || kind == FileKind::kMyisamTable ||
                         kind == FileKind::kCsvTable;
    if (is_data && (IsLogTableFile(name) || IsStatisticsTableFile(name)))
      return CopyStage::kBlockCommit;
    return row.stage;
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
