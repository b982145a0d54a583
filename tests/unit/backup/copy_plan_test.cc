#include "copy_plan.h"

#include <gtest/gtest.h>

namespace hbk::backup {
namespace {

using datadir::FileKind;

TEST(CopyPlanTest, EveryKindHasItsStage) {
  const struct {
    FileKind kind;
    const char* name;
    CopyStage stage;
  } rows[] = {
      {FileKind::kSystemTablespace, "ibdata1", CopyStage::kStart},
      {FileKind::kUndoTablespace, "undo001", CopyStage::kStart},
      {FileKind::kTablespace, "d/t.ibd", CopyStage::kStart},
      {FileKind::kTablespaceLink, "d/t.isl", CopyStage::kBlockDdl},
      {FileKind::kDefinition, "d/t.frm", CopyStage::kBlockDdl},
      {FileKind::kAriaTable, "d/t.MAI", CopyStage::kBlockDdl},
      {FileKind::kAriaTable, "mysql/proc.MAD", CopyStage::kBlockDdl},
      {FileKind::kAriaControl, "aria_log_control", CopyStage::kBlockCommit},
      {FileKind::kAriaLog, "aria_log.00000001", CopyStage::kBlockCommit},
      {FileKind::kMyisamTable, "d/t.MYI", CopyStage::kBlockDdl},
      {FileKind::kCsvTable, "d/t.CSV", CopyStage::kBlockDdl},
      {FileKind::kArchiveTable, "d/t.ARZ", CopyStage::kBlockDdl},
      {FileKind::kMroonga, "d.mrn", CopyStage::kBlockDdl},
      {FileKind::kRocksdb, "#rocksdb/CURRENT", CopyStage::kEnd},
      {FileKind::kBufferPoolDump, "ib_buffer_pool", CopyStage::kEnd},
      {FileKind::kUpgradeMarker, "mysql_upgrade_info", CopyStage::kEnd},
      {FileKind::kRedoLog, "ib_logfile0", CopyStage::kNever},
      {FileKind::kMetadata, "xtrabackup_info", CopyStage::kNever},
  };
  for (const auto& row : rows)
    EXPECT_EQ(StageOf(row.kind, row.name), row.stage) << row.name;
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
    EXPECT_EQ(StageOf(row.kind, row.name), CopyStage::kBlockCommit) << row.name;
}

TEST(CopyPlanTest, TheirDefinitionsDoNot) {
  EXPECT_EQ(StageOf(FileKind::kDefinition, "mysql/general_log.frm"), CopyStage::kBlockDdl);
}

TEST(CopyPlanTest, SameTableNamesOfOtherDatabasesAreOrdinary) {
  EXPECT_FALSE(IsLogTableFile("d/general_log.CSV"));
  EXPECT_FALSE(IsStatisticsTableFile("mysql/table_stats_old.MAI"));
  EXPECT_FALSE(IsStatisticsTableFile("mysqlx/table_stats.MAI"));
}

TEST(CopyPlanTest, StageNamesAreThoseOfTheManifest) {
  EXPECT_EQ(CopyStageName(CopyStage::kStart), "start");
  EXPECT_EQ(CopyStageName(CopyStage::kBlockDdl), "block-ddl");
  EXPECT_EQ(CopyStageName(CopyStage::kBlockCommit), "block-commit");
  EXPECT_EQ(CopyStageName(CopyStage::kEnd), "end");
}

}  // namespace
}  // namespace hbk::backup
