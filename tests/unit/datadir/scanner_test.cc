#include "hbk/datadir/scanner.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <gmock/gmock.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::datadir {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Names(const Scan& scan) {
  std::vector<std::string> names;
  for (const DataFile& file : scan.files)
    names.push_back(file.name);
  return names;
}

const DataFile* Find(const Scan& scan, std::string_view name) {
  const auto it = std::find_if(scan.files.begin(), scan.files.end(),
                               [&](const DataFile& file) { return file.name == name; });
  return it == scan.files.end() ? nullptr : &*it;
}

class ScanDatadirTest : public ::testing::Test {
 protected:
  ScanDatadirTest() {
    options_.datadir = "/d";
    fs_.PutFile("/d/ibdata1", "system");
  }

  Result<Scan> Run(Scan before = {}) {
    HBK_ASSIGN_OR_RETURN(Layout layout, MakeLayout(options_));
    layout.SetHasRocksdb(has_rocksdb_);
    return ScanDatadir(fs_, layout, scan_options_, std::move(before));
  }

  // Of a second scan, of what was looked at: the new size of shop/t.frm and of shop/t.MYD, which
  // have grown meanwhile in place.
  std::pair<uint64_t, uint64_t> SizesOfSecondScan() {
    for (const char* name : {"/d/shop/t.frm", "/d/shop/t.MYD"})
      fs_.PutFile(name, "old");
    if (has_link_) {
      fs_.PutFile("/ext/shop/u.ibd", "x");
      fs_.PutFile("/d/shop/u.isl", "/ext/shop/u.ibd\n");
    }
    scan_options_.needs_no_look = [](const DataFile& file) {
      return file.kind == FileKind::kDefinition;
    };
    auto first = Run();
    EXPECT_THAT(first, IsOk());
    for (const char* name : {"/d/shop/t.frm", "/d/shop/t.MYD"}) {
      const auto file = fs_.Open(name, {.write = true});
      EXPECT_THAT((*file)->WriteAt(3, AsBytes(std::string(", new"))), IsOk());
    }
    if (between_) between_();
    const auto second = Run(std::move(first).value());
    EXPECT_THAT(second, IsOk());
    EXPECT_THAT(second->databases, ElementsAre("shop"));
    return {Find(*second, "shop/t.frm")->info.size, Find(*second, "shop/t.MYD")->info.size};
  }

  MemFileSystem fs_;
  LayoutOptions options_;
  ScanOptions scan_options_;
  bool has_rocksdb_ = false;
  bool has_link_ = false;
  std::function<void()> between_;
};

TEST_F(ScanDatadirTest, FilesOfMyrocksAreNotListedNorAreItsDirectoriesDatabases) {
  has_rocksdb_ = true;
  options_.rocksdb_datadir = "rocks";
  options_.rocksdb_wal_dir = "/wal";
  for (const char* name : {"/d/rocks/CURRENT", "/d/rocks/undo001", "/wal/1.log"})
    fs_.PutFile(name, "x");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()), ElementsAre("ibdata1"));
  EXPECT_THAT(scan.value().databases, IsEmpty());
  EXPECT_THAT(scan.value().warnings, IsEmpty());
}

TEST_F(ScanDatadirTest, DataOfMyrocksThatNoServerHasOpenAreWarnedOf) {
  fs_.PutFile("/d/#rocksdb/CURRENT", "x");
  const auto scan = Run();
  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(scan.value().warnings, ElementsAre(HasSubstr("/d/#rocksdb")));
}

