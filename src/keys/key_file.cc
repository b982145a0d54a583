#include "key_file.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/crypto/password_file.h"

#include "hex_key.h"

namespace hbk::keys {
namespace {

constexpr uint64_t kKeyFileBytesMax = 1ULL << 20;
constexpr size_t kSecretBytesMax = 256;  // without line ends
constexpr uint64_t kSecretFileBytesMax = 4096;
constexpr uint32_t kSystemKeyId = 1;  // of tables that say nothing, and of the redo log
constexpr uint32_t kOnlyVersion = 1;  // these files have no other
constexpr size_t kListedIdsMax = 10;
constexpr std::string_view kSecretFilePrefix = "FILE:";
constexpr uint64_t kIterationsMax = INT32_MAX;

Status Unusable(std::string message) {
  return {StatusCode::kMissingKey, std::move(message)};
}

Status BadLine(size_t number, std::string_view why) {
  return Unusable(fmt::format("line {}: {}", number, why));
}

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

Status ParseLine(size_t number, std::string_view line, KeysById& keys) {
  while (!line.empty() && IsBlank(line.front()))
    line.remove_prefix(1);
  if (line.empty() || line.front() == '#') return OkStatus();

  uint32_t id = 0;
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, id);
  if (error == std::errc::invalid_argument) {
    return BadLine(number, "it does not begin with the number of a key");
  }
  if (error != std::errc() || id == 0) {
    return BadLine(number, "the number of a key is from 1 to 4294967295");
  }
  line.remove_prefix(static_cast<size_t>(rest - line.data()));
  if (!line.starts_with(';')) return BadLine(number, "';' must follow the number of the key");
  line.remove_prefix(1);
  Result<Secret> key = ParseHexKey(line.substr(0, HexDigitCount(line)));
  if (!key.ok()) return BadLine(number, key.status().message());
  keys[id] = std::move(*key);
  return OkStatus();
}

// Of a file, line ends at its end are not part of the secret.
Result<Secret> ReadSecret(const Secret& given, io::FileSystem& fs) {
  if (!given.Reveal().starts_with(kSecretFilePrefix)) return given;
  const std::string path = given.Reveal().substr(kSecretFilePrefix.size());
  const std::string what = "reading the key file's secret";
  Result<std::string> read = io::ReadFile(fs, path, kSecretFileBytesMax);
  if (!read.ok() && read.status().code() != StatusCode::kCorruption) {
    const bool is_forbidden = read.status().code() == StatusCode::kMissingPrivilege;
    return Status(is_forbidden ? StatusCode::kMissingPrivilege : StatusCode::kMissingKey,
                  read.status().message())
        .WithContext(what)
        .WithHint("--file-key-management-filekey=FILE:PATH says where it is");
  }
  const size_t size = read.ok() ? read->find_last_not_of("\r\n") + 1 : kSecretFileBytesMax;
  if (size > kSecretBytesMax) {
    return Unusable(fmt::format("{} {}: longer than {} bytes", what, path, kSecretBytesMax));
  }
  if (size == 0) return Unusable(fmt::format("{} {}: it is empty", what, path));
  Secret secret(read->substr(0, size));
  std::fill(read->begin(), read->end(), '\0');
  return secret;
}

class KeyFileFetcher final : public KeyFetcher {
 public:
  KeyFileFetcher(const KeyOptions& options, const crypto::PasswordFileOptions& password_options,
                 io::FileSystem& fs)
      : path_(options.key_file),
        secret_(options.key_file_secret),
        password_options_(password_options),
        fs_(fs) {}

  Result<Secret> Fetch(uint32_t id, uint32_t version) override {
    HBK_RETURN_IF_ERROR(LoadOnce());
    if (version != kOnlyVersion) {
      return Unusable(fmt::format("the key file {} has version 1 of its keys only", path_))
          .WithHint(
              "the key is from another plugin than file_key_management: --key-command or "
              "--hashicorp-key-management-vault-url");
    }
    const MutexLock lock(mutex_);
    const auto found = keys_->find(id);
    if (found != keys_->end()) return found->second;
    return Unusable(fmt::format("not in the key file {}, which has {}", path_, ListedIds()))
        .WithHint(
            "--file-key-management-filename must name the file that the server had when the "
            "backup was made, or one with more keys");
  }

  Result<VersionedKey> FetchNewest(uint32_t id) override {
    HBK_ASSIGN_OR_RETURN(Secret key, Fetch(id, kOnlyVersion));
    return VersionedKey{kOnlyVersion, std::move(key)};
  }

