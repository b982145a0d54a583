#include "hbk/seal/sealing_keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "hbk/io/child_process.h"

namespace hbk::seal {
namespace {

constexpr uint64_t kKeyFileBytesMax = 4096;
constexpr size_t kPassphraseBytesMax = 1024;
constexpr size_t kShownErrorBytes = 300;
constexpr std::string_view kBlanks = " \t\r\n";
constexpr uint32_t kReadableByOthers = 0004;
// What a shell answers for a program that is not there, or is none.
constexpr int kCannotRun = 126;
constexpr int kNoSuchProgram = 127;

constexpr size_t kHexDigits = 2 * SealingKey::kKeyBytes;
constexpr size_t kBase64Digits = (8 * SealingKey::kKeyBytes + 5) / 6;  // without '='

Status Unusable(std::string message) {
  return {StatusCode::kMissingKey, std::move(message)};
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

// `bits` a digit, the first one highest; bits that are left over are zeros. Empty: other
// characters.
Secret Decode(std::string_view digits, int bits, int (*value_of)(char)) {
  std::string bytes;
  bytes.reserve(SealingKey::kKeyBytes);  // so that no smaller copy is left behind
  uint32_t pending = 0;
  int pending_bits = 0;
  bool is_good = true;
  for (const char digit : digits) {
    const int value = value_of(digit);
    is_good = is_good && value >= 0;
    pending = (pending << bits | (static_cast<uint32_t>(value) & 0x3F)) & 0xFFFF;
    pending_bits += bits;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    bytes += static_cast<char>(pending >> pending_bits & 0xFF);
  }
  is_good = is_good && (pending & ((1U << pending_bits) - 1)) == 0;
  Secret decoded(std::move(bytes));
  return is_good ? decoded : Secret();
}

// As a secret: wiped, whatever is made of it.
Result<Secret> ReadSecretFile(io::FileSystem& fs, const std::string& path) {
  Result<std::string> bytes = io::ReadFile(fs, path, kKeyFileBytesMax);
  if (bytes.ok()) return Secret(std::move(*bytes));
  const bool is_forbidden = bytes.status().code() == StatusCode::kMissingPrivilege;
  return Status(is_forbidden ? StatusCode::kMissingPrivilege : StatusCode::kMissingKey,
                bytes.status().message());
}

Result<Secret> ReadKeyFile(io::FileSystem& fs, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const Secret bytes, ReadSecretFile(fs, path));
  return ParseSealingKey(bytes.Reveal());
}

Result<Secret> ReadPassphraseFile(io::FileSystem& fs, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const Secret bytes, ReadSecretFile(fs, path));
  const std::string& text = bytes.Reveal();
  const size_t size = text.find_last_not_of("\r\n") + 1;
  if (size == 0) return Unusable("there is no passphrase in it");
  if (size > kPassphraseBytesMax) {
    return Unusable(fmt::format("a passphrase has at most {} bytes", kPassphraseBytesMax));
  }
  return Secret(text.substr(0, size));
}

// One line that a terminal can show.
std::string Shown(std::string_view err) {
  std::string shown(Trim(err).substr(0, kShownErrorBytes));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return shown.empty() ? "it wrote nothing to stderr" : shown;
}

Result<Secret> RunKeyCommand(const SealingKeyOptions& options, const std::stop_token& stop) {
  io::ChildLimits limits;
  limits.timeout_ms = uint64_t{options.command_timeout_s} * 1000;
  HBK_ASSIGN_OR_RETURN(const io::ChildResult result,
                       io::RunShellCommand(options.command.Reveal(), {}, limits, stop));
  if (result.signal_number != 0) {
    return FailedError(
        fmt::format("signal {} ended it: {}", result.signal_number, Shown(result.err)));
  }
  if (result.exit_code == kCannotRun || result.exit_code == kNoSuchProgram) {
    return FailedError(fmt::format("it cannot be run: {}", Shown(result.err)))
        .WithHint("the command is run by /bin/sh, and prints a key");
  }
  if (result.exit_code != 0) {
    return Unusable(
        fmt::format("it ended with exit code {}: {}", result.exit_code, Shown(result.err)));
  }
  return ParseSealingKey(result.out.Reveal());
}

// A slot says whose it is; directories say more than anybody needs.
std::string FileLabel(std::string_view what, const std::string& path) {
  std::string label = fmt::format("{} {}", what, io::BaseName(path));
  return CheckSlotLabel(label).ok() ? label : std::string(what);
}

class Collector {
 public:
  Status Take(SealingKeyKind kind, std::string origin, std::string label, Result<Secret> secret) {
    if (!secret.ok()) return secret.status().WithContext(origin);
    keys_.push_back({kind, std::move(*secret), std::move(origin), std::move(label)});
    return OkStatus();
  }
  std::vector<SealingKey> TakeKeys() { return std::move(keys_); }

