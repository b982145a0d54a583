#include "tests/support/live/workload_schema.h"

#include <fmt/format.h>

namespace hbk::testing {
namespace {

using enum ColumnKind;

constexpr uint32_t kRows = 1500;

// Short and long columns, off-page ones, and secondary indexes, for each row format.
TableSpec RowFormatTable(const std::string& name, const std::string& options,
                         const std::string& charset) {
  return {.name = "live." + name,
          .definition = fmt::format(
              "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, v VARCHAR(600), "
              "b MEDIUMBLOB, t TEXT, c CHAR(30), KEY (k), KEY (v(40)), KEY (c, k)) "
              "ENGINE=InnoDB DEFAULT CHARSET={} {}",
              charset, options),
          .columns = {{"k", kInteger, 10'000},
                      {"v", kText, 600},
                      {"b", kText, 40'000},
                      {"t", kText, 9'000},
                      {"c", kText, 30}},
          .row_count = kRows / 2};
}

// Rows small enough for pages of 2 KiB.
TableSpec SmallPageTable() {
  return {.name = "live.zip2",
          .definition =
              "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, "
              "v VARCHAR(90), b BLOB, KEY (k), KEY (v)) ENGINE=InnoDB "
              "DEFAULT CHARSET=latin1 ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=2",
          .columns = {{"k", kInteger, 10'000}, {"v", kText, 90}, {"b", kText, 5'000}},
          .row_count = kRows};
}

std::vector<TableSpec> IndexKindTables() {
  return {
      {.name = "live.fulltexts",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, title VARCHAR(200), "
                     "body TEXT, FULLTEXT (title), FULLTEXT (title, body)) ENGINE=InnoDB",
       .columns = {{"title", kWords, 8}, {"body", kWords, 90}},
       .row_count = kRows / 3},
      {.name = "live.places",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, p POINT NOT NULL, "
                     "name VARCHAR(80), SPATIAL KEY (p), KEY (name)) ENGINE=InnoDB",
       .columns = {{"p", kPoint, 1000}, {"name", kText, 80}},
       .row_count = kRows},
      // The clustered index grows at random places.
      {.name = "live.by_name",
       .definition = "(name VARCHAR(80) NOT NULL, id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, "
                     "v VARCHAR(500), PRIMARY KEY (name, id), UNIQUE KEY (id)) ENGINE=InnoDB "
                     "DEFAULT CHARSET=utf8mb4",
       .columns = {{"name", kText, 80}, {"v", kText, 500}},
       .row_count = kRows},
      // The clustered index is on the hidden row id.
      {.name = "live.no_primary_key",
       .definition = "(id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, v VARCHAR(200), KEY (id)) "
                     "ENGINE=InnoDB",
       .columns = {{"v", kText, 200}},
       .row_count = kRows / 3},
      {.name = "live.children",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, parent INT NOT NULL, "
                     "v VARCHAR(120), FOREIGN KEY (parent) REFERENCES live.accounts (id)) "
                     "ENGINE=InnoDB",
       .columns = {{"parent", kInteger, kAccountCount}, {"v", kText, 120}},
       .row_count = kRows / 3},
  };
}

std::vector<TableSpec> PartitionedTables() {
  const std::string columns =
      "(id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, k INT NOT NULL, v VARCHAR(300), "
      "PRIMARY KEY (id, k), KEY (k), KEY (v(20))) ENGINE=InnoDB ";
  const std::vector<ColumnSpec> written = {{"k", kInteger, 9'000}, {"v", kText, 300}};
  return {
      {.name = "live.by_range",
       .definition = columns +
                     "PARTITION BY RANGE (k) (PARTITION p0 VALUES LESS THAN (2500), PARTITION p1 "
                     "VALUES LESS THAN (6000), PARTITION pmax VALUES LESS THAN MAXVALUE)",
       .columns = written,
       .row_count = kRows},
      {.name = "live.by_hash",
       .definition = columns + "PARTITION BY HASH (id) PARTITIONS 5",
       .columns = written,
       .row_count = kRows},
  };
}

std::vector<TableSpec> SpecialColumnTables() {
  return {
      {.name = "live.generated",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, a INT NOT NULL, "
                     "s VARCHAR(200), twice INT AS (a * 2) VIRTUAL, "
                     "start VARCHAR(60) AS (LEFT(s, 50)) VIRTUAL, "
                     "both_ VARCHAR(220) AS (CONCAT(s, '-', a)) STORED, "
                     "KEY (twice), KEY (start, a), KEY (both_(30))) ENGINE=InnoDB",
       .columns = {{"a", kInteger, 100'000}, {"s", kText, 200}},
       .row_count = kRows},
      {.name = "live.versioned",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, "
                     "v VARCHAR(150), KEY (k)) ENGINE=InnoDB WITH SYSTEM VERSIONING",
       .columns = {{"k", kInteger, 1000}, {"v", kText, 150}},
       .row_count = kRows / 3},
  };
}

// Tables whose definition changed while they had rows.
std::vector<TableSpec> AlteredTables() {
  return {
      {.name = "live.instant",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, "
                     "gone VARCHAR(50), v VARCHAR(250), KEY (k)) ENGINE=InnoDB",
       .columns = {{"k", kInteger, 10'000}, {"v", kText, 250}},
       .row_count = kRows,
       .alterations = {"ADD COLUMN added INT NOT NULL DEFAULT 7 AFTER k, ALGORITHM=INSTANT",
                       "ADD COLUMN later VARCHAR(2000) DEFAULT 'was not there', ALGORITHM=INSTANT",
                       "DROP COLUMN gone, ALGORITHM=INSTANT",
                       "MODIFY COLUMN v VARCHAR(250) FIRST, ALGORITHM=INSTANT"},
       .later_columns = {{"added", kInteger, 5}, {"later", kText, 2'000}}},
      {.name = "live.instant_redundant",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, "
                     "v VARCHAR(250), KEY (k)) ENGINE=InnoDB ROW_FORMAT=REDUNDANT",
       .columns = {{"k", kInteger, 10'000}, {"v", kText, 250}},
       .row_count = kRows / 2,
       .alterations = {"ADD COLUMN added VARCHAR(40) DEFAULT 'x', ALGORITHM=INSTANT",
                       "DROP COLUMN added, ADD COLUMN other INT FIRST, ALGORITHM=INSTANT"},
       .later_columns = {{"other", kInteger, 77}}},
      {.name = "live.rebuilt",
       .definition = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, "
                     "v VARCHAR(250)) ENGINE=InnoDB ROW_FORMAT=REDUNDANT",
       .columns = {{"k", kInteger, 10'000}, {"v", kText, 250}},
       .row_count = kRows,
       .alterations = {"ROW_FORMAT=DYNAMIC", "ADD INDEX (k), ADD INDEX (v(30))", "FORCE",
                       "ADD COLUMN note TEXT, ALGORITHM=COPY"},
       .later_columns = {{"note", kText, 6'000}}},
  };
}

void Append(std::vector<TableSpec>& all, const std::vector<TableSpec>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

TableSpec SmallTable(const std::string& name, const std::string& options) {
  return {.name = name,
          .definition =
              "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, "
              "v VARCHAR(300), b BLOB, KEY (k)) " +
              options,
          .columns = {{"k", kInteger, 10'000}, {"v", kText, 300}, {"b", kText, 3'000}},
          .row_count = 200};
}

}  // namespace

std::vector<TableSpec> TransactionalTables() {
  std::vector<TableSpec> all = {
      RowFormatTable("dynamic_", "ROW_FORMAT=DYNAMIC", "utf8mb4"),
      RowFormatTable("compact_", "ROW_FORMAT=COMPACT", "latin1"),
      RowFormatTable("redundant_", "ROW_FORMAT=REDUNDANT", "utf8mb4"),
      RowFormatTable("zip8", "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8", "latin1"),
      SmallPageTable(),
  };
  Append(all, IndexKindTables());
  Append(all, PartitionedTables());
  Append(all, SpecialColumnTables());
  Append(all, AlteredTables());
  // A name that has to be encoded in the file system, in a database with such a name.
  all.push_back(SmallTable("`odd db.\u00e4`.`t#1 - \u00fc/x`", "ENGINE=InnoDB"));
  return all;
}

std::vector<TableSpec> OtherEngineTables() {
  return {SmallTable("live.aria_safe", "ENGINE=Aria TRANSACTIONAL=1"),
          SmallTable("live.aria_plain", "ENGINE=Aria TRANSACTIONAL=0"),
          SmallTable("live.myisam_", "ENGINE=MyISAM")};
}

std::vector<std::string> FixedStatements() {
  return {
      // For a server that is restored from the backup and follows this one.
      "CREATE USER replica IDENTIFIED BY 'replica'",
      "GRANT REPLICATION SLAVE ON *.* TO replica",
      "CREATE DATABASE live",
      "USE live",  // seq_1_to_N, which makes rows out of nothing, wants a current database
      "CREATE DATABASE `odd db.\u00e4`",
      "CREATE DATABASE empty_db",
      "CREATE TABLE live.accounts (id INT PRIMARY KEY, balance BIGINT NOT NULL, note VARCHAR(200), "
      "KEY (balance)) ENGINE=InnoDB",
      fmt::format("INSERT INTO live.accounts SELECT seq, {}, '' FROM seq_1_to_{}", kOpeningBalance,
                  kAccountCount),
      "CREATE TABLE live.transfers (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, from_id INT NOT "
      "NULL, to_id INT NOT NULL, amount BIGINT NOT NULL, KEY (from_id), KEY (to_id)) "
      "ENGINE=InnoDB",
      "CREATE TABLE live.csv_table (a INT NOT NULL, b VARCHAR(40) NOT NULL) ENGINE=CSV",
      "INSERT INTO live.csv_table SELECT seq, CONCAT('row ', seq) FROM seq_1_to_50",
      "CREATE TABLE live.never_written (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB",
      "CREATE SEQUENCE live.numbers ENGINE=InnoDB",
      "CREATE TABLE live.audit (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, child BIGINT, "
      "what CHAR(6)) ENGINE=InnoDB",
  };
}

std::vector<std::string> ClosingStatements() {
  return {
      "CREATE TRIGGER live.children_added AFTER INSERT ON live.children FOR EACH ROW "
      "INSERT INTO live.audit (child, what) VALUES (NEW.id, 'insert')",
      "CREATE VIEW live.rich AS SELECT id FROM live.accounts WHERE balance > 1000",
      "CREATE PROCEDURE live.nothing() SELECT 1",
  };
}

}  // namespace hbk::testing
