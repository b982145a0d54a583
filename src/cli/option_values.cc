#include "option_values.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace hbk::cli {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<bool> ParseFlag(std::string_view text) {
  const std::string lower = LowerCase(text);
  if (lower == "1" || lower == "on" || lower == "true" || lower == "yes") return true;
  if (lower == "0" || lower == "off" || lower == "false" || lower == "no") return false;
  return std::nullopt;
}

bool IsChoice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const size_t end = choices.find('|');
    if (choices.substr(0, end) == text) return true;
    choices.remove_prefix(end == std::string_view::npos ? choices.size() : end + 1);
  }
  return false;
}

// The checked form of a value.
Result<std::string> CheckValue(const OptionSpec& spec, std::optional<std::string_view> value,
                               bool is_negated) {
  if (spec.kind == ValueKind::kFlag) {
    const std::optional<bool> is_on = value ? ParseFlag(*value) : true;
    if (!is_on) return UsageError(fmt::format("'{}' is not on or off", *value));
    return std::string(*is_on != is_negated ? "1" : "0");
  }
  if (!value && spec.kind == ValueKind::kMaybeText) return std::string();
  if (!value) {
    return UsageError(fmt::format("a value is missing: --{}={}", spec.name, spec.value_name));
  }
  if (value->find('\0') != std::string_view::npos) return UsageError("NUL byte in the value");
  if (spec.kind == ValueKind::kNumber) {
    const std::optional<uint64_t> number = ParseNumber(*value);
    if (!number) return UsageError(fmt::format("'{}' is not a number", *value));
    if (*number < spec.number_min || *number > spec.number_max) {
      return UsageError(
          fmt::format("{} is not between {} and {}", *number, spec.number_min, spec.number_max));
    }
    return std::to_string(*number);
  }
  if (!spec.choices.empty()) {
    const std::string lower = LowerCase(*value);
    if (!IsChoice(spec.choices, lower)) {
      return UsageError(fmt::format("'{}' is not one of {}", *value, spec.choices));
    }
    return lower;
  }
  return std::string(*value);
}

}  // namespace

Status OptionValues::Set(const OptionSpec& spec, std::optional<std::string_view> value,
                         bool is_negated, SettingRank rank, std::string_view origin) {
  Setting setting;
  setting.rank = rank;
  setting.origin = origin;
  if (spec.kind == ValueKind::kPassword || (spec.kind == ValueKind::kSecret && value)) {
    setting.asks_password = !value;
    setting.secret = Secret(std::string(value.value_or("")));
  } else {
    Result<std::string> checked = CheckValue(spec, value, is_negated);
    if (!checked.ok()) {
      return checked.status().WithContext(fmt::format("option --{} ({})", spec.name, origin));
    }
    setting.text = std::move(*checked);
  }
  std::optional<Setting>& slot = settings_[static_cast<size_t>(spec.id)];
  if (spec.kind == ValueKind::kTextList) {
    if (slot && slot->rank == rank) setting.texts = std::move(slot->texts);
    setting.texts.push_back(std::exchange(setting.text, {}));
  }
  if (!slot || slot->rank <= rank) slot = std::move(setting);
  return OkStatus();
}

const Setting* OptionValues::Find(Opt id) const {
  const std::optional<Setting>& slot = settings_[static_cast<size_t>(id)];
  return slot ? &*slot : nullptr;
}

std::string OptionValues::Text(Opt id) const {
  const Setting* setting = Find(id);
  return setting == nullptr ? "" : setting->text;
}

std::vector<std::string> OptionValues::Texts(Opt id) const {
  const Setting* setting = Find(id);
  return setting == nullptr ? std::vector<std::string>() : setting->texts;
}

Secret OptionValues::SecretOf(Opt id) const {
  const Setting* setting = Find(id);
  return setting == nullptr ? Secret() : setting->secret;
}

uint64_t OptionValues::Number(Opt id, uint64_t otherwise) const {
  const Setting* setting = Find(id);
  return setting == nullptr ? otherwise : ParseNumber(setting->text).value_or(otherwise);
}

bool OptionValues::Flag(Opt id) const {
  return Text(id) == "1";
}

std::vector<std::string> OptionValues::Recorded(Command command) const {
  std::vector<std::string> recorded;
  for (const OptionSpec& spec : OptionTable()) {
    const Setting* setting = Find(spec.id);
    if (setting == nullptr || !spec.AppliesTo(command)) continue;
    for (const std::string& text : setting->texts)
      recorded.push_back(fmt::format("--{}={}", spec.name, text));
    if (spec.kind == ValueKind::kTextList) continue;
    const bool is_secret = IsSecret(spec.kind);
    recorded.push_back(fmt::format("--{}={}", spec.name, is_secret ? "..." : setting->text));
  }
  return recorded;
}

Status ApplyEnvironment(const EnvironmentLookup& lookup, Command command, OptionValues& values) {
  for (const OptionSpec& spec : OptionTable()) {
    if (!spec.AppliesTo(command)) continue;
    const std::string name = EnvironmentName(spec);
    const char* value = lookup(name);
    if (value == nullptr || *value == '\0') continue;  // empty is as good as unset
    HBK_RETURN_IF_ERROR(values.Set(spec, value, false, SettingRank::kEnvironment, name));
  }
  return OkStatus();
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  if (rest == end) return number;
  if (rest + 1 != end) return std::nullopt;
  unsigned shift = 0;
  switch (*rest) {
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    case 't':
    case 'T': shift = 40; break;
    default: return std::nullopt;
  }
  if (number > (UINT64_MAX >> shift)) return std::nullopt;
  return number << shift;
}

}  // namespace hbk::cli