 private:
  std::vector<SealingKey> keys_;
};

}  // namespace

Result<Secret> ParseSealingKey(std::string_view text) {
  // Bytes first: random ones may look like anything.
  if (text.size() == SealingKey::kKeyBytes) return Secret(std::string(text));
  text = Trim(text);
  if (text.empty()) return Unusable("there is no key in it");
  Secret key;
  if (text.size() == kHexDigits) {
    key = Decode(text, 4, HexValue);
  } else if (text.size() == kBase64Digits ||
             (text.size() == kBase64Digits + 1 && text.back() == '=')) {
    key = Decode(text.substr(0, kBase64Digits), 6, Base64Value);
  }
  if (key.empty()) {
    return Unusable("not a key: neither 32 bytes nor 64 hex digits nor 44 characters of base64")
        .WithHint("'openssl rand -hex 32' makes a key");
  }
  return key;
}

Result<std::vector<SealingKey>> OpenSealingKeys(const SealingKeyOptions& options,
                                                io::FileSystem& fs, std::stop_token stop) {
  using enum SealingKeyKind;
  Collector collector;
  for (const std::string& path : options.key_files) {
    HBK_RETURN_IF_ERROR(collector.Take(kKey, fmt::format("the key file {}", path),
                                       FileLabel("key file", path), ReadKeyFile(fs, path)));
  }
  if (!options.key.empty()) {
    // 32 characters are no bytes of a key here, but a key that is too short.
    const std::string& text = options.key.Reveal();
    Result<Secret> key = text.size() == SealingKey::kKeyBytes
                             ? Unusable("32 characters; a key is 64 hex digits or base64")
                             : ParseSealingKey(text);
    HBK_RETURN_IF_ERROR(collector.Take(kKey, "the given key", "key", std::move(key)));
  }
  if (!options.command.empty()) {
    HBK_RETURN_IF_ERROR(collector.Take(kKey, "the key of the command", "key command",
                                       RunKeyCommand(options, stop)));
  }
  for (const std::string& path : options.passphrase_files) {
    HBK_RETURN_IF_ERROR(collector.Take(kPassphrase, fmt::format("the passphrase file {}", path),
                                       FileLabel("passphrase file", path),
                                       ReadPassphraseFile(fs, path)));
  }
  if (!options.passphrase.empty()) {
    HBK_RETURN_IF_ERROR(
        collector.Take(kPassphrase, "the passphrase", "passphrase", options.passphrase));
  }
  return collector.TakeKeys();
}

std::vector<std::string> SealingKeyWarnings(const SealingKeyOptions& options, io::FileSystem& fs) {
  std::vector<std::string> warnings;
  const auto check = [&](std::string_view what, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      const Result<io::FileInfo> info = fs.Stat(path, /*follow=*/true);
      if (!info.ok() || (info->mode & kReadableByOthers) == 0) continue;
      warnings.push_back(
          fmt::format("the {} {} can be read by every user of this machine", what, path));
    }
  };
  check("key file", options.key_files);
  check("passphrase file", options.passphrase_files);
  return warnings;
}

}  // namespace hbk::seal
