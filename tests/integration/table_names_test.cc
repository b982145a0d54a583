// Tables and databases of every kind of name, backed up and restored.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::Contains;
using Words = std::vector<std::string>;

std::string Quoted(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += c;
    quoted += c;
  }
  return quoted + "`";
}

std::string Utf8(uint32_t code_point) {
  std::string text;
  const auto add = [&text](uint32_t byte) {
    text += static_cast<char>(byte);
  };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xC0 | (code_point >> 6));
    add(0x80 | (code_point & 0x3F));
  } else {
    add(0xE0 | (code_point >> 12));
    add(0x80 | ((code_point >> 6) & 0x3F));
    add(0x80 | (code_point & 0x3F));
  }
  return text;
}

std::string Repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i)
    all += text;
  return all;
}

// Device names of DOS, which get "@@@"; names that look like encoded ones or like files of the
// server; the longest names that a file system takes.
Words OddNames() {
  return {"con", "aux", "nul", "prn", "com1", "lpt9", "FTS_x", "#sql", "#sql-1", "t#P#p0",
          "a@0020b", "x@@@", ".frm", "t.ibd", "db.opt", "..", "...", "1", "0e1", Repeated("x", 64),
          // 3 bytes each in the file name, then 5.
          Repeated("\u00e9", 64), Repeated("\u65e5", 50)};
}

Words PunctuationNames() {
  Words names;
  for (char c = ' '; c < 0x7F; ++c) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) continue;
    names.push_back(fmt::format("a{}b", c));
    if (c != ' ' && c != '.') names.emplace_back(1, c);
  }
  return names;
}

// Letters of all ranges that have codes of two characters, and some that have four digits.
Words LetterNames() {
  struct Range {
    uint32_t begin;
    uint32_t end;
  };
  constexpr Range kRanges[] = {
      {0xC0, 0x180},    {0x180, 0x242},   {0x250, 0x2B0},   {0x386, 0x3CF},   {0x3D0, 0x400},
      {0x400, 0x482},   {0x48A, 0x514},   {0x531, 0x557},   {0x561, 0x586},   {0x1E00, 0x1E9C},
      {0x1EA0, 0x1EFA}, {0x1F00, 0x1FFD}, {0x2160, 0x2180}, {0x24B6, 0x24EA}, {0xFF21, 0xFF3B},
      {0xFF41, 0xFF5B}, {0x80, 0xC0},     {0x2020, 0x2040}, {0x3041, 0x3061}, {0xAC00, 0xAC20},
      {0xE000, 0xE010}, {0xFFF0, 0xFFFE}};
  constexpr uint32_t kInOneName = 30;  // five bytes each at most, of 255
  Words names;
  for (const Range& range : kRanges) {
    for (uint32_t first = range.begin; first < range.end; first += kInOneName) {
      std::string name = "n";  // a name must not end in a space
      for (uint32_t c = first; c < std::min(first + kInOneName, range.end); ++c)
        name += Utf8(c);
      names.push_back(name + "n");
    }
  }
  return names;
}

Words Databases() {
  return {"plain",
          "con",
          "a b",
          "x-y.z",
          "q#1",
          "$d",
          "..",
          "\\x/y",
          "`tick\"'",
          "#sql",
          ".hidden",
          "lost@found",
          Repeated("\u00e9", 64),
          "\u65e5\u672c",
          "\u0416",
          "none in it"};
}

class TableNamesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
  }

  void Run(const ServerTree& tree, const Words& more_statements) {
    auto source = Mariadbd::Start({.base_dir = scratch_->Sub("source"), .tree = tree});
    ASSERT_THAT(source, IsOk());
    ASSERT_NO_FATAL_FAILURE(CreateAll(**source, more_statements));
    const Words expected = Sums(**source);
    ASSERT_THAT(
        RunToSuccess(BackupCommand(BackupTool::kHbk, {.socket_path = (*source)->socket_path(),
                                                      .target_dir = scratch_->Sub("backup")}),
                     scratch_->Sub("backup.log")),
        IsOk());
    ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("backup")),
                             scratch_->Sub("prepare.log")),
                IsOk());
    ASSERT_THAT(RunToSuccess(CopyBackCommand(BackupTool::kHbk, scratch_->Sub("backup"),
                                             scratch_->Sub("restored/data")),
                             scratch_->Sub("copy-back.log")),
                IsOk());
    auto restored =
        Mariadbd::Start({.base_dir = scratch_->Sub("restored"), .has_data = true, .tree = tree});
    ASSERT_THAT(restored, IsOk());
    EXPECT_EQ(Sums(**restored), expected);
    EXPECT_GT(expected.size(), 150U);
    ExpectAllOk(**restored);
  }

  static void CreateTable(SqlClient& client, const std::string& name, const std::string& rest) {
    ASSERT_THAT(client.Execute(fmt::format(
                    "CREATE TABLE {} (id INT PRIMARY KEY, v VARCHAR(100)) {}", name, rest)),
                IsOk());
    ASSERT_THAT(
        client.Execute(fmt::format("INSERT INTO {} SELECT seq, seq FROM seq_1_to_20", name)),
        IsOk());
  }

  static void CreateAll(Mariadbd& server, const Words& more_statements) {
    auto connected = server.Connect();
    ASSERT_THAT(connected, IsOk());
    SqlClient& client = *connected;
    ASSERT_THAT(client.Execute("SET NAMES utf8mb4"), IsOk());
    for (const std::string& database : Databases()) {
      ASSERT_THAT(client.Execute("CREATE DATABASE " + Quoted(database)), IsOk());
      ASSERT_THAT(client.Execute("USE " + Quoted(database)), IsOk());
      if (database == "none in it") continue;
      ASSERT_NO_FATAL_FAILURE(CreateTable(client, "t", ""));
    }
    ASSERT_THAT(client.Execute("USE plain"), IsOk());
    for (const Words& names : {OddNames(), PunctuationNames(), LetterNames()}) {
      for (const std::string& name : names)
        ASSERT_NO_FATAL_FAILURE(CreateTable(client, Quoted(name), ""));
    }
    ASSERT_THAT(client.Execute("USE `q#1`"), IsOk());
    ASSERT_NO_FATAL_FAILURE(CreateTable(client, "`my isam`", "ENGINE=MyISAM"));
    ASSERT_NO_FATAL_FAILURE(CreateTable(client, "`a\u00e9ia`", "ENGINE=Aria"));
    ASSERT_NO_FATAL_FAILURE(
        CreateTable(client, "`part #1`",
                    "PARTITION BY RANGE (id) (PARTITION `p 0` VALUES LESS THAN (10), "
                    "PARTITION `P#\u00e9` VALUES LESS THAN MAXVALUE)"));
    ASSERT_NO_FATAL_FAILURE(CreateTable(
        client, "sub",
        "PARTITION BY RANGE (id) SUBPARTITION BY HASH (id) "
        "(PARTITION p0 VALUES LESS THAN (10) (SUBPARTITION `s 0`, SUBPARTITION `\u65e5`), "
        "PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION s3))"));
    for (const std::string& statement :
         {std::string("CREATE TABLE `ft \u00e9` (id INT PRIMARY KEY, v TEXT, FULLTEXT (v)) "
                      "ENGINE=InnoDB"),
          std::string("INSERT INTO `ft \u00e9` SELECT seq, 'some words' FROM seq_1_to_50"),
          std::string("CREATE SEQUENCE `s q` START WITH 5"),
          std::string("CREATE VIEW `v w` AS SELECT * FROM plain.t"),
          std::string("CREATE TRIGGER `tr #` BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1")})
      ASSERT_THAT(client.Execute(statement), IsOk());
    for (const std::string& statement : more_statements)
      ASSERT_THAT(client.Execute(statement), IsOk());
  }

  // "`db`.`t`" of all that is in user databases.
  static Words Tables(SqlClient& client) {
    const auto rows = client.Query(
        "SELECT table_schema AS d, table_name AS t FROM information_schema.tables WHERE "
        "table_schema NOT IN ('information_schema', 'performance_schema', 'sys', 'mysql') "
        "AND table_type IN ('BASE TABLE', 'SEQUENCE')");
    EXPECT_THAT(rows, IsOk());
    Words tables;
    for (size_t row = 0; rows.ok() && row < rows->rows.size(); ++row)
      tables.push_back(Quoted(rows->Get(row, "d")) + "." + Quoted(rows->Get(row, "t")));
    std::sort(tables.begin(), tables.end());
    return tables;
  }

  // Checksums of all tables, and the names of databases, views and triggers.
  static Words Sums(Mariadbd& server) {
    auto client = server.Connect();
    EXPECT_THAT(client, IsOk());
    if (!client.ok()) return {};
    EXPECT_THAT(client->Execute("SET NAMES utf8mb4"), IsOk());
    Words sums;
    for (const std::string& table : Tables(*client)) {
      const auto rows = client->Query("CHECKSUM TABLE " + table + " EXTENDED");
      EXPECT_THAT(rows, IsOk()) << table;
      if (rows.ok()) sums.push_back(table + " " + rows->Get(0, "Checksum"));
    }
    const auto names = client->Query(
        "SELECT schema_name AS n FROM information_schema.schemata UNION ALL "
        "SELECT CONCAT('trigger ', trigger_name) FROM information_schema.triggers "
        "WHERE trigger_schema <> 'sys' UNION ALL "
        "SELECT CONCAT('view ', table_name) FROM information_schema.views "
        "WHERE table_schema <> 'sys' ORDER BY 1");
    EXPECT_THAT(names, IsOk());
    for (size_t row = 0; names.ok() && row < names->rows.size(); ++row)
      sums.push_back(names->Get(row, "n"));
    return sums;
  }

  static void ExpectAllOk(Mariadbd& server) {
    auto client = server.Connect();
    ASSERT_THAT(client, IsOk());
    ASSERT_THAT(client->Execute("SET NAMES utf8mb4"), IsOk());
    for (const std::string& table : Tables(*client)) {
      const auto rows = client->Query("CHECK TABLE " + table + " EXTENDED");
      ASSERT_THAT(rows, IsOk()) << table;
      const std::string text = rows->Get(rows->rows.size() - 1, "Msg_text");
      EXPECT_TRUE(text == "OK" || text.find("doesn't support check") != std::string::npos)
          << table << ": " << text;
    }
  }

  // Names below the backup.
  [[nodiscard]] Words BackupFiles() const {
    Words names;
    const std::string dir = scratch_->Sub("backup");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir))
      names.push_back(std::filesystem::relative(entry.path(), dir).string());
    return names;
  }

  std::optional<ScratchDir> scratch_;
};

