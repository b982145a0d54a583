#include "hbk/keys/key_options.h"

#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace hbk::keys {
namespace {

constexpr std::string_view kFileName = "file_key_management_filename";
constexpr std::string_view kFileSecret = "file_key_management_filekey";
constexpr std::string_view kFileAlgorithm = "file_key_management_encryption_algorithm";
constexpr std::string_view kFileDigest = "file_key_management_digest";
constexpr std::string_view kFilePbkdf2 = "file_key_management_use_pbkdf2";
constexpr std::string_view kVaultUrl = "hashicorp_key_management_vault_url";
constexpr std::string_view kVaultCa = "hashicorp_key_management_vault_ca";
constexpr std::array kRecordedNames = {kFileName,   kFileSecret, kFileAlgorithm, kFileDigest,
                                       kFilePbkdf2, kVaultUrl,   kVaultCa};

constexpr std::string_view kSecretFilePrefix = "FILE:";
constexpr uint32_t kReadableByOthers = 0004;

std::string Find(const Settings& settings, std::string_view name) {
  const auto found = settings.find(std::string(name));
  return found == settings.end() ? "" : found->second;
}

// A server reads relative paths in its data directory.
std::string AbsolutePath(const std::string& path, const Settings& variables) {
  if (path.empty() || path.front() == '/') return path;
  return io::JoinPath(Find(variables, "datadir"), path);
}

Result<KeyOptions> OptionsFromSettings(const Settings& settings) {
  KeyOptions options;
  options.plugin = Find(settings, kEncryptionPluginSetting);
  options.key_file = Find(settings, kFileName);
  options.key_file_secret = Secret(Find(settings, kFileSecret));
  options.encryption_algorithm = Find(settings, kFileAlgorithm);
  options.key_file_digest = Find(settings, kFileDigest);
  options.vault_url = Find(settings, kVaultUrl);
  options.vault_ca = Find(settings, kVaultCa);
  const std::string iterations = Find(settings, kFilePbkdf2);
  if (!iterations.empty()) {
    uint64_t number = 0;
    const char* const end = iterations.data() + iterations.size();
    const auto [rest, error] = std::from_chars(iterations.data(), end, number);
    if (error != std::errc() || rest != end) {
      return CorruptionError(fmt::format("{} is '{}', not a number", kFilePbkdf2, iterations));
    }
    options.key_file_pbkdf2_iterations = number;
  }
  return options;
}

template <typename T>
void TakeIfEmpty(T& value, const T& other) {
  if (value.empty()) value = other;
}

// `options` wins; see ChooseKeyOptions().
void AddMissing(KeyOptions& options, const KeyOptions& other) {
  const bool may_name_source = !options.HasSource();
  if (may_name_source) {
    options.command = other.command;
    options.vault_url = other.vault_url;
    options.key_file = other.key_file;
  }
  if (may_name_source || options.key_file == other.key_file) {
    TakeIfEmpty(options.key_file_secret, other.key_file_secret);
    TakeIfEmpty(options.key_file_digest, other.key_file_digest);
    if (!options.key_file_pbkdf2_iterations) {
      options.key_file_pbkdf2_iterations = other.key_file_pbkdf2_iterations;
    }
  }
  if (may_name_source || options.vault_url == other.vault_url) {
    if (options.vault_token.empty() && options.vault_token_file.empty()) {
      options.vault_token = other.vault_token;
      options.vault_token_file = other.vault_token_file;
    }
    TakeIfEmpty(options.vault_ca, other.vault_ca);
  }
  TakeIfEmpty(options.encryption_algorithm, other.encryption_algorithm);
  TakeIfEmpty(options.plugin, other.plugin);
}

}  // namespace

Settings RecordableKeySettings(const Settings& variables, std::string_view plugin) {
  Settings recorded;
  if (plugin.empty()) return recorded;
  recorded[std::string(kEncryptionPluginSetting)] = plugin;
  for (const std::string_view name : kRecordedNames) {
    std::string value = Find(variables, name);
    if (name == kFileName) value = AbsolutePath(value, variables);
    if (name == kFileSecret) {
      if (!value.starts_with(kSecretFilePrefix)) continue;
      value.erase(0, kSecretFilePrefix.size());
      value = std::string(kSecretFilePrefix) + AbsolutePath(value, variables);
    }
    if (!value.empty()) recorded[std::string(name)] = value;
  }
  return recorded;
}

Result<KeyOptions> ChooseKeyOptions(const GivenKeyOptions& given, const Settings& recorded) {
  Result<KeyOptions> from_backup = OptionsFromSettings(recorded);
  if (!from_backup.ok()) {
    return from_backup.status().WithContext("what the backup says of encryption");
  }
  KeyOptions options = given.user;
  AddMissing(options, *from_backup);
  AddMissing(options, given.server);
  return options;
}

std::string DescribeKeySource(const KeyOptions& options) {
  if (!options.command.empty()) return "the key command";
  if (!options.vault_url.empty()) return fmt::format("the Vault {}", options.vault_url);
  if (!options.key_file.empty()) return fmt::format("the key file {}", options.key_file);
  return "no source of keys";
}

std::vector<std::string> KeyOptionWarnings(const KeyOptions& options, io::FileSystem& fs) {
  std::vector<std::string> warnings;
  const auto check = [&](std::string_view what, const std::string& path) {
    if (path.empty()) return;
    const Result<io::FileInfo> info = fs.Stat(path, /*follow=*/true);
    if (!info.ok() || (info->mode & kReadableByOthers) == 0) return;
    warnings.push_back(fmt::format("{} {} can be read by every user of this machine", what, path));
  };
  if (!options.command.empty()) return warnings;
  if (!options.vault_url.empty()) {
    check("the file with the Vault's token,", options.vault_token_file);
    return warnings;
  }
  check("the key file", options.key_file);
  const std::string& secret = options.key_file_secret.Reveal();
  if (secret.starts_with(kSecretFilePrefix)) {
    check("the key file's secret,", secret.substr(kSecretFilePrefix.size()));
  }
  return warnings;
}

}  // namespace hbk::keys
