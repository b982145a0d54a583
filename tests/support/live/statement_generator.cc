#include "tests/support/live/statement_generator.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace hbk::testing {
namespace {

// Where texts are cut from: making each letter of a long value anew would cost more than the
// server spends on it.
const std::string& Letters() {
  static const std::string letters = [] {
    constexpr size_t kLength = 1 << 20;
    constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_ ";
    std::mt19937_64 random(1);
    std::string text(kLength, ' ');
    std::ranges::generate(text, [&random, kAlphabet] { return kAlphabet[random() % 54]; });
    return text;
  }();
  return letters;
}

constexpr auto kWordList = std::to_array<std::string_view>(
    {"amber",  "basalt", "cedar",   "delta",  "ember",  "fjord",  "granite", "harbour",
     "island", "jasper", "kestrel", "lagoon", "meadow", "nectar", "orchard", "pebble",
     "quartz", "river",  "saffron", "timber", "umber",  "valley", "willow",  "yonder"});

}  // namespace

uint64_t StatementGenerator::Below(uint64_t limit) {
  return limit <= 1 ? 0 : random_() % limit;
}

uint64_t StatementGenerator::TextLength(uint32_t limit) {
  constexpr uint32_t kShort = 40;
  constexpr uint32_t kMiddle = 400;
  const uint64_t kind = Below(10);
  const uint32_t bound = kind < 5 ? kShort : kind < 8 ? kMiddle : limit;
  return Below(std::min(bound, limit) + 1);
}

std::string StatementGenerator::Words(uint32_t limit) {
  std::string text;
  for (uint64_t count = Below(limit) + 1; count > 0; --count) {
    text += kWordList.at(Below(kWordList.size()));
    // Endings make the dictionary of the full-text index large.
    text += Chance(30) ? fmt::format("{} ", Below(500)) : " ";
  }
  return text;
}

std::string StatementGenerator::Value(const ColumnSpec& column) {
  switch (column.kind) {
    case ColumnKind::kInteger: return std::to_string(Below(column.limit) + 1);
    case ColumnKind::kText: {
      const uint64_t length = TextLength(column.limit);
      return "'" + Letters().substr(Below(Letters().size() - length), length) + "'";
    }
    case ColumnKind::kWords: return "'" + Words(column.limit) + "'";
    case ColumnKind::kPoint:
      return fmt::format("POINT({}, {})", Below(column.limit), Below(column.limit));
  }
  return "NULL";
}

std::string StatementGenerator::Insert(const TableSpec& table,
                                       const std::vector<ColumnSpec>& columns, uint64_t row_count) {
  std::string sql = "INSERT INTO " + table.name + " (";
  for (const ColumnSpec& column : columns) {
    sql += column.name + (&column == &columns.back() ? ") VALUES " : ", ");
  }
  for (uint64_t row = 0; row < row_count; ++row) {
    sql += row == 0 ? "(" : ", (";
    for (const ColumnSpec& column : columns) {
      sql += Value(column) + (&column == &columns.back() ? ")" : ", ");
    }
  }
  return sql;
}

std::string StatementGenerator::Where(uint64_t id_begin, uint64_t id_end) {
  const uint64_t id = id_begin + Below(id_end - id_begin);
  if (Chance(60)) {
    return fmt::format(" WHERE id = {}", id);
  }
  return fmt::format(" WHERE id BETWEEN {} AND {}", id, id + Below(12));
}

std::string StatementGenerator::Update(const TableSpec& table,
                                       const std::vector<ColumnSpec>& columns, uint64_t id_begin,
                                       uint64_t id_end) {
  std::string assignments;
  while (assignments.empty()) {
    for (const ColumnSpec& column : columns) {
      if (Chance(50)) {
        assignments += (assignments.empty() ? "" : ", ") + column.name + " = " + Value(column);
      }
    }
  }
  return "UPDATE " + table.name + " SET " + assignments + Where(id_begin, id_end);
}

std::string StatementGenerator::Delete(const TableSpec& table, uint64_t id_begin, uint64_t id_end) {
  return "DELETE FROM " + table.name + Where(id_begin, id_end) + " ORDER BY RAND()";
}

}  // namespace hbk::testing
