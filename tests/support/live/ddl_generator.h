// Random DDL on the tables of engine_schema.h: pure text from a seed.
//
// A statement may fail on what the other sessions did meanwhile (no such table, no such column);
// none fails half done, so that a replica that runs it from the binlog ends the same. Ones that end
// half done are not among them: DROP TABLE of several, statements that violate keys. IMPORT and
// DISCARD TABLESPACE are not either, since a replica cannot repeat them.
//
// Threads  One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/live/statement_generator.h"

namespace hbk::testing {

class DdlGenerator {
 public:
  // `session` keeps the scratch names of one session apart from those of others.
  DdlGenerator(uint64_t seed, int session);

  // One statement, or a few that belong together.
  std::vector<std::string> Next();

 private:
  std::string One(const std::vector<std::string>& choices);
  std::string PlainTable();
  std::string PartitionedTable();
  std::string AnyTable();
  std::vector<std::string> MakeTable();
  std::vector<std::string> MoveTable();
  std::vector<std::string> EmptyTable();
  std::vector<std::string> AlterTable();
  std::vector<std::string> MaintainTable();
  std::vector<std::string> ChangePartitions();
  std::vector<std::string> ChangeDatabase();
  std::vector<std::string> ChangeProgram();

  StatementGenerator random_;
  std::string swap_name_;
  std::string new_name_;
  int session_;
};

}  // namespace hbk::testing
