#include "laying_state.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

constexpr uint64_t kStateBytesMax = 1 << 20;
constexpr uint32_t kStateMode = 0600;
constexpr std::string_view kPhaseWord = "phase ";
constexpr std::string_view kIncrementWord = "increment ";
constexpr std::array<std::pair<LayingPhase, std::string_view>, 3> kPhases = {
    {{LayingPhase::kBegun, "begun"}, {LayingPhase::kNamed, "named"}, {LayingPhase::kLaid, "laid"}}};

bool ParseLine(std::string_view line, LayingState& state) {
  if (line.starts_with(kPhaseWord)) {
    for (const auto& [phase, name] : kPhases) {
      if (line.substr(kPhaseWord.size()) != name) continue;
      state.phase = phase;
      return true;
    }
    return false;
  }
  if (!line.starts_with(kIncrementWord)) return false;
  line.remove_prefix(kIncrementWord.size());
  const size_t blank = line.find(' ');
  if (blank == 0 || blank == std::string_view::npos) return false;
  state.increments.push_back(
      {.uuid = std::string(line.substr(0, blank)), .dir = std::string(line.substr(blank + 1))});
  return true;
}

}  // namespace

std::string LayingState::Command(const std::string& dir) const {
  std::string command = "hbk prepare --target-dir=" + dir;
  for (const Increment& increment : increments)
    command += " --incremental-dir=" + increment.dir;
  return command;
}

std::vector<std::string> LayingState::Uuids() const {
  std::vector<std::string> uuids;
  uuids.reserve(increments.size());
  for (const Increment& increment : increments)
    uuids.push_back(increment.uuid);
  return uuids;
}

Result<std::optional<LayingState>> LoadLayingState(io::FileSystem& fs, const std::string& dir) {
  const std::string path = io::JoinPath(dir, kLayingStateName);
  const auto text = io::ReadFile(fs, path, kStateBytesMax);
  if (text.status().code() == StatusCode::kNotFound) return std::optional<LayingState>();
  HBK_RETURN_IF_ERROR(text.status());
  LayingState state;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos || !ParseLine(rest.substr(0, end), state))
      return CorruptionError(fmt::format("{} cannot be read", path));
    rest.remove_prefix(end + 1);
  }
  if (state.increments.empty()) return CorruptionError(fmt::format("{} names nothing", path));
  return std::optional<LayingState>(std::move(state));
}

Status StoreLayingState(io::FileSystem& fs, const std::string& dir, const LayingState& state) {
  std::string text;
  for (const auto& [phase, name] : kPhases)
    if (phase == state.phase) text = fmt::format("{}{}\n", kPhaseWord, name);
  for (const LayingState::Increment& increment : state.increments)
    text += fmt::format("{}{} {}\n", kIncrementWord, increment.uuid, increment.dir);
  return io::WriteFileAtomically(fs, io::JoinPath(dir, kLayingStateName), text, kStateMode);
}

Status RemoveLayingState(io::FileSystem& fs, const std::string& dir) {
  const Status removed = fs.Remove(io::JoinPath(dir, kLayingStateName));
  if (removed.code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(removed);
  return fs.SyncDirectory(dir);
}

}  // namespace hbk::prepare