TEST_F(ScanDatadirTest, ListsWhatBelongsIntoABackup) {
  for (const char* name :
       {"undo001", "aria_log_control", "aria_log.00000001", "ib_buffer_pool", "mysql_upgrade_info",
        "shop.mrn", "shop/db.opt", "shop/t.frm", "shop/t.ibd", "mysql/user.MAD"}) {
    fs_.PutFile(std::string("/d/") + name, "x");
  }
  for (const char* name : {"ib_logfile0", "ibtmp1", "binlog.000001", "tc.log", "xtrabackup_info",
                           "ca.pem", "shop/#sql-alter-1-2.ibd", "shop/t.txt", "shop/sub/t.ibd",
                           ".sst/t.ibd", "lost+found/t.ibd", "#innodb_temp/temp_1.ibt"}) {
    fs_.PutFile(std::string("/d/") + name, "x");
  }

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()),
              ElementsAre("aria_log.00000001", "aria_log_control", "ib_buffer_pool", "ibdata1",
                          "mysql/user.MAD", "mysql_upgrade_info", "shop.mrn", "shop/db.opt",
                          "shop/t.frm", "shop/t.ibd", "undo001"));
  EXPECT_THAT(scan.value().databases, ElementsAre("mysql", "shop"));
  EXPECT_THAT(scan.value().warnings, IsEmpty());
}

TEST_F(ScanDatadirTest, EmptyDatabasesAreListed) {
  fs_.PutDirectory("/d/empty");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(scan.value().databases, ElementsAre("empty"));
}

TEST_F(ScanDatadirTest, IgnoredDirectoriesAreNoDatabases) {
  fs_.PutFile("/d/backup/t.ibd", "x");
  scan_options_.ignore_db_dirs = {"backup"};

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(scan.value().databases, IsEmpty());
  EXPECT_THAT(Names(scan.value()), ElementsAre("ibdata1"));
}

TEST_F(ScanDatadirTest, PartsAreFoundWhereTheLayoutSays) {
  fs_.PutFile("/innodb/sub/ibdata1", "system");
  fs_.PutFile("/innodb/ibdata2", "system");
  fs_.PutFile("/d/undo/undo001", "x");
  fs_.PutFile("/d/undo002", "stale");
  fs_.PutFile("/aria/aria_log_control", "x");
  fs_.PutFile("/d/aria_log_control", "stale");
  fs_.PutFile("/aria/shop.mrn", "not here");
  fs_.PutFile("/aria/shop/t.ibd", "not here");
  options_.innodb_data_home_dir = "/innodb";
  options_.innodb_data_file_path = "sub/ibdata1:12M;ibdata2:12M:autoextend";
  options_.innodb_undo_directory = "undo";
  options_.aria_log_dir_path = "/aria";

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()),
              ElementsAre("aria_log_control", "ibdata1", "ibdata2", "undo001"));
  EXPECT_EQ(Find(scan.value(), "ibdata1")->source_path, "/innodb/sub/ibdata1");
  EXPECT_EQ(Find(scan.value(), "aria_log_control")->source_path, "/aria/aria_log_control");
  EXPECT_EQ(Find(scan.value(), "undo001")->source_path, "/d/undo/undo001");
  EXPECT_THAT(scan.value().databases, IsEmpty());
}

TEST_F(ScanDatadirTest, AMissingSystemFileIsAnError) {
  options_.innodb_data_file_path = "ibdata9:12M";

  EXPECT_THAT(Run(), StatusIs(StatusCode::kNotFound, HasSubstr("/d/ibdata9")));
}

TEST_F(ScanDatadirTest, DataDirectoryTablesAreFollowed) {
  fs_.PutFile("/ext/shop/t.ibd", "twelve bytes");
  fs_.PutFile("/d/shop/t.isl", "/ext/shop/t.ibd\n");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()), ElementsAre("ibdata1", "shop/t.ibd", "shop/t.isl"));
  const DataFile* table = Find(scan.value(), "shop/t.ibd");
  EXPECT_EQ(table->source_path, "/ext/shop/t.ibd");
  EXPECT_EQ(table->kind, FileKind::kTablespace);
  EXPECT_EQ(table->info.size, 12U);
  EXPECT_EQ(Find(scan.value(), "shop/t.isl")->source_path, "/d/shop/t.isl");
}

