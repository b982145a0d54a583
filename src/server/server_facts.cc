#include "hbk/server/server_facts.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

namespace hbk::server {

namespace {

constexpr ServerVersion kOldestSupported{10, 5, 0};  // has the redo formats that are read
constexpr uint32_t kNewestMajor = 12;
constexpr std::string_view kOldHandshakePrefix = "5.5.5-";
constexpr uint64_t kForceRecoveryMax = 3;  // from 4 on the server may write what recovery cannot

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

bool TakeNumber(std::string_view& text, uint32_t& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()));
  return true;
}

Status RefuseForeign(const ServerFacts& facts) {
  const bool is_percona = Upper(facts.version_comment).find("PERCONA") != std::string::npos;
  const bool is_mysql = Upper(facts.version_comment).find("MYSQL") != std::string::npos;
  const std::string_view product =
      is_percona ? "Percona Server" : (is_mysql ? "MySQL" : "another product");
  const Status status =
      UnsupportedError(fmt::format("the server is not MariaDB but {}: it says version {} ({})",
                                   product, facts.version_text, facts.version_comment));
  return status.WithHint(
      is_percona || is_mysql
          ? "use Percona XtraBackup of that server's series"
          : "hbk backs up MariaDB 10.5 and later; use the backup tool of that product");
}

Status CheckVersion(const ServerFacts& facts) {
  // Both exist in every MariaDB of the range, and in nothing else.
  if (!facts.HasVariable("aria_log_dir_path") || !facts.HasVariable("gtid_binlog_pos"))
    return RefuseForeign(facts);
  const auto version = ParseServerVersion(facts.version_text);
  if (!version) {
    return UnsupportedError(
        fmt::format("the server's version cannot be read: \"{}\"", facts.version_text));
  }
  if (*version < kOldestSupported) {
    return UnsupportedError(
               fmt::format("the server is MariaDB {}, older than 10.5", facts.version_text))
        .WithHint("use the mariabackup of that server's series");
  }
  if (version->major > kNewestMajor) {
    return UnsupportedError(fmt::format("the server is MariaDB {}, newer than {}.x",
                                        facts.version_text, kNewestMajor))
        .WithHint("a newer version of hbk may support it");
  }
  return OkStatus();
}

Status CheckInnodb(const ServerFacts& facts) {
  if (!facts.HasVariable("innodb_page_size"))
    return UnsupportedError("InnoDB is disabled on the server");
  const uint64_t force_recovery = facts.Number("innodb_force_recovery", 0);
  if (force_recovery > kForceRecoveryMax) {
    return UnsupportedError(
               fmt::format("the server runs with innodb_force_recovery={}", force_recovery))
        .WithHint("its data may be damaged; dump it with mariadb-dump instead");
  }
  if (!facts.Variable("binlog_storage_engine").empty()) {
    return UnsupportedError(
               fmt::format("the server keeps its binlog in an engine (binlog_storage_engine={}), "
                           "which this version of hbk cannot back up",
                           facts.Variable("binlog_storage_engine")))
        .WithHint("use the mariadb-backup of that server's series");
  }
  if (facts.IsOn("innodb_read_only")) {
    return UnsupportedError("the server runs with innodb_read_only=ON")
        .WithHint("stop it and copy its files instead");
  }
  return OkStatus();
}

}  // namespace

std::optional<ServerVersion> ParseServerVersion(std::string_view text) {
  if (text.starts_with(kOldHandshakePrefix)) text.remove_prefix(kOldHandshakePrefix.size());
  ServerVersion version;
  if (!TakeNumber(text, version.major) || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  if (!TakeNumber(text, version.minor) || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  if (!TakeNumber(text, version.patch)) return std::nullopt;
  return version;
}

std::string ServerFacts::Variable(const std::string& name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string() : found->second;
}

bool ServerFacts::HasVariable(const std::string& name) const {
  return variables.count(name) != 0;
}

bool ServerFacts::IsOn(const std::string& name) const {
  const std::string value = Upper(Variable(name));
  return value == "ON" || value == "1" || value == "TRUE" || value == "YES";
}

uint64_t ServerFacts::Number(const std::string& name, uint64_t otherwise) const {
  const std::string value = Variable(name);
  uint64_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == value.data() + value.size() ? number : otherwise;
}

bool ServerFacts::HasActivePlugin(std::string_view name) const {
  const std::string wanted = Upper(name);
  return std::any_of(plugins.begin(), plugins.end(), [&wanted](const Plugin& plugin) {
    return plugin.is_active && Upper(plugin.name) == wanted;
  });
}

std::string ServerFacts::ActivePluginOfType(std::string_view type) const {
  const auto found = std::find_if(plugins.begin(), plugins.end(), [&type](const Plugin& plugin) {
    return plugin.is_active && plugin.type == type;
  });
  return found == plugins.end() ? std::string() : found->name;
}

Status CheckServerSupported(const ServerFacts& facts) {
  HBK_RETURN_IF_ERROR(CheckVersion(facts));
  HBK_RETURN_IF_ERROR(CheckInnodb(facts));
  return OkStatus();
}

std::string QuoteAccount(std::string_view current_user) {
  const size_t at = current_user.rfind('@');
  const std::string_view user = current_user.substr(0, at);
  const std::string_view host =
      at == std::string_view::npos ? std::string_view("%") : current_user.substr(at + 1);
  const auto quote = [](std::string_view name) {
    std::string quoted = "`";
    for (const char c : name) {
      if (c == '`') quoted += '`';
      quoted += c;
    }
    return quoted + "`";
  };
  return quote(user) + "@" + quote(host);
}

}  // namespace hbk::server
