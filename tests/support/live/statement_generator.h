// Random SQL for the tables of the load: pure text from a seed.
//
// Threads  One thread at a time.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/live/workload_schema.h"

namespace hbk::testing {

class StatementGenerator {
 public:
  explicit StatementGenerator(uint64_t seed) : random_(seed) {}

  // 0 .. limit-1.
  uint64_t Below(uint64_t limit);
  bool Chance(int percent) { return Below(100) < static_cast<uint64_t>(percent); }

  std::string Insert(const TableSpec& table, const std::vector<ColumnSpec>& columns,
                     uint64_t row_count);
  // Some columns of one row or of a few with neighbouring ids.
  std::string Update(const TableSpec& table, const std::vector<ColumnSpec>& columns,
                     uint64_t id_begin, uint64_t id_end);
  // One row, or a few in random order.
  std::string Delete(const TableSpec& table, uint64_t id_begin, uint64_t id_end);
  // A literal for that column.
  std::string Value(const ColumnSpec& column);

 private:
  std::string Where(uint64_t id_begin, uint64_t id_end);
  uint64_t TextLength(uint32_t limit);
  std::string Words(uint32_t limit);

  std::mt19937_64 random_;
};

}  // namespace hbk::testing
