#include "tests/support/live/engine_schema.h"

#include <fmt/format.h>

namespace hbk::testing {
namespace {

constexpr int kNames = 9;        // in the first database
constexpr int kNamesBeside = 4;  // in the second
constexpr int kPartitioned = 5;
constexpr int kRows = 120;

std::string Rows(int count) {
  return fmt::format(
      "SELECT NULL, seq % 1000, MD5(seq), REPEAT(MD5(seq + 1), 1 + seq % 30) FROM seq_1_to_{}",
      count);
}

const char* const kRange =
    " PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (300), PARTITION p1 VALUES LESS THAN "
    "(900), PARTITION pmax VALUES LESS THAN MAXVALUE)";

}  // namespace

const std::vector<std::string>& PlainEngines() {
  static const std::vector<std::string> engines = {
      "ENGINE=InnoDB",
      "ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8",
      "ENGINE=Aria TRANSACTIONAL=1",
      "ENGINE=Aria TRANSACTIONAL=1",
      "ENGINE=Aria TRANSACTIONAL=1 PAGE_CHECKSUM=0",
      "ENGINE=Aria TRANSACTIONAL=0 ROW_FORMAT=PAGE",
      "ENGINE=Aria TRANSACTIONAL=0 ROW_FORMAT=DYNAMIC",
      "ENGINE=Aria TRANSACTIONAL=0 ROW_FORMAT=FIXED",
      "ENGINE=MyISAM",
      "ENGINE=MyISAM ROW_FORMAT=FIXED",
      "ENGINE=MyISAM CHECKSUM=1",
  };
  return engines;
}

const std::vector<std::string>& PartitionedEngines() {
  static const std::vector<std::string> engines = {
      std::string("ENGINE=InnoDB") + kRange,
      "ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 3",
      std::string("ENGINE=Aria TRANSACTIONAL=1") + kRange,
      "ENGINE=Aria TRANSACTIONAL=0 PARTITION BY HASH (id) PARTITIONS 3",
      std::string("ENGINE=MyISAM") + kRange,
      "ENGINE=MyISAM PARTITION BY HASH (id) PARTITIONS 2",
  };
  return engines;
}

std::string EngineTableDefinition(const std::string& options) {
  return "(id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, k INT NOT NULL, v VARCHAR(300), "
         "b VARCHAR(2000), PRIMARY KEY (id), KEY (k)) DEFAULT CHARSET=latin1 " +
         options;
}

std::vector<ColumnSpec> EngineColumns() {
  return {{"k", ColumnKind::kInteger, 10'000},
          {"v", ColumnKind::kText, 300},
          {"b", ColumnKind::kText, 2'000}};
}

std::vector<std::string> ChangingNames() {
  std::vector<std::string> names;
  for (int i = 0; i < kNames; ++i)
    names.push_back(fmt::format("eng.t{}", i));
  for (int i = 0; i < kNamesBeside; ++i)
    names.push_back(fmt::format("`eng-2`.t{}", i));
  return names;
}

std::vector<std::string> ChangingPartitionedNames() {
  std::vector<std::string> names;
  for (int i = 0; i < kPartitioned; ++i)
    names.push_back(fmt::format("eng.p{}", i));
  return names;
}

std::vector<TableSpec> FixedEngineTables() {
  std::vector<TableSpec> tables;
  for (const char* name :
       {"eng.child1", "eng.child2", "eng.outside_myisam", "eng.outside_aria", "eng.texts"}) {
    tables.push_back(
        {.name = name, .definition = {}, .columns = EngineColumns(), .row_count = 4 * kRows});
  }
  return tables;
}

std::vector<std::string> EngineStatements(const std::string& outside_dir, bool has_archive) {
  std::vector<std::string> all = {"CREATE DATABASE eng", "CREATE DATABASE `eng-2`", "USE eng"};
  const auto add = [&all](const std::string& name, const std::string& options) {
    all.push_back("CREATE TABLE " + name + " " + EngineTableDefinition(options));
    all.push_back("INSERT INTO " + name + " (id, k, v, b) " + Rows(kRows));
  };
  size_t number = 0;
  for (const std::string& name : ChangingNames())
    add(name, PlainEngines().at(number++ % PlainEngines().size()));
  for (const std::string& name : ChangingPartitionedNames())
    add(name, PartitionedEngines().at(number++ % PartitionedEngines().size()));
  add("eng.child1", "ENGINE=MyISAM");
  add("eng.child2", "ENGINE=MyISAM");
  all.push_back("CREATE TABLE eng.all_children " +
                EngineTableDefinition("ENGINE=MERGE UNION=(child1, child2) INSERT_METHOD=LAST"));
  const std::string outside =
      outside_dir.empty() ? ""
                          : fmt::format(" DATA DIRECTORY='{0}' INDEX DIRECTORY='{0}'", outside_dir);
  add("eng.outside_myisam", "ENGINE=MyISAM" + outside);
  add("eng.outside_aria", "ENGINE=Aria TRANSACTIONAL=1" + outside);
  add("eng.texts", "ENGINE=InnoDB");
  all.insert(
      all.end(),
      {"ALTER TABLE eng.texts ADD FULLTEXT (v)",
       "CREATE TABLE eng.lines (k INT NOT NULL, v VARCHAR(300) NOT NULL) ENGINE=CSV",
       "CREATE SEQUENCE eng.s_innodb ENGINE=InnoDB", "CREATE SEQUENCE eng.s_aria ENGINE=Aria",
       "CREATE SEQUENCE eng.s_myisam ENGINE=MyISAM",
       "CREATE VIEW eng.first_rows AS SELECT k, v FROM eng.texts WHERE id < 100",
       "CREATE PROCEDURE eng.nothing() SELECT 1",
       "CREATE EVENT eng.never ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
       "CREATE TRIGGER eng.child_added BEFORE INSERT ON eng.child1 FOR EACH ROW SET NEW.k = "
       "NEW.k + 1"});
  if (has_archive) {
    all.emplace_back(
        "CREATE TABLE eng.archived (id INT NOT NULL AUTO_INCREMENT, v VARCHAR(300), KEY (id)) "
        "ENGINE=ARCHIVE");
  }
  return all;
}

std::vector<std::string> OddEngineStatements() {
  // Without ARCHIVE this one finds no table, and is left at that.
  return {"INSERT INTO eng.archived (v) SELECT MD5(seq) FROM seq_1_to_5",
          "INSERT INTO eng.lines SELECT seq, CONCAT('a \"line\"\\n', seq) FROM seq_1_to_5",
          "DELETE FROM eng.lines WHERE k = 3",
          "UPDATE eng.lines SET v = 'short' WHERE k = 2 LIMIT 3",
          "SELECT NEXT VALUE FOR eng.s_innodb", "SELECT NEXT VALUE FOR eng.s_aria",
          "SELECT NEXT VALUE FOR eng.s_myisam",
          // Only added to: two children may have the same id, which a replica that looks for rows
          // by id would mix up.
          "INSERT INTO eng.all_children (k, v, b) SELECT seq, MD5(seq), 'merged' FROM "
          "seq_1_to_4"};
}

}  // namespace hbk::testing
