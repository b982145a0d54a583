#include "key_command.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/mutex.h"

#include "hex_key.h"

namespace hbk::keys {
namespace {

constexpr std::string_view kNewest = "newest";
constexpr std::string_view kBlanks = " \t\r\n";
constexpr size_t kShownErrorBytes = 300;
// What a shell answers for a program that is not there, or is none.
constexpr int kCannotRun = 126;
constexpr int kNoSuchProgram = 127;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// One line that a terminal can show.
std::string Shown(std::string_view err) {
  std::string shown(Trim(err).substr(0, kShownErrorBytes));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return shown.empty() ? "it wrote nothing to stderr" : shown;
}

struct Printed {
  std::optional<uint32_t> version;
  Secret key;
};

Result<Printed> ParsePrinted(std::string_view text) {
  Printed printed;
  text = Trim(text);
  if (text.empty()) return Status(StatusCode::kMissingKey, "the key command printed nothing");
  const size_t blank = text.find_first_of(kBlanks);
  if (blank != std::string_view::npos) {
    uint32_t version = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + blank, version);
    if (error != std::errc() || rest != text.data() + blank || version == 0) {
      return Status(StatusCode::kMissingKey,
                    "the key command printed several words, and the first is no version");
    }
    printed.version = version;
    text = Trim(text.substr(blank));
  }
  Result<Secret> key = ParseHexKey(text);
  if (!key.ok()) return key.status().WithContext("from the key command");
  printed.key = std::move(*key);
  return printed;
}

class CommandFetcher final : public KeyFetcher {
 public:
  explicit CommandFetcher(RunCommand run) : run_(std::move(run)) {}

  Result<Secret> Fetch(uint32_t id, uint32_t version) override {
    HBK_ASSIGN_OR_RETURN(Printed printed, Ask(id, std::to_string(version)));
    if (printed.version.value_or(version) != version) {
      return Status(StatusCode::kMissingKey,
                    fmt::format("the key command printed version {}", *printed.version));
    }
    NoteVersion(id, version);
    return std::move(printed.key);
  }

  // A command that knows nothing of "newest" is asked for what is sure to be there: the highest
  // version that it has given, or the first.
  Result<VersionedKey> FetchNewest(uint32_t id) override {
    Result<Printed> printed = Ask(id, std::string(kNewest));
    if (printed.ok() && printed->version) {
      return VersionedKey{*printed->version, std::move(printed->key)};
    }
    if (!printed.ok() && printed.status().code() != StatusCode::kMissingKey) {
      return printed.status();
    }
    const uint32_t version = KnownVersion(id);
    Result<Secret> key = Fetch(id, version);
    if (!key.ok()) {
      return key.status().WithContext(
          fmt::format("version {}, as the command names no newest one", version));
    }
    return VersionedKey{version, std::move(*key)};
  }

 private:
  Result<Printed> Ask(uint32_t id, const std::string& version) {
    HBK_ASSIGN_OR_RETURN(const io::ChildResult result, run_({std::to_string(id), version}));
    if (result.signal_number != 0) {
      return FailedError(fmt::format("signal {} ended the key command: {}", result.signal_number,
                                     Shown(result.err)));
    }
    if (result.exit_code == kCannotRun || result.exit_code == kNoSuchProgram) {
      return FailedError(fmt::format("the key command cannot be run: {}", Shown(result.err)))
          .WithHint("--key-command=\"/path/to/program arguments\" is run by /bin/sh");
    }
    if (result.exit_code != 0) {
      return Status(StatusCode::kMissingKey,
                    fmt::format("the key command ended with exit code {}: {}", result.exit_code,
                                Shown(result.err)))
          .WithHint("it is run with the key's id and version as its last two words");
    }
    return ParsePrinted(result.out.Reveal());
  }

  void NoteVersion(uint32_t id, uint32_t version) HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    uint32_t& known = known_versions_[id];
    known = std::max(known, version);
  }
  uint32_t KnownVersion(uint32_t id) HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = known_versions_.find(id);
    return found == known_versions_.end() ? 1 : found->second;
  }

  const RunCommand run_;
  Mutex mutex_;
  std::map<uint32_t, uint32_t> known_versions_ HBK_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<KeyFetcher> MakeCommandFetcher(RunCommand run) {
  return std::make_unique<CommandFetcher>(std::move(run));
}

std::unique_ptr<KeyFetcher> MakeCommandFetcher(const KeyOptions& options, std::stop_token stop) {
  io::ChildLimits limits;
  limits.timeout_ms = uint64_t{options.command_timeout_s} * 1000;
  return MakeCommandFetcher([command = options.command, limits,
                             stop = std::move(stop)](const std::vector<std::string>& arguments) {
    return io::RunShellCommand(command, arguments, limits, stop);
  });
}

}  // namespace hbk::keys
