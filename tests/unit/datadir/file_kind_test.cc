#include "hbk/datadir/file_kind.h"

#include <string>

#include <gtest/gtest.h>

namespace hbk::datadir {
namespace {

struct Expected {
  std::string_view name;
  std::optional<FileKind> kind;
};

TEST(FileKindTest, DatabaseFilesAreKnownByExtension) {
  const Expected table[] = {
      {"t.ibd", FileKind::kTablespace},
      {"t#P#p0.ibd", FileKind::kTablespace},
      {"t#P#p0#SP#s1.ibd", FileKind::kTablespace},
      {"t1#i#00.ibd", FileKind::kTablespace},
      {"FTS_0000000000000014_CONFIG.ibd", FileKind::kTablespace},
      {"t@0023sql.ibd", FileKind::kTablespace},
      {"@0023sql@002d1.ibd", FileKind::kTablespace},  // `#sql-1`
      {"con@@@.ibd", FileKind::kTablespace},
      {"@002e@002e.frm", FileKind::kDefinition},  // `..`
      {"t#p#p0#sp#s0.ibd", FileKind::kTablespace},
      {"part@0020@00231#P#P@0023@0p.isl", FileKind::kTablespaceLink},
      {"t.isl", FileKind::kTablespaceLink},
      {"t.frm", FileKind::kDefinition},
      {"t.par", FileKind::kDefinition},
      {"t.TRG", FileKind::kDefinition},
      {"trigger.TRN", FileKind::kDefinition},
      {"t.MRG", FileKind::kDefinition},
      {"db.opt", FileKind::kDefinition},
      {"t.MAI", FileKind::kAriaTable},
      {"t.MAD", FileKind::kAriaTable},
      {"t.MYI", FileKind::kMyisamTable},
      {"t.MYD", FileKind::kMyisamTable},
      {"t1#i#00.MYD", FileKind::kMyisamTable},
      {"t.CSV", FileKind::kCsvTable},
      {"t.CSM", FileKind::kCsvTable},
      {"t.ARZ", FileKind::kArchiveTable},
      {"t.ARM", FileKind::kArchiveTable},
  };

  for (const Expected& row : table)
    EXPECT_EQ(ClassifyDatabaseFile(row.name), row.kind) << row.name;
}

TEST(FileKindTest, OtherFilesOfADatabaseNeverBelongIntoABackup) {
  for (const std::string_view name :
       {"t.BAK",  "t.TMD",    "t.TMM", "t.cnf",   "t.pem",  "t.sdi",  "t.old", "t.OLD", "t.hnt",
        "t.dnx",  "t.qp",     "t.sql", "t.txt",   "t.new",  "t.del",  "t.ren", "t.cfg", "t.ibt",
        "t.opt",  "x.db.opt", "t",     ".frm",    ".t.ibd", "",       "t.IBD", "t.myd", "t.ibd.",
        "t.ibd~", "core",     "t.csv", "t.delta", "t.meta", "ibdata1"}) {
    EXPECT_EQ(ClassifyDatabaseFile(name), std::nullopt) << name;
  }
}

TEST(FileKindTest, IntermediateFilesOfTheServerNeverBelongIntoABackup) {
  for (const std::string_view name :
       {"#sql-alter-1a-2b.frm", "#sql-alter-1a-2b.ibd", "#sql-ib21.ibd", "#sql-backup-1-2.ibd",
        "#sql-create-1-2.MAI", "#sql-exchange-1-2.frm", "#sql-temptable-1-2-3.MAD", "#sql.MYD"}) {
    EXPECT_EQ(ClassifyDatabaseFile(name), std::nullopt) << name;
  }
}

TEST(FileKindTest, FilesOfMyrocksLieInTheirDirectory) {
  for (const std::string_view name : {"#rocksdb/CURRENT", "#rocksdb/000012.sst"})
    EXPECT_TRUE(IsRocksdbFileName(name)) << name;
  for (const std::string_view name :
       {"#rocksdb", "#rocksdb/", "#rocksdb/a/b", "#rocksdb/..", "#rocksdbx/CURRENT", "x/CURRENT"})
    EXPECT_FALSE(IsRocksdbFileName(name)) << name;
  EXPECT_EQ(FileKindByName("rocksdb"), FileKind::kRocksdb);
}

TEST(FileKindTest, RootFilesAreKnownByName) {
  const Expected table[] = {
      {"undo001", FileKind::kUndoTablespace},
      {"undo127", FileKind::kUndoTablespace},
      {"aria_log_control", FileKind::kAriaControl},
      {"aria_log.00000001", FileKind::kAriaLog},
      {"aria_log.99999999", FileKind::kAriaLog},
      {"shop.mrn", FileKind::kMroonga},
      {"shop.mrn.0000100", FileKind::kMroonga},
      {"ib_buffer_pool", FileKind::kBufferPoolDump},
      {"mysql_upgrade_info", FileKind::kUpgradeMarker},
      {"mariadb_upgrade_info", FileKind::kUpgradeMarker},
      {"ib_logfile0", FileKind::kRedoLog},
      {"xtrabackup_checkpoints", FileKind::kMetadata},
      {"xtrabackup_info", FileKind::kMetadata},
      {"mariadb_backup_binlog_info", FileKind::kMetadata},
      {"backup-my.cnf", FileKind::kMetadata},
      {"donor_galera_info", FileKind::kMetadata},
      {"hbk_manifest.json", FileKind::kMetadata},
      {"hbk_incomplete", FileKind::kMetadata},
  };

  for (const Expected& row : table)
    EXPECT_EQ(ClassifyRootFile(row.name), row.kind) << row.name;
}

TEST(FileKindTest, OtherRootFilesNeverBelongIntoABackup) {
  for (const std::string_view name : {"undo000",
                                      "undo128",
                                      "undo1",
                                      "undo0001",
                                      "undo",
                                      "aria_log",
                                      "aria_log.1",
                                      "aria_log.0000000a",
                                      "ib_logfile1",
                                      "ib_logfile101",
                                      "ibtmp1",
                                      "#ib_16384_0.dblwr",
                                      "tc.log",
                                      "ddl.log",
                                      "ddl_recovery.log",
                                      "binlog.000001",
                                      "binlog.index",
                                      "relay-bin.000001",
                                      "master.info",
                                      "relay-log.info",
                                      "multi-master.info",
                                      "auto.cnf",
                                      "galera.cache",
                                      "gvwstate.dat",
                                      "grastate.dat",
                                      "server.pid",
                                      "mysqld.sock",
                                      "ca-key.pem",
                                      "core.1234",
                                      "host.err",
                                      "t.frm",
                                      "t.ibd",
                                      ".mrn",
                                      ""}) {
    EXPECT_EQ(ClassifyRootFile(name), std::nullopt) << name;
  }
}

TEST(FileKindTest, NamesOfKindsReadBack) {
  for (int i = 0; i <= static_cast<int>(FileKind::kMetadata); ++i) {
    const auto kind = static_cast<FileKind>(i);
    EXPECT_EQ(FileKindByName(FileKindName(kind)), kind) << FileKindName(kind);
  }
  EXPECT_EQ(FileKindByName("unknown"), std::nullopt);
}

TEST(FileKindTest, SomeDirectoriesAreNoDatabases) {
  EXPECT_TRUE(IsDatabaseDirectoryName("shop"));
  EXPECT_TRUE(IsDatabaseDirectoryName("a@0020b"));
  for (const std::string_view name : {"", "lost+found", ".sst", "#rocksdb", "#innodb_temp"})
    EXPECT_FALSE(IsDatabaseDirectoryName(name)) << name;
}

TEST(FileKindTest, SafeNamesStayInTheirDirectory) {
  for (const std::string& name :
       {std::string("a"), std::string("t#P#p0.ibd"), std::string("..a"), std::string("\xC3\xA9"),
        std::string("\xF0\x9F\x98\x80"), std::string(255, 'x')}) {
    EXPECT_TRUE(IsSafeNameComponent(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/"),
        std::string("a\0b", 3), std::string("a\nb"), std::string("\x7F"), std::string("\xFF"),
        std::string("\xC0\xAF"), std::string("\xED\xA0\x80"), std::string("\xE2\x82"),
        std::string("\xF4\x90\x80\x80"), std::string(256, 'x')}) {
    EXPECT_FALSE(IsSafeNameComponent(name)) << name;
  }
}

}  // namespace
}  // namespace hbk::datadir
