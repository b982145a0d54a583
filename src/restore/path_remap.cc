#include "path_remap.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/datadir/layout.h"

namespace hbk::restore {
namespace {

Status BadRule(const std::string& text, std::string_view why) {
  return UsageError(fmt::format("remap '{}': {}", text, why)).WithHint("--remap=/old/dir=/new/dir");
}

// Where ".." leads depends on symlinks, of which the paths in a backup know nothing.
bool LeadsUpwards(const std::string& clean_path) {
  return (clean_path + "/").find("/../") != std::string::npos;
}

}  // namespace

Result<PathRemap::Rule> PathRemap::ParseRule(const std::string& text) {
  constexpr std::string_view kBetween = "=/";
  const size_t middle = text.find(kBetween);
  if (!text.starts_with('/') || middle == std::string::npos) {
    return BadRule(text, "not two absolute paths");
  }
  if (text.find(kBetween, middle + 1) != std::string::npos) {
    return BadRule(text, "more than one '=/', so that either could be in the middle");
  }
  // The path becomes the content of a file whose readers cut such bytes off its end.
  const bool has_control = std::any_of(text.begin(), text.end(),
                                       [](char c) { return static_cast<unsigned char>(c) < ' '; });
  if (has_control) return BadRule(text, "a control character in a path");
  Rule rule{.text = text,
            .from = datadir::CleanPath(std::string_view(text).substr(0, middle)),
            .to = datadir::CleanPath(std::string_view(text).substr(middle + 1))};
  if (LeadsUpwards(rule.from) || LeadsUpwards(rule.to)) {
    return BadRule(text, "a path with '..' in it");
  }
  return rule;
}

Result<PathRemap> PathRemap::Parse(const std::vector<std::string>& texts) {
  PathRemap remap;
  for (const std::string& text : texts) {
    HBK_ASSIGN_OR_RETURN(Rule rule, ParseRule(text));
    const bool is_known = std::any_of(remap.rules_.begin(), remap.rules_.end(),
                                      [&](const Rule& other) { return other.from == rule.from; });
    if (is_known) return BadRule(text, fmt::format("{} is given twice", rule.from));
    remap.rules_.push_back(std::move(rule));
  }
  // The first that fits is then the longest.
  std::stable_sort(remap.rules_.begin(), remap.rules_.end(),
                   [](const Rule& a, const Rule& b) { return a.from.size() > b.from.size(); });
  return remap;
}

std::optional<std::string> PathRemap::Apply(std::string_view path) {
  const std::string clean = datadir::CleanPath(path);
  for (Rule& rule : rules_) {
    if (!datadir::IsInside(clean, rule.from)) continue;
    rule.is_used = true;
    const size_t from_bytes = rule.from == "/" ? 0 : rule.from.size();
    return datadir::CleanPath(rule.to + clean.substr(from_bytes));
  }
  return std::nullopt;
}

std::vector<std::string> PathRemap::Unused() const {
  std::vector<std::string> texts;
  for (const Rule& rule : rules_) {
    if (!rule.is_used) texts.push_back(rule.text);
  }
  return texts;
}

}  // namespace hbk::restore
