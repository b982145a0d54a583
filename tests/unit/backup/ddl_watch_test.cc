#include "ddl_watch.h"

#include <string>
#include <utility>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::MemFileSystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Line(const std::string& operation, const std::string& engine, const std::string& table,
                 const std::string& new_table = "") {
  std::string line =
      "2026-11-26 20:15:21\t" + operation + "\t" + engine + "\t0\td\t" + table + "\tid\t";
  if (new_table.empty()) return line + "\t0\t\t\t\n";
  return line + engine + "\t0\td\t" + new_table + "\tid\n";
}

// Files in memory have times long past, so the watch begins before them only if it never began.
class DdlWatchTest : public ::testing::Test {
 protected:
  DdlFindings Read(const std::string& log) {
    fs_.PutFile("/data/ddl.log", log);
    return watch_.Read(scan_);
  }
  void Define(const std::string& table) {
    datadir::DataFile file;
    file.name = "d/" + table + ".frm";
    scan_.files.push_back(std::move(file));
  }

  MemFileSystem fs_;
  datadir::Scan scan_;
  DdlWatch watch_{fs_, "/data"};
};

TEST_F(DdlWatchTest, NamesTablesWhoseFilesDoNotTell) {
  const DdlFindings findings =
      Read(Line("CREATE", "Aria", "a") + Line("BULK_INSERT", "Aria", "a") +
           Line("repair", "MyISAM", "m") + Line("RENAME", "MyISAM", "x", "y") +
           Line("EXCHANGE_PARTITION", "MyISAM", "p", "q") + Line("ALTER", "VIEW", "v"));

  EXPECT_TRUE(findings.is_known);
  EXPECT_EQ(findings.statements, 6U);
  EXPECT_THAT(findings.changed_tables, ElementsAre("d/a", "d/m", "d/p", "d/q"));
}

TEST_F(DdlWatchTest, CountsWhatContradictsTheFiles) {
  Define("stays");
  Define("gone");
  const DdlFindings findings =
      Read(Line("CREATE", "InnoDB", "stays") + Line("CREATE", "InnoDB", "missing") +
           Line("DROP", "InnoDB", "gone"));
  EXPECT_EQ(findings.contradictions, 2U);
}

TEST_F(DdlWatchTest, ADefinitionThatIsSetAsideIsThere) {
  Define("stays");
  scan_.aside["d"].swap(scan_.files);
  EXPECT_EQ(Read(Line("CREATE", "InnoDB", "stays")).contradictions, 0U);
}

TEST_F(DdlWatchTest, ARenameMovesATable) {
  Define("new");
  const DdlFindings findings =
      Read(Line("CREATE", "InnoDB", "old") + Line("RENAME", "InnoDB", "old", "new"));
  EXPECT_EQ(findings.contradictions, 0U);
}

TEST_F(DdlWatchTest, ACutListIsNotKnownButStillNamesTables) {
  std::string log = Line("BULK_INSERT", "Aria", "a") + Line("CREATE", "InnoDB", "missing");
  log.pop_back();
  const DdlFindings findings = Read(log);
  EXPECT_FALSE(findings.is_known);
  EXPECT_THAT(findings.changed_tables, ElementsAre("d/a"));
  EXPECT_EQ(findings.contradictions, 0U);
}

TEST_F(DdlWatchTest, TheListOfAnEarlierBackupSaysNothing) {
  watch_.Begin();
  EXPECT_FALSE(Read(Line("repair", "MyISAM", "m")).is_known);
  EXPECT_THAT(Read(Line("repair", "MyISAM", "m")).changed_tables, IsEmpty());
}

TEST_F(DdlWatchTest, NoListIsNoError) {
  EXPECT_FALSE(watch_.Read(scan_).is_known);
}

}  // namespace
}  // namespace hbk::backup
