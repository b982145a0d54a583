// What a server says of itself: version, variables, plugins; and whether hbk can back it up.
//
// Errors   kUnsupported, with what was found and what is needed.
// Threads  Values and pure functions.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::server {

struct ServerVersion {
  uint32_t major = 0;
  uint32_t minor = 0;
  uint32_t patch = 0;
  auto operator<=>(const ServerVersion&) const = default;
};
// "10.11.19-MariaDB-log" and "5.5.5-10.11.19-MariaDB" (the greeting of old handshakes). Nothing
// if it does not begin like a version.
std::optional<ServerVersion> ParseServerVersion(std::string_view text);

struct Plugin {
  std::string name;
  std::string type;
  bool is_active = false;
  std::string library = {};  // "file_key_management.so"; empty: built in
};

struct ServerFacts {
  std::string version_text;
  std::string version_comment;
  std::string current_user;  // CURRENT_USER(): "hbk@localhost"
  uint64_t uptime_s = 0;
  std::map<std::string, std::string> variables;
  std::vector<Plugin> plugins;

  // The variable, or "" if the server has none of this name.
  [[nodiscard]] std::string Variable(const std::string& name) const;
  [[nodiscard]] bool HasVariable(const std::string& name) const;
  // True for ON, 1, TRUE, YES.
  [[nodiscard]] bool IsOn(const std::string& name) const;
  [[nodiscard]] uint64_t Number(const std::string& name, uint64_t otherwise) const;
  [[nodiscard]] bool HasActivePlugin(std::string_view name) const;  // case does not matter
  // The first of this type, as "ENCRYPTION"; "" if there is none.
  [[nodiscard]] std::string ActivePluginOfType(std::string_view type) const;
};

// Ok if this build can back up and prepare such a server: MariaDB, 10.5 to 12.x, InnoDB there and
// not in a recovery mode, redo and engines of a kind that can be prepared. One message per reason.
Status CheckServerSupported(const ServerFacts& facts);

// "`user`@`host`" of CURRENT_USER(), quoted for GRANT.
std::string QuoteAccount(std::string_view current_user);

}  // namespace hbk::server
