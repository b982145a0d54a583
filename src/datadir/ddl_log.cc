#include "hbk/datadir/ddl_log.h"

#include <array>
#include <cstddef>
#include <optional>

namespace hbk::datadir {

namespace {

// Places of the fields in a line.
constexpr size_t kOperation = 1;
constexpr size_t kEngine = 2;
constexpr size_t kDatabase = 4;
constexpr size_t kTable = 5;
constexpr size_t kNewDatabase = 9;
constexpr size_t kNewTable = 10;
constexpr size_t kFieldCount = 12;

using Fields = std::array<std::string_view, kFieldCount>;

std::optional<Fields> SplitLine(std::string_view line) {
  Fields fields;
  for (size_t i = 0; i < kFieldCount; ++i) {
    const size_t tab = line.find('\t');
    const bool is_last = i + 1 == kFieldCount;
    if ((tab == std::string_view::npos) != is_last) return std::nullopt;
    fields[i] = line.substr(0, tab);
    if (!is_last) line.remove_prefix(tab + 1);
  }
  return fields;
}

std::string JoinName(std::string_view database, std::string_view table) {
  return std::string(database) + "/" + std::string(table);
}

}  // namespace

DdlLog ParseDdlLog(std::string_view text) {
  DdlLog log;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const auto fields = SplitLine(text.substr(0, end));
    if (!fields || (*fields)[kOperation].empty() || (*fields)[kDatabase].empty()) {
      log.is_complete = false;
    } else {
      const Fields& field = *fields;
      DdlLogEntry entry;
      entry.operation = field[kOperation];
      entry.engine = field[kEngine];
      entry.table = JoinName(field[kDatabase], field[kTable]);
      if (!field[kNewDatabase].empty())
        entry.new_table = JoinName(field[kNewDatabase], field[kNewTable]);
      log.entries.push_back(std::move(entry));
    }
    if (end == std::string_view::npos) {
      log.is_complete = false;
      break;
    }
    text.remove_prefix(end + 1);
  }
  return log;
}

}  // namespace hbk::datadir
