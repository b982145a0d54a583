// The tables of the load: one of each kind that a backup has to get right.
//
// Every table has an `id` that the server counts up, so that one generator of statements serves
// them all (workload.h). What a table is there for is said beside it in workload_schema.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hbk::testing {

enum class ColumnKind {
  kInteger,  // 1..limit
  kText,     // up to limit letters; many short, some longer, few long
  kWords,    // up to limit words of a small dictionary, for FULLTEXT
  kPoint,
};

struct ColumnSpec {
  std::string name;
  ColumnKind kind;
  uint32_t limit;
};

struct TableSpec {
  std::string name;                 // qualified and quoted as in SQL
  std::string definition;           // what follows the name in CREATE TABLE
  std::vector<ColumnSpec> columns;  // that statements write
  uint32_t row_count = 0;           // at the start, and about what it is kept at
  // "ALTER TABLE <name> " is put in front; run in this order after the first rows, each followed
  // by more rows, so that rows of every version of the table exist.
  std::vector<std::string> alterations = {};
  // Columns that exist only after the alterations: they are not written before.
  std::vector<ColumnSpec> later_columns = {};
  std::string preparation = {};  // a statement right before CREATE TABLE
};

constexpr uint32_t kAccountCount = 400;
constexpr uint32_t kOpeningBalance = 1000;

// InnoDB: written by transactions.
std::vector<TableSpec> TransactionalTables();
// Aria and MyISAM: written lightly, one statement at a time.
std::vector<TableSpec> OtherEngineTables();
// All that is made before the tables above and is not written by the generator, or by special
// code only: databases, the bank, a CSV table, a trigger, a view.
std::vector<std::string> FixedStatements();
// After all tables exist.
std::vector<std::string> ClosingStatements();

}  // namespace hbk::testing
