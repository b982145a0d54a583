#include "server_config.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hbk::drill {
namespace {

// What makes it a server that does nothing by itself, and that nobody but hbk can reach. A repair
// behind our back would hide what is broken.
constexpr std::string_view kSettings =
    "skip_networking\n"
    "skip_name_resolve\n"
    "skip_grant_tables\n"
    "skip_slave_start\n"
    "skip_symbolic_links\n"
    "event_scheduler=DISABLED\n"
    "loose_wsrep_on=OFF\n"
    "myisam_recover_options=OFF\n"
    "aria_recover_options=OFF\n"
    "innodb_buffer_pool_load_at_startup=OFF\n"
    "innodb_buffer_pool_dump_at_shutdown=OFF\n"
    "plugin_maturity=unknown\n"
    // What it writes is thrown away.
    "innodb_flush_log_at_trx_commit=0\n"
    "innodb_doublewrite=OFF\n";

struct EngineLibrary {
  std::string_view engine;  // in capitals
  std::string_view library;
};
constexpr std::array kEngineLibraries = {
    EngineLibrary{"ROCKSDB", "ha_rocksdb"}, EngineLibrary{"ARCHIVE", "ha_archive"},
    EngineLibrary{"BLACKHOLE", "ha_blackhole"}, EngineLibrary{"MROONGA", "ha_mroonga"}};
constexpr std::array<std::string_view, 7> kBuiltIn = {"INNODB", "ARIA",   "MYISAM",  "MRG_MYISAM",
                                                      "CSV",    "MEMORY", "SEQUENCE"};
constexpr std::string_view kDefaultAriaBlock = "8192";

bool IsLibraryName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

class Writer {
 public:
  void Line(std::string_view line) { text_ += fmt::format("{}\n", line); }
  // Nothing for an empty value.
  void Value(std::string_view name, std::string_view value) {
    if (value.empty() || !status_.ok()) return;
    const auto quoted = QuoteOption(name, value);
    if (!quoted.ok()) {
      status_ = quoted.status();
      return;
    }
    text_ += fmt::format("{}={}\n", name, *quoted);
  }
  Result<Secret> Take() {
    if (!status_.ok()) return status_;
    return Secret(text_);
  }

 private:
  std::string text_ = "[mariadbd]\n";
  Status status_;
};

std::string SettingOf(const DrillSubject& facts, const std::string& name) {
  const auto found = facts.settings.find(name);
  return found == facts.settings.end() ? "" : found->second;
}

void WriteFileKeys(const keys::KeyOptions& keys, Writer& writer) {
  writer.Value("loose_file_key_management_filename", keys.key_file);
  writer.Value("loose_file_key_management_filekey", keys.key_file_secret.Reveal());
  writer.Value("loose_file_key_management_encryption_algorithm", keys.encryption_algorithm);
  writer.Value("loose_file_key_management_digest", keys.key_file_digest);
  if (keys.key_file_pbkdf2_iterations.value_or(0) != 0) {
    writer.Value("loose_file_key_management_use_pbkdf2",
                 fmt::format("{}", *keys.key_file_pbkdf2_iterations));
  }
}

void WriteVault(const keys::KeyOptions& keys, Writer& writer) {
  writer.Value("loose_hashicorp_key_management_vault_url", keys.vault_url);
  writer.Value("loose_hashicorp_key_management_token", keys.vault_token.Reveal());
  writer.Value("loose_hashicorp_key_management_vault_ca", keys.vault_ca);
}

Status CheckKeySource(const keys::KeyOptions& keys) {
  if (keys.plugin.empty() || keys.command.empty()) return OkStatus();
  return UnsupportedError(
             "the backup is of an encrypted server, and the keys come from a command, which the "
             "server of a drill cannot ask")
      .WithHint("give --file-key-management-filename or --hashicorp-key-management-vault-url");
}

}  // namespace

Result<std::string> QuoteOption(std::string_view name, std::string_view value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (static_cast<uint8_t>(c) < 0x20)
      return UnsupportedError(fmt::format("the value of {} has a control character in it", name));
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

Result<Secret> RenderServerConfig(const ServerConfig& config, const DrillSubject& facts,
                                  const keys::KeyOptions& keys) {
  HBK_RETURN_IF_ERROR(CheckKeySource(keys));
  Writer writer;
  writer.Value("datadir", config.paths.data_dir);
  writer.Value("tmpdir", config.paths.tmp_dir);
  writer.Value("secure_file_priv", config.paths.tmp_dir);
  writer.Value("socket", config.paths.socket);
  writer.Value("pid_file", config.paths.pid);
  writer.Value("log_error", config.paths.error_log);
  if (config.is_root) writer.Line("user=root");
  writer.Value("innodb_buffer_pool_size", fmt::format("{}", config.buffer_pool_bytes));
  if (facts.page_size != 0) writer.Value("innodb_page_size", fmt::format("{}", facts.page_size));
  writer.Value("innodb_data_file_path", facts.data_file_path);
  writer.Value("innodb_undo_tablespaces", facts.undo_tablespaces);
  writer.Value("lower_case_table_names", SettingOf(facts, "lower_case_table_names"));
  const std::string aria_block = SettingOf(facts, "aria_block_size");
  if (aria_block != kDefaultAriaBlock) writer.Value("aria_block_size", aria_block);
  writer.Line(kSettings);
  for (const std::string& library : config.plugin_files)
    writer.Value("plugin_load_add", library + ".so");
  if (!keys.plugin.empty()) {
    if (keys.vault_url.empty()) {
      WriteFileKeys(keys, writer);
    } else {
      WriteVault(keys, writer);
    }
  }
  return writer.Take();
}

std::vector<std::string> LibrariesToLoad(std::string_view plugin_load) {
  std::vector<std::string> libraries;
  while (!plugin_load.empty()) {
    const size_t end = std::min(plugin_load.find(';'), plugin_load.size());
    std::string_view entry = plugin_load.substr(0, end);
    plugin_load.remove_prefix(std::min(end + 1, plugin_load.size()));
    const size_t equals = entry.find('=');
    if (equals != std::string_view::npos) entry.remove_prefix(equals + 1);
    if (entry.ends_with(".so")) entry.remove_suffix(3);
    const bool is_known = entry.ends_with("_key_management") || entry.starts_with("provider_");
    if (is_known && IsLibraryName(entry)) libraries.emplace_back(entry);
  }
  return libraries;
}

std::vector<std::string> LibrariesOfEngines(const std::set<std::string>& engines,
                                            bool has_rocksdb_files) {
  std::vector<std::string> libraries;
  for (const EngineLibrary& one : kEngineLibraries) {
    const bool is_wanted =
        engines.contains(std::string(one.engine)) || (one.engine == "ROCKSDB" && has_rocksdb_files);
    if (is_wanted) libraries.emplace_back(one.library);
  }
  return libraries;
}

bool IsRestoredEngine(std::string_view engine) {
  std::string capitals(engine);
  for (char& c : capitals)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const bool is_built_in = std::find(kBuiltIn.begin(), kBuiltIn.end(), capitals) != kBuiltIn.end();
  return is_built_in ||
         std::any_of(kEngineLibraries.begin(), kEngineLibraries.end(),
                     [&](const EngineLibrary& one) { return one.engine == capitals; });
}

}  // namespace hbk::drill