TEST_F(ScanDatadirTest, FilesOfADirectoryThatIsAsItWasAreLookedAtWhereTheyMayHaveChanged) {
  EXPECT_EQ(SizesOfSecondScan(), std::pair(3UL, 8UL));
}

TEST_F(ScanDatadirTest, ADirectoryInWhichAFileCameIsListedAnew) {
  between_ = [this] {
    fs_.PutFile("/d/shop/u.frm", "u");
  };
  EXPECT_EQ(SizesOfSecondScan(), std::pair(8UL, 8UL));
}

TEST_F(ScanDatadirTest, ADirectoryInWhichAFileGotAnotherNameIsListedAnew) {
  fs_.PutFile("/d/shop/u.frm", "u");
  between_ = [this] {
    EXPECT_THAT(fs_.Rename("/d/shop/u.frm", "/d/shop/v.frm"), IsOk());
  };
  EXPECT_EQ(SizesOfSecondScan(), std::pair(8UL, 8UL));
}

TEST_F(ScanDatadirTest, ADirectoryThatWasReplacedIsListedAnew) {
  between_ = [this] {
    EXPECT_THAT(fs_.Rename("/d/shop", "/d/old"), IsOk());
    for (const char* name : {"/d/shop/t.frm", "/d/shop/t.MYD"})
      fs_.PutFile(name, "replaced");
    EXPECT_THAT(fs_.Rename("/d/old", "/old"), IsOk());
  };
  EXPECT_EQ(SizesOfSecondScan(), std::pair(8UL, 8UL));
}

// What lies elsewhere can be replaced without a trace in the directory.
TEST_F(ScanDatadirTest, ADirectoryWithLinksIsAlwaysListedAnew) {
  has_link_ = true;
  EXPECT_EQ(SizesOfSecondScan(), std::pair(8UL, 8UL));
}

TEST_F(ScanDatadirTest, WhereTimesAreNotKeptAllIsListedAnew) {
  fs_.SetKeepsFileTimes(false);
  EXPECT_EQ(SizesOfSecondScan(), std::pair(8UL, 8UL));
}

// What comes at once may have the same time.
TEST_F(ScanDatadirTest, ADirectoryInWhichAFileCameJustNowIsNotSettled) {
  const hbk::testing::TemporaryDirectory dir;
  io::FileSystem& fs = io::PosixFileSystem();
  ASSERT_THAT(io::WriteNewFile(fs, dir.path() + "/ibdata1", "x", 0600), IsOk());
  ASSERT_THAT(fs.MakeDirectory(dir.path() + "/shop", 0700), IsOk());
  options_.datadir = dir.path();
  const auto layout = MakeLayout(options_);
  ASSERT_THAT(layout, IsOk());

  const auto scan = ScanDatadir(fs, *layout, {});

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(scan->databases, ElementsAre("shop"));
  EXPECT_THAT(scan->settled, IsEmpty());
}

TEST_F(ScanDatadirTest, AFileThatVanishesFromADirectoryThatIsAsItWasIsLeftOut) {
  // Only a directory whose times lie can be like that.
  fs_.PutFile("/d/shop/t.MYD", "x");
  auto first = Run();
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->settled.count("shop"), 1U);
  first->files.push_back({.name = "shop/u.MYD",
                          .source_path = "/d/shop/u.MYD",
                          .kind = FileKind::kMyisamTable,
                          .info = first->files.back().info});
  scan_options_.needs_no_look = [](const DataFile& file) {
    return file.kind == FileKind::kDefinition;
  };

  const auto second = Run(std::move(first).value());

  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(Names(*second), ElementsAre("ibdata1", "shop/t.MYD"));
}

