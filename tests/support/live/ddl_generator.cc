#include "tests/support/live/ddl_generator.h"

#include <fmt/format.h>

#include "tests/support/live/engine_schema.h"

namespace hbk::testing {

DdlGenerator::DdlGenerator(uint64_t seed, int session)
    : random_(seed),
      swap_name_(fmt::format("eng.swap{}", session)),
      new_name_(fmt::format("eng.new{}", session)),
      session_(session) {}

std::string DdlGenerator::One(const std::vector<std::string>& choices) {
  return choices.at(random_.Below(choices.size()));
}

std::string DdlGenerator::PlainTable() {
  return One(ChangingNames());
}

std::string DdlGenerator::PartitionedTable() {
  return One(ChangingPartitionedNames());
}

std::string DdlGenerator::AnyTable() {
  return random_.Chance(70) ? PlainTable() : PartitionedTable();
}

std::vector<std::string> DdlGenerator::MakeTable() {
  const bool is_plain = random_.Chance(75);
  const std::string table = is_plain ? PlainTable() : PartitionedTable();
  const std::string definition =
      EngineTableDefinition(One(is_plain ? PlainEngines() : PartitionedEngines()));
  switch (random_.Below(6)) {
    case 0: return {"CREATE TABLE " + table + " " + definition};
    case 1: return {"CREATE OR REPLACE TABLE " + table + " " + definition};
    case 2:
      return {"CREATE TABLE " + table + " LIKE " + (is_plain ? PlainTable() : PartitionedTable())};
    case 3:
      return {"CREATE OR REPLACE TABLE " + table + " " + definition + " SELECT id, k, v, b FROM " +
              AnyTable()};
    case 4:
      return {"CREATE TABLE " + table + " " + definition + " SELECT id, k, v, b FROM " +
              AnyTable()};
    default: return {"DROP TABLE " + table, "CREATE TABLE " + table + " " + definition};
  }
}

std::vector<std::string> DdlGenerator::MoveTable() {
  const bool is_plain = random_.Chance(75);
  const auto any = [this, is_plain] {
    return is_plain ? PlainTable() : PartitionedTable();
  };
  const std::string first = any();
  const std::string second = any();
  switch (random_.Below(5)) {
    case 0: return {"RENAME TABLE " + first + " TO " + second};
    case 1: return {"ALTER TABLE " + first + " RENAME TO " + second};
    default:
      if (first == second) return {};
      return {fmt::format("RENAME TABLE {0} TO {2}, {1} TO {0}, {2} TO {1}", first, second,
                          swap_name_)};
  }
}

std::vector<std::string> DdlGenerator::EmptyTable() {
  const std::string table = AnyTable();
  // Rows into an empty Aria table are not logged one by one.
  const std::string refill = fmt::format(
      "INSERT INTO {} (k, v, b) SELECT seq, MD5(seq), REPEAT(MD5(seq), 20) FROM seq_1_to_{}", table,
      50 + random_.Below(400));
  if (random_.Chance(50)) return {"TRUNCATE TABLE " + table};
  return {"TRUNCATE TABLE " + table, refill};
}

std::vector<std::string> DdlGenerator::AlterTable() {
  const bool is_plain = random_.Chance(70);
  const std::string table = is_plain ? PlainTable() : PartitionedTable();
  const std::string alter = "ALTER TABLE " + table;
  const std::string column = fmt::format("c{}", random_.Below(4));
  const std::string algorithm =
      One({"", "", ", ALGORITHM=COPY", ", ALGORITHM=INPLACE", ", ALGORITHM=INSTANT"});
  switch (random_.Below(9)) {
    case 0: return {alter + " ADD COLUMN " + column + " INT DEFAULT 3" + algorithm};
    case 1:
      return {alter + " ADD COLUMN " + column + " VARCHAR(40) DEFAULT 'x' AFTER k" + algorithm};
    case 2: return {alter + " DROP COLUMN " + column + algorithm};
    case 3: return {alter + " ADD INDEX i" + column + " (v)"};
    case 4: return {alter + " DROP INDEX i" + column};
    case 5: return {alter + " FORCE" + algorithm};
    case 6:
      // Not in place: of a MyISAM or Aria table, 10.11 holds the table's own lock while it waits
      // for the writers that wait for that lock, and neither ever ends.
      return {alter + " COMMENT '" + column + "', ALGORITHM=COPY"};
    default:
      if (!is_plain) return {alter + " ENGINE=" + One({"InnoDB", "Aria", "MyISAM"})};
      return {alter + " " + One(PlainEngines())};
  }
}

std::vector<std::string> DdlGenerator::MaintainTable() {
  const std::string table = AnyTable();
  switch (random_.Below(6)) {
    case 0: return {"OPTIMIZE TABLE " + table};
    case 1: return {"REPAIR TABLE " + table};
    case 2: return {"ANALYZE TABLE " + table};
    case 3: return {"ANALYZE TABLE " + table + " PERSISTENT FOR ALL"};
    case 4: return {"FLUSH TABLES " + table};
    default:
      return {"ALTER TABLE " + table + " DISABLE KEYS", "ALTER TABLE " + table + " ENABLE KEYS"};
  }
}

std::vector<std::string> DdlGenerator::ChangePartitions() {
  const std::string table = PartitionedTable();
  const std::string alter = "ALTER TABLE " + table;
  switch (random_.Below(9)) {
    case 0: return {alter + " ADD PARTITION PARTITIONS 1"};
    case 1: return {alter + " COALESCE PARTITION 1"};
    case 2:
      return {
          fmt::format("{} REORGANIZE PARTITION pmax INTO (PARTITION q{} VALUES LESS THAN ({}), "
                      "PARTITION pmax VALUES LESS THAN MAXVALUE)",
                      alter, random_.Below(1000), 900 + random_.Below(3'000))};
    case 3: return {alter + " DROP PARTITION " + One({"p0", "p1"})};
    case 4: return {alter + " TRUNCATE PARTITION " + One({"p0", "p1", "p2", "pmax"})};
    case 5: return {alter + " REBUILD PARTITION ALL"};
    case 6: return {alter + " OPTIMIZE PARTITION " + One({"p0", "pmax"})};
    case 7:
      return {alter + " REORGANIZE PARTITION p0, p1 INTO (PARTITION p1 VALUES LESS THAN (900))"};
    default:
      // Its own table, so that nobody writes rows into it that do not belong.
      return {fmt::format("CREATE OR REPLACE TABLE {} LIKE {}", new_name_, table),
              fmt::format("ALTER TABLE {} REMOVE PARTITIONING", new_name_),
              fmt::format("{} EXCHANGE PARTITION {} WITH TABLE {}", alter, One({"p0", "p1", "p2"}),
                          new_name_)};
  }
}

std::vector<std::string> DdlGenerator::ChangeDatabase() {
  const std::string database = fmt::format("passing{}_{}", session_, random_.Below(3));
  switch (random_.Below(5)) {
    case 0: return {"DROP DATABASE " + database};
    case 1:
      // Of a database that is not there, it is an error about a file.
      return {"CREATE DATABASE IF NOT EXISTS " + database,
              "ALTER DATABASE " + database + " CHARACTER SET " + One({"latin1", "utf8mb4"})};
    default:
      return {"CREATE DATABASE " + database,
              fmt::format("CREATE TABLE {}.t{} {} SELECT 1 AS id, 2 AS k, 'v' AS v, 'b' AS b",
                          database, random_.Below(3), EngineTableDefinition(One(PlainEngines())))};
  }
}

std::vector<std::string> DdlGenerator::ChangeProgram() {
  const uint64_t number = random_.Below(3);
  const std::string name = fmt::format("eng.{}", One({"a", "b", "c"}));
  switch (random_.Below(13)) {
    case 0:
      return {"CREATE OR REPLACE VIEW eng.v_" + name.substr(4) + " AS SELECT k FROM eng.texts"};
    case 1: return {"DROP VIEW IF EXISTS eng.v_" + name.substr(4)};
    case 2:
      return {
          fmt::format("CREATE OR REPLACE TRIGGER eng.tr_{} BEFORE INSERT ON eng.child2 FOR EACH "
                      "ROW SET NEW.k = NEW.k + {}",
                      name.substr(4), number)};
    case 3: return {"DROP TRIGGER IF EXISTS eng.tr_" + name.substr(4)};
    case 4: return {fmt::format("CREATE OR REPLACE PROCEDURE {}() SELECT {}", name, number)};
    case 5: return {"DROP PROCEDURE IF EXISTS " + name};
    case 6:
      return {fmt::format("CREATE OR REPLACE EVENT {} ON SCHEDULE EVERY {} DAY DISABLE DO SELECT 1",
                          name, number + 1)};
    case 7: return {"DROP EVENT IF EXISTS " + name};
    case 8:
      return {fmt::format("CREATE OR REPLACE USER u{}_{} IDENTIFIED BY 'x'", session_, number)};
    case 9: return {fmt::format("DROP USER IF EXISTS u{}_{}", session_, number)};
    case 10: return {fmt::format("GRANT SELECT ON eng.* TO u{}_{}", session_, number)};
    case 11:
      return {fmt::format("CREATE OR REPLACE SEQUENCE eng.s_{} ENGINE={}", number,
                          One({"InnoDB", "Aria", "MyISAM"}))};
    default: return {fmt::format("DROP SEQUENCE IF EXISTS eng.s_{}", number)};
  }
}

std::vector<std::string> DdlGenerator::Next() {
  const uint64_t kind = random_.Below(100);
  if (kind < 22) return MakeTable();
  if (kind < 42) return MoveTable();
  if (kind < 57) return EmptyTable();
  if (kind < 72) return AlterTable();
  if (kind < 79) return MaintainTable();
  if (kind < 89) return ChangePartitions();
  if (kind < 93) return ChangeDatabase();
  return ChangeProgram();
}

}  // namespace hbk::testing
