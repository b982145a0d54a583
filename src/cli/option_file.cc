#include "option_file.h"

#include <fmt/format.h>

namespace hbk::cli {
namespace {

constexpr size_t kLineBytesMax = 64 * 1024;

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back()))
    text.remove_suffix(1);
  return text;
}

// A # ends the line unless it stands between quotes. A backslash protects a quote, not a #.
std::string_view CutComment(std::string_view line) {
  char quote = 0;
  bool is_escaped = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '#' && quote == 0) return line.substr(0, i);
    if ((c == '"' || c == '\'') && !is_escaped) {
      if (quote == 0) {
        quote = c;
      } else if (quote == c) {
        quote = 0;
      }
    }
    is_escaped = c == '\\' && !is_escaped;
  }
  return line;
}

std::string_view CutQuotes(std::string_view value) {
  if (value.size() < 2) return value;
  const char first = value.front();
  if ((first != '"' && first != '\'') || value.back() != first) return value;
  return value.substr(1, value.size() - 2);
}

// An escape that means nothing keeps its backslash, as Windows paths need it.
std::string Unescape(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      text += value[i];
      continue;
    }
    switch (value[++i]) {
      case 'b': text += '\b'; break;
      case 't': text += '\t'; break;
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 's': text += ' '; break;
      case '"': text += '"'; break;
      case '\'': text += '\''; break;
      case '\\': text += '\\'; break;
      default: text += '\\'; text += value[i];
    }
  }
  return text;
}

OptionFileLine ParseSetting(std::string_view line) {
  OptionFileLine setting;
  const std::string_view code = CutComment(line);
  const size_t equals = code.find('=');
  setting.key = Trim(code.substr(0, equals));
  if (equals != std::string_view::npos) {
    setting.value = Unescape(CutQuotes(Trim(code.substr(equals + 1))));
  }
  return setting;
}

OptionFileLine ParseDirective(std::string_view line) {
  using Kind = OptionFileLine::Kind;
  OptionFileLine directive;
  const size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  directive.key = word;
  directive.value = end == std::string_view::npos ? "" : Trim(line.substr(end));
  directive.kind = word == "!include"      ? Kind::kInclude
                   : word == "!includedir" ? Kind::kIncludeDirectory
                                           : Kind::kUnknownDirective;
  return directive;
}

}  // namespace

Result<std::vector<OptionFileLine>> ParseOptionFile(std::string_view text, std::string_view file) {
  std::vector<OptionFileLine> lines;
  std::optional<std::string> group;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto error = [&](std::string_view what) {
      return UsageError(fmt::format("option file {}, line {}: {}", file, number, what));
    };

    if (raw.size() > kLineBytesMax) return error("line over 64 KiB");
    if (raw.find('\0') != std::string_view::npos) return error("NUL byte");
    const std::string_view line = Trim(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;

    if (line.front() == '[') {
      const size_t close = line.find(']');
      if (close == std::string_view::npos) return error("group without a closing ]");
      std::string_view name = line.substr(1, close - 1);
      while (!name.empty() && IsSpace(name.back()))
        name.remove_suffix(1);
      group = name;
      continue;
    }
    OptionFileLine parsed = line.front() == '!' ? ParseDirective(line) : ParseSetting(line);
    if (parsed.kind == OptionFileLine::Kind::kSetting) {
      if (!group) return error("option before the first [group]");
      parsed.group = *group;
    }
    parsed.line = number;
    lines.push_back(std::move(parsed));
  }
  return lines;
}

}  // namespace hbk::cli