// Of the files of two databases of which one changes in its directory: shop/t.frm and bar/t.frm are
// set aside.
class ScanAsideTest : public ScanDatadirTest {
 protected:
  ScanAsideTest() {
    for (const char* name : {"/d/shop/t.frm", "/d/shop/t.MYD", "/d/bar/t.frm"})
      fs_.PutFile(name, "old");
    scan_options_.needs_no_look = [](const DataFile&) {
      return false;
    };
    auto scan = Run();
    EXPECT_THAT(scan, IsOk());
    scan_ = std::move(scan).value();
    SetAside(scan_, [](const DataFile& file) { return file.name.ends_with("t.frm"); });
  }

  static std::vector<std::string> AsideOf(const Scan& scan, const std::string& database) {
    Scan aside;
    if (scan.aside.contains(database)) aside.files = scan.aside.at(database);
    return Names(aside);
  }

  Scan scan_;
};

TEST_F(ScanAsideTest, FilesSetAsideAreStillKnown) {
  EXPECT_THAT(Names(scan_), ElementsAre("ibdata1", "shop/t.MYD"));
  EXPECT_THAT(AsideOf(scan_, "shop"), ElementsAre("shop/t.frm"));
  EXPECT_TRUE(HasFile(scan_, "shop/t.frm"));
  EXPECT_TRUE(HasFile(scan_, "shop/t.MYD"));
  EXPECT_FALSE(HasFile(scan_, "shop/u.frm"));
  EXPECT_FALSE(HasFile(scan_, "other/t.frm"));

  BringBack(scan_, "shop");
  EXPECT_THAT(Names(scan_), ElementsAre("ibdata1", "shop/t.MYD", "shop/t.frm"));
  EXPECT_THAT(AsideOf(scan_, "bar"), ElementsAre("bar/t.frm"));
  BringBackAll(scan_);
  EXPECT_THAT(Names(scan_), ElementsAre("bar/t.frm", "ibdata1", "shop/t.MYD", "shop/t.frm"));
  EXPECT_THAT(scan_.aside, IsEmpty());
}

TEST_F(ScanAsideTest, OfADirectoryThatIsNotSettledNothingIsSetAside) {
  BringBackAll(scan_);
  scan_.settled.erase("shop");

  SetAside(scan_, [](const DataFile&) { return true; });

  EXPECT_THAT(Names(scan_), ElementsAre("ibdata1", "shop/t.MYD", "shop/t.frm"));
  EXPECT_THAT(AsideOf(scan_, "bar"), ElementsAre("bar/t.frm"));
}

TEST_F(ScanAsideTest, WhatIsAsideStaysThereAsLongAsItsDirectoryIsAsItWas) {
  fs_.PutFile("/d/shop/u.frm", "u");

  const auto scan = Run(std::move(scan_));

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(*scan), ElementsAre("ibdata1", "shop/t.MYD", "shop/t.frm", "shop/u.frm"));
  EXPECT_FALSE(scan->aside.contains("shop"));
  EXPECT_THAT(AsideOf(*scan, "bar"), ElementsAre("bar/t.frm"));
}

TEST_F(ScanAsideTest, ADroppedDatabaseLeavesNothingAside) {
  ASSERT_THAT(fs_.Rename("/d/bar", "/bar"), IsOk());

  const auto scan = Run(std::move(scan_));

  ASSERT_THAT(scan, IsOk());
  EXPECT_FALSE(scan->aside.contains("bar"));
  EXPECT_FALSE(HasFile(*scan, "bar/t.frm"));
}

TEST_F(ScanDatadirTest, ALinkThatLeadsNowhereIsLeftOutWithAWarning) {
  fs_.PutFile("/d/shop/gone.isl", "/ext/shop/gone.ibd");
  fs_.PutFile("/d/shop/other.isl", "/ext/shop/t.ibd");
  fs_.PutFile("/d/shop/long.isl", std::string(5000, '/'));
  fs_.PutFile("/ext/shop/t.ibd", "x");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()), ElementsAre("ibdata1"));
  EXPECT_EQ(scan.value().warnings.size(), 3U);
}

