// The text of one MariaDB option file (my.cnf), split into settings and directives.
//
// Format   [group] lines, `key`, `key = value`, comments from # or ;, quotes around a whole value,
//          escapes \b \t \n \r \s \" \' \\, !include and !includedir. Grammar: docs/cli.md.
// Source   Observed on my_print_defaults 10.11.19, whose answers the test vectors are.
// Errors   kUsage with file and line: a group without ']', a setting before the first group, a NUL
//          byte, a line over 64 KiB. Unknown directives are kept for the caller to remark on.
// Threads  A pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::cli {

struct OptionFileLine {
  enum class Kind { kSetting, kInclude, kIncludeDirectory, kUnknownDirective };
  Kind kind = Kind::kSetting;
  size_t line = 0;  // 1-based
  std::string group;
  std::string key;                   // as written; the directive's word for unknown directives
  std::optional<std::string> value;  // of a setting; the path of a directive
};

// Lines in the order of the text. `file` is for messages only.
Result<std::vector<OptionFileLine>> ParseOptionFile(std::string_view text, std::string_view file);

}  // namespace hbk::cli