 private:
  Status LoadOnce() HBK_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (keys_) return OkStatus();
    }
    Result<KeysById> keys = Load();
    if (!keys.ok()) return keys.status();
    const MutexLock lock(mutex_);
    if (!keys_) keys_ = std::move(*keys);
    return OkStatus();
  }

  Result<KeysById> Load() {
    const std::string what = fmt::format("the key file {}", path_);
    HBK_ASSIGN_OR_RETURN(const Secret bytes, ReadBytes());
    const bool is_encrypted = crypto::IsPasswordFile(AsBytes(bytes.Reveal()));
    if (is_encrypted && secret_.empty()) {
      return Unusable(what + " is encrypted, and no secret is given")
          .WithHint(
              "--file-key-management-filekey=FILE:PATH, where PATH holds the secret of the "
              "server's file_key_management_filekey");
    }
    if (!is_encrypted && !secret_.empty()) {
      return Unusable(what + " is not encrypted, but a secret for it is given")
          .WithHint("leave out --file-key-management-filekey, or name the encrypted file");
    }
    if (!is_encrypted) return Parsed(bytes, what);
    HBK_ASSIGN_OR_RETURN(const Secret secret, ReadSecret(secret_, fs_));
    const Result<Secret> plain =
        crypto::DecryptPasswordFile(AsBytes(bytes.Reveal()), secret, password_options_);
    if (!plain.ok()) return AsWrongSecret(plain.status().WithContext(what));
    // One wrong secret in 256 leaves an ending that looks right, and noise before it.
    Result<KeysById> keys = Parsed(*plain, what + ", decrypted");
    return keys.ok() ? std::move(keys) : AsWrongSecret(keys.status());
  }

  static Result<KeysById> Parsed(const Secret& text, const std::string& what) {
    Result<KeysById> keys = ParseKeyFile(text.Reveal());
    if (!keys.ok()) return keys.status().WithContext(what);
    return keys;
  }

  static Status AsWrongSecret(const Status& status) {
    return Unusable(status.message())
        .WithHint(
            "--file-key-management-filekey, -digest and -use-pbkdf2 must be those that the file "
            "was encrypted with");
  }

  Result<Secret> ReadBytes() {
    Result<std::string> bytes = io::ReadFile(fs_, path_, kKeyFileBytesMax);
    if (bytes.ok()) {
      Secret secret(*bytes);
      std::fill(bytes->begin(), bytes->end(), '\0');
      return secret;
    }
    const bool is_forbidden = bytes.status().code() == StatusCode::kMissingPrivilege;
    return Status(is_forbidden ? StatusCode::kMissingPrivilege : StatusCode::kMissingKey,
                  bytes.status().message())
        .WithContext("reading the key file")
        .WithHint("--file-key-management-filename=FILE says where it is on this machine");
  }

  [[nodiscard]] std::string ListedIds() const HBK_REQUIRES(mutex_) {
    std::string ids = keys_->size() == 1 ? "key" : "keys";
    size_t count = 0;
    for (const auto& [id, key] : *keys_) {
      if (++count > kListedIdsMax) return fmt::format("{}, ... ({} keys)", ids, keys_->size());
      ids += fmt::format("{} {}", count == 1 ? "" : ",", id);
    }
    return ids;
  }

  const std::string path_;
  const Secret secret_;
  const crypto::PasswordFileOptions password_options_;
  io::FileSystem& fs_;
  Mutex mutex_;
  std::optional<KeysById> keys_ HBK_GUARDED_BY(mutex_);
};

}  // namespace

Result<KeysById> ParseKeyFile(std::string_view text) {
  KeysById keys;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    HBK_RETURN_IF_ERROR(ParseLine(number, text.substr(0, end), keys));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!keys.contains(kSystemKeyId)) {
    return Unusable("it has no key 1, which every server needs");
  }
  return keys;
}

Result<std::unique_ptr<KeyFetcher>> MakeKeyFileFetcher(const KeyOptions& options,
                                                       io::FileSystem& fs) {
  crypto::PasswordFileOptions password_options;
  if (!options.key_file_digest.empty()) {
    const auto digest = crypto::PasswordDigestByName(options.key_file_digest);
    if (!digest) {
      return UsageError(fmt::format("digest '{}' of the key file", options.key_file_digest))
          .WithHint("the digests are sha1, sha224, sha256, sha384 and sha512");
    }
    password_options.digest = *digest;
  }
  const uint64_t iterations = options.key_file_pbkdf2_iterations.value_or(0);
  if (iterations > kIterationsMax) {
    return UsageError(
        fmt::format("{} iterations of PBKDF2; at most {}", iterations, kIterationsMax));
  }
  password_options.pbkdf2_iterations = static_cast<uint32_t>(iterations);
  return std::unique_ptr<KeyFetcher>(
      std::make_unique<KeyFileFetcher>(options, password_options, fs));
}

}  // namespace hbk::keys
