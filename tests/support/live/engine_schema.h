// Tables of every engine that are created, dropped, swapped and altered all the time.
//
// All have the columns id (counted up, the primary key), k, v and b, so that one generator of
// statements serves them all whatever table has a name at the moment. Beside them a few fixed ones,
// of engines that cannot have these columns or are not to be altered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/live/workload_schema.h"

namespace hbk::testing {

// What follows the columns in CREATE TABLE, for each engine and row format; the second are
// partitioned.
const std::vector<std::string>& PlainEngines();
const std::vector<std::string>& PartitionedEngines();
// "(id ...) ENGINE=... ".
std::string EngineTableDefinition(const std::string& options);

// Names that tables come and go under, qualified, in two databases.
std::vector<std::string> ChangingNames();
std::vector<std::string> ChangingPartitionedNames();

// Databases, the first tables of all those names, and the fixed ones. `outside_dir` exists: some
// tables have their files there; none if it is empty. ARCHIVE is a plugin that a server may lack.
std::vector<std::string> EngineStatements(const std::string& outside_dir, bool has_archive);
// Fixed tables that the generator of statements may write: children of a MERGE table, those with
// files elsewhere, one with a full-text index.
std::vector<TableSpec> FixedEngineTables();
// Statements on ARCHIVE, CSV, MERGE and sequences, which are written in ways of their own.
std::vector<std::string> OddEngineStatements();

// The columns as the generator wants them.
std::vector<ColumnSpec> EngineColumns();

}  // namespace hbk::testing