TEST_F(ScanDatadirTest, TheLinkedTablespaceWinsOverALocalOne) {
  fs_.PutFile("/ext/shop/t.ibd", "x");
  fs_.PutFile("/d/shop/t.isl", "/ext/shop/t.ibd");
  fs_.PutFile("/d/shop/t.ibd", "left behind");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()), ElementsAre("ibdata1", "shop/t.ibd", "shop/t.isl"));
  EXPECT_EQ(Find(scan.value(), "shop/t.ibd")->source_path, "/ext/shop/t.ibd");
  EXPECT_THAT(scan.value().warnings, ElementsAre(HasSubstr("/d/shop/t.ibd")));
}

TEST_F(ScanDatadirTest, SymlinkedTablesAndDatabasesAreFollowed) {
  fs_.PutFile("/ext/m.MYD", "rows");
  fs_.PutSymlink("/mid.MYD", "/ext/m.MYD");
  fs_.PutDirectory("/d/shop");
  fs_.PutSymlink("/d/shop/m.MYD", "../../mid.MYD");
  fs_.PutFile("/disk2/big/t.ibd", "x");
  fs_.PutSymlink("/d/big", "/disk2/big");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()), ElementsAre("big/t.ibd", "ibdata1", "shop/m.MYD"));
  EXPECT_EQ(Find(scan.value(), "shop/m.MYD")->source_path, "/ext/m.MYD");
  EXPECT_EQ(Find(scan.value(), "shop/m.MYD")->info.size, 4U);
  EXPECT_THAT(scan.value().databases, ElementsAre("big", "shop"));
}

TEST_F(ScanDatadirTest, SymlinkedDefinitionsAndDanglingLinksAreLeftOutWithAWarning) {
  fs_.PutFile("/secret", "not ours");
  fs_.PutDirectory("/d/shop");
  fs_.PutSymlink("/d/shop/t.frm", "/secret");
  fs_.PutSymlink("/d/shop/t.MYI", "/nowhere/t.MYI");
  fs_.PutSymlink("/d/lost", "/nowhere");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()), ElementsAre("ibdata1"));
  EXPECT_THAT(scan.value().warnings,
              ElementsAre(HasSubstr("/d/lost"), HasSubstr("t.MYI"), HasSubstr("t.frm")));
}

TEST_F(ScanDatadirTest, NamesThatNoServerMakesAreLeftOutWithAWarning) {
  fs_.PutFile("/d/shop/\xFF.frm", "x");
  fs_.PutFile("/d/sh\nop/t.frm", "x");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()), ElementsAre("ibdata1"));
  EXPECT_EQ(scan.value().warnings.size(), 2U);
}

TEST(ParseTablespaceLinkTest, TheTableMustFit) {
  EXPECT_THAT(ParseTablespaceLink("/ext/shop/t.ibd", "t.isl"),
              IsOkAndHolds(std::string("/ext/shop/t.ibd")));
  EXPECT_THAT(ParseTablespaceLink("/ext/shop/t.ibd \r\n", "t.isl"),
              IsOkAndHolds(std::string("/ext/shop/t.ibd")));
  for (const std::string& text :
       {std::string(), std::string("ext/shop/t.ibd"), std::string("/ext/shop/u.ibd"),
        std::string("/t.ibd"), std::string("/ext/../shop/t.ibd"), std::string("/../t.ibd"),
        std::string("/ext/shop\0/t.ibd", 16), std::string("/ext/shop/t.ibd/"),
        "/" + std::string(5000, 'x') + "/t.ibd"}) {
    EXPECT_THAT(ParseTablespaceLink(text, "t.isl"),
                StatusIs(StatusCode::kCorruption, HasSubstr("")))
        << text;
  }
}

class ScanBackupDirectoryTest : public ::testing::Test {
 protected:
  Result<Scan> Run() {
    HBK_ASSIGN_OR_RETURN(const auto files, ParseDataFilePath("ibdata1:12M;ibdata2:12M:autoextend"));
    return ScanBackupDirectory(fs_, "/b", files);
  }