TEST_F(TableNamesTest, EveryNameIsRestored) {
  Run({}, {});

  for (const char* name :
       {"con@@@/t.ibd", "plain/con@@@.ibd", "plain/@0023sql.ibd", "none@0020in@0020it/db.opt",
        "q@00231/part@0020@00231#P#P@0023@0p.ibd", "q@00231/sub#P#p0#SP#@65e5.ibd"})
    EXPECT_THAT(BackupFiles(), Contains(name));
}

TEST_F(TableNamesTest, VectorIndexesAreRestored) {
  HBK_TREE_OR_SKIP(tree, "11.8");
  Words statements;
  for (const char* engine : {"InnoDB", "MyISAM", "Aria"}) {
    statements.push_back(
        fmt::format("CREATE TABLE `vec {0}` (id INT PRIMARY KEY, e VECTOR(4) NOT NULL, VECTOR "
                    "INDEX (e)) ENGINE={0}",
                    engine));
    statements.push_back(
        fmt::format("INSERT INTO `vec {}` SELECT seq, VEC_FROMTEXT(CONCAT('[', seq, ',1,2,3]')) "
                    "FROM seq_1_to_50",
                    engine));
  }
  Run(tree, statements);

  for (const char* name : {"q@00231/vec@0020InnoDB#i#01.ibd", "q@00231/vec@0020MyISAM#i#01.MYD",
                           "q@00231/vec@0020Aria#i#01.MAD"})
    EXPECT_THAT(BackupFiles(), Contains(name));
}

}  // namespace
}  // namespace hbk::testing
