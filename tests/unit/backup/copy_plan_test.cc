#include "copy_plan.h"

#include <gtest/gtest.h>

namespace hbk::backup {
namespace {

using datadir::FileKind;

using enum CopyStage;

TEST(CopyPlanTest, EveryKindHasItsStages) {
  const struct {
    FileKind kind;
    const char* name;
    CopyStage first;
    CopyStage settled;
  } rows[] = {
      {FileKind::kSystemTablespace, "ibdata1", kStart, kStart},
      {FileKind::kUndoTablespace, "undo001", kStart, kStart},
      {FileKind::kTablespace, "d/t.ibd", kStart, kBlockDdl},
      {FileKind::kTablespaceLink, "d/t.isl", kStart, kBlockDdl},
      {FileKind::kDefinition, "d/t.frm", kStart, kBlockDdl},
      {FileKind::kAriaTable, "d/t.MAI", kStart, kBlockDdl},
      {FileKind::kAriaTable, "mysql/proc.MAD", kStart, kBlockDdl},
      {FileKind::kAriaControl, "aria_log_control", kBlockCommit, kBlockCommit},
      {FileKind::kAriaLog, "aria_log.00000001", kFlush, kBlockCommit},
      {FileKind::kMyisamTable, "d/t.MYI", kStart, kBlockDdl},
      {FileKind::kCsvTable, "d/t.CSV", kStart, kBlockDdl},
      {FileKind::kArchiveTable, "d/t.ARZ", kStart, kBlockDdl},
      {FileKind::kMroonga, "d.mrn", kBlockDdl, kBlockDdl},
      {FileKind::kRocksdb, "#rocksdb/CURRENT", kEnd, kEnd},
      {FileKind::kBufferPoolDump, "ib_buffer_pool", kEnd, kEnd},
      {FileKind::kUpgradeMarker, "mysql_upgrade_info", kEnd, kEnd},
      {FileKind::kRedoLog, "ib_logfile0", kNever, kNever},
      {FileKind::kMetadata, "xtrabackup_info", kNever, kNever},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(RuleOf(row.kind, row.name).first, row.first) << row.name;
    EXPECT_EQ(RuleOf(row.kind, row.name).settled, row.settled) << row.name;
  }
}

TEST(CopyPlanTest, TablesThatTheServerWritesUntilTheEndComeLast) {
  const struct {
    FileKind kind;
    const char* name;
  } rows[] = {
      {FileKind::kCsvTable, "mysql/general_log.CSV"},
      {FileKind::kCsvTable, "mysql/slow_log.CSM"},
      {FileKind::kMyisamTable, "mysql/slow_log.MYD"},
      {FileKind::kAriaTable, "mysql/table_stats.MAI"},
      {FileKind::kAriaTable, "mysql/column_stats.MAD"},
      {FileKind::kAriaTable, "mysql/index_stats.MAI"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(RuleOf(row.kind, row.name).first, kBlockCommit) << row.name;
}

TEST(CopyPlanTest, TheirDefinitionsDoNot) {
  EXPECT_EQ(RuleOf(FileKind::kDefinition, "mysql/general_log.frm").first, kStart);
}

TEST(CopyPlanTest, SameTableNamesOfOtherDatabasesAreOrdinary) {
  EXPECT_FALSE(IsLogTableFile("d/general_log.CSV"));
  EXPECT_FALSE(IsStatisticsTableFile("mysql/table_stats_old.MAI"));
  EXPECT_FALSE(IsStatisticsTableFile("mysqlx/table_stats.MAI"));
}

TEST(CopyPlanTest, StageNamesAreThoseOfTheManifest) {
  EXPECT_EQ(CopyStageName(CopyStage::kStart), "start");
  EXPECT_EQ(CopyStageName(CopyStage::kFlush), "flush");
  EXPECT_EQ(CopyStageName(CopyStage::kBlockDdl), "block-ddl");
  EXPECT_EQ(CopyStageName(CopyStage::kBlockCommit), "block-commit");
  EXPECT_EQ(CopyStageName(CopyStage::kEnd), "end");
}

}  // namespace
}  // namespace hbk::backup
