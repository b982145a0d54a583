// Where tables with DATA DIRECTORY are moved to: what --remap=/old=/new says.
//
// Errors   kUsage: text that is not two absolute paths, or an /old given twice.
// Threads  One.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::restore {

class PathRemap {
 public:
  // Each text is "/old=/new". A '=' in a path is fine unless a '/' follows it.
  static Result<PathRemap> Parse(const std::vector<std::string>& texts);

  // The new place of a file; nothing if no rule has it below its /old. The longest /old counts, by
  // whole components: /a is not above /ab.
  [[nodiscard]] std::optional<std::string> Apply(std::string_view path);
  // The rules that Apply has never used, as they were written.
  [[nodiscard]] std::vector<std::string> Unused() const;

 private:
  struct Rule {
    std::string text;
    std::string from;
    std::string to;
    bool is_used = false;
  };

  static Result<Rule> ParseRule(const std::string& text);

  std::vector<Rule> rules_;
};

}  // namespace hbk::restore
