// How a user, a server or a backup says where encryption keys are.
//
// Three sources: a key file of the plugin file_key_management, a command, a HashiCorp Vault. The
// first of command, Vault and file that is said is the one that is used.
//
// Names    Settings have the names of the server's variables ("file_key_management_filename");
//          kEncryptionPluginSetting is ours.
// Threads  Values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::keys {

// Name of the plugin that encrypted: "file_key_management", "hashicorp_key_management", ...
constexpr std::string_view kEncryptionPluginSetting = "encryption_plugin";

struct KeyOptions {
  // The key file, as file_key_management_* describes it.
  std::string key_file;
  Secret key_file_secret;            // of an encrypted file: the secret, or "FILE:" and a path
  std::string encryption_algorithm;  // aes_cbc, aes_ctr; empty: aes_cbc. Also with a command
  std::string key_file_digest;       // sha1, sha224, ..., sha512; empty: sha1
  std::optional<uint64_t> key_file_pbkdf2_iterations;  // 0: no PBKDF2, as without

  // A program that prints keys; for the shell.
  std::string command;
  uint32_t command_timeout_s = 30;

  // Vault, as hashicorp_key_management_* describes it.
  std::string vault_url;         // "https://host:8200/v1/mount"
  Secret vault_token;            // empty: from vault_token_file
  std::string vault_token_file;  // holds the token in its first line
  std::string vault_ca;          // certificates to trust; empty: those of the system
  uint32_t vault_timeout_s = 15;
  uint32_t vault_max_retries = 3;
  bool vault_allow_http = false;  // tokens and keys would cross the network in the clear

  // What the server encrypted with, where a backup says it; for advice.
  std::string plugin;

  [[nodiscard]] bool HasSource() const {
    return !key_file.empty() || !command.empty() || !vault_url.empty();
  }
};

using Settings = std::map<std::string, std::string>;

// Of a server's variables, those that a backup records: never a token, never a literal secret.
// `plugin` is the name of the active encryption plugin, empty if there is none.
Settings RecordableKeySettings(const Settings& variables, std::string_view plugin);

// All that was said on this machine. An option file of the server that happens to be here counts
// less than what the backup recorded of the server that it is of.
struct GivenKeyOptions {
  KeyOptions user;    // command line, environment, groups of option files for tools
  KeyOptions server;  // groups of option files for servers
};

// The options that count: the user's, then those that a manifest or a backup-my.cnf recorded
// (other settings are not looked at), then the server's. The first of them with a source says which
// source it is; what belongs to this source is taken from the others if they name the same one.
// kCorruption: a recorded number that is none.
Result<KeyOptions> ChooseKeyOptions(const GivenKeyOptions& given, const Settings& recorded);

// For the log: "key file /etc/mysql/keys.txt", "the key command", "Vault https://...". No secret.
std::string DescribeKeySource(const KeyOptions& options);

// What is worth a warning, as a key file that everybody may read.
std::vector<std::string> KeyOptionWarnings(const KeyOptions& options, io::FileSystem& fs);

}  // namespace hbk::keys
