// Texts and names as parts of a statement.
//
// Threads  Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace hbk::server {

inline std::string Quote(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || (c == '\\' && quote == '\'')) quoted += c;
    quoted += c;
  }
  return quoted + quote;
}
inline std::string QuoteName(std::string_view name) {
  return Quote(name, '`');
}
inline std::string QuoteText(std::string_view text) {
  return Quote(text, '\'');
}

}  // namespace hbk::server