  MemFileSystem fs_;
};

TEST_F(ScanBackupDirectoryTest, ListsEveryKindAndFollowsNothing) {
  fs_.PutFile("/ext/shop/t.ibd", "the live one");
  for (const char* name : {"ibdata1", "ibdata2", "undo001", "ib_logfile0", "xtrabackup_info",
                           "shop/t.ibd", "shop/t.frm", "notes.txt", "shop/notes.txt"}) {
    fs_.PutFile(std::string("/b/") + name, "x");
  }
  fs_.PutFile("/b/shop/t.isl", "/ext/shop/t.ibd");
  fs_.PutDirectory("/b/empty");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()),
              ElementsAre("ib_logfile0", "ibdata1", "ibdata2", "shop/t.frm", "shop/t.ibd",
                          "shop/t.isl", "undo001", "xtrabackup_info"));
  EXPECT_EQ(Find(scan.value(), "ibdata2")->kind, FileKind::kSystemTablespace);
  EXPECT_EQ(Find(scan.value(), "shop/t.ibd")->source_path, "/b/shop/t.ibd");
  EXPECT_THAT(scan.value().databases, ElementsAre("empty", "shop"));
}

TEST_F(ScanBackupDirectoryTest, EveryFileOfMyrocksIsListed) {
  for (const char* name :
       {"ibdata1", "ibdata2", "#rocksdb/CURRENT", "#rocksdb/000012.sst", "#rocksdb/sub/1.sst"})
    fs_.PutFile(std::string("/b/") + name, "x");

  const auto scan = Run();

  ASSERT_THAT(scan, IsOk());
  EXPECT_THAT(Names(scan.value()),
              ElementsAre("#rocksdb/000012.sst", "#rocksdb/CURRENT", "ibdata1", "ibdata2"));
  EXPECT_EQ(Find(scan.value(), "#rocksdb/CURRENT")->kind, FileKind::kRocksdb);
  EXPECT_THAT(scan.value().databases, IsEmpty());
  EXPECT_THAT(scan.value().warnings, IsEmpty());
}

TEST_F(ScanBackupDirectoryTest, ASymlinkedFileOfMyrocksIsRefused) {
  fs_.PutFile("/b/ibdata1", "x");
  fs_.PutFile("/b/ibdata2", "x");
  fs_.PutDirectory("/b/#rocksdb");
  fs_.PutSymlink("/b/#rocksdb/000012.sst", "/etc/passwd");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("000012.sst: a symlink")));
}

TEST_F(ScanBackupDirectoryTest, ASymlinkIsRefused) {
  fs_.PutFile("/b/ibdata1", "x");
  fs_.PutFile("/b/ibdata2", "x");
  fs_.PutSymlink("/b/shop", "/etc");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/shop: a symlink")));
}

TEST_F(ScanBackupDirectoryTest, ASymlinkedTableIsRefused) {
  fs_.PutFile("/b/ibdata1", "x");
  fs_.PutFile("/b/ibdata2", "x");
  fs_.PutDirectory("/b/shop");
  fs_.PutSymlink("/b/shop/t.MYD", "/etc/passwd");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("t.MYD: a symlink")));
}

TEST_F(ScanBackupDirectoryTest, AMissingSystemFileIsAnError) {
  fs_.PutFile("/b/ibdata1", "x");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kNotFound, HasSubstr("ibdata2")));
}

TEST(ListPendingDdlTest, FindsTheNotesOfMariadbBackup) {
  MemFileSystem fs;
  for (const char* name : {"/b/shop/t.new", "/b/shop/u.ren", "/b/shop/v.del", "/b/shop/w.ibd"})
    fs.PutFile(name, "x");

  EXPECT_THAT(ListPendingDdl(fs, "/b"),
              IsOkAndHolds(ElementsAre("shop/t.new", "shop/u.ren", "shop/v.del")));
}

}  // namespace
}  // namespace hbk::datadir
