// What the options were set to, by whom, and which setting wins.
//
// Command line > HBK_* environment > groups made for hbk > other groups > groups of servers, where
// a backup knows better > default; among equals the later setting wins.
//
// Errors   kUsage naming option and origin, never the value of a secret.
// Threads  One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"

#include "option_table.h"

namespace hbk::cli {

enum class SettingRank : uint8_t {
  kServerGroup,  // of prepare: what the backup recorded comes between this and the others
  kOtherGroup,
  kHbkGroup,
  kEnvironment,
  kCommandLine,
};

struct Setting {
  std::string text;                // flags: "0" or "1"; numbers: decimal; secrets and lists: empty
  std::vector<std::string> texts;  // of a list, in the order given
  Secret secret;                   // a password, token, ...
  bool asks_password = false;
  SettingRank rank = SettingRank::kOtherGroup;
  std::string origin;  // "command line", "HBK_PORT", "/etc/my.cnf, line 12 [client]"
};

class OptionValues {
 public:
  // Checks and takes a value, unless a higher rank has set the option; a list grows by it, or
  // begins anew with the first value of a higher rank. Without a value: a flag is on, a password is
  // to be asked for, anything else is an error.
  Status Set(const OptionSpec& spec, std::optional<std::string_view> value, bool is_negated,
             SettingRank rank, std::string_view origin);

  // nullptr: not set.
  [[nodiscard]] const Setting* Find(Opt id) const;
  [[nodiscard]] std::string Text(Opt id) const;                // empty if not set
  [[nodiscard]] std::vector<std::string> Texts(Opt id) const;  // of a list
  [[nodiscard]] Secret SecretOf(Opt id) const;                 // empty if not set
  [[nodiscard]] uint64_t Number(Opt id, uint64_t otherwise) const;
  [[nodiscard]] bool Flag(Opt id) const;  // false if not set

  // "--name=value" of everything set that `command` looks at, without any secret.
  [[nodiscard]] std::vector<std::string> Recorded(Command command) const;

 private:
  std::array<std::optional<Setting>, kOptionCount> settings_;
};

// Looks up variables of the environment; nullptr: not there.
using EnvironmentLookup = std::function<const char*(const std::string& name)>;
// Takes every HBK_<OPTION> that `command` looks at and that is not empty.
Status ApplyEnvironment(const EnvironmentLookup& lookup, Command command, OptionValues& values);

// "64", "16K", "1G": bytes or counts, with K, M, G, T of 1024. nullopt: no such number.
std::optional<uint64_t> ParseNumber(std::string_view text);

}  // namespace hbk::cli
