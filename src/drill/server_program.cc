#include "server_program.h"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "hbk/io/child_process.h"

namespace hbk::drill {
namespace {

constexpr std::string_view kServerPlaces =
    "/usr/sbin:/usr/local/sbin:/usr/libexec:/usr/local/mysql/bin:/usr/local/mariadb/bin";
constexpr std::string_view kHint = "--mariadbd=FILE names the server to start";
constexpr io::ChildLimits kLimits = {
    .timeout_ms = 60000, .stdout_bytes_max = 4 << 20, .stderr_bytes_kept = 4096};
// The shell becomes the program; nothing in its words is taken for the shell's.
constexpr const char* kRun = "exec";

bool IsProgram(io::FileSystem& fs, const std::string& path) {
  const auto info = fs.Stat(path, /*follow=*/true);
  return info.ok() && info->type == io::FileType::kRegular && (info->mode & 0111U) != 0;
}

// Empty: none of the directories has it.
std::string FindIn(io::FileSystem& fs, std::string_view name, std::string_view directories) {
  while (!directories.empty()) {
    const size_t end = std::min(directories.find(':'), directories.size());
    const std::string_view directory = directories.substr(0, end);
    directories.remove_prefix(std::min(end + 1, directories.size()));
    // A relative one would be looked up where the server works.
    if (!directory.starts_with('/')) continue;
    std::string path = io::JoinPath(directory, name);
    if (IsProgram(fs, path)) return path;
  }
  return "";
}

Result<std::string> Ask(const std::string& path, std::vector<std::string> words,
                        const std::stop_token& stop) {
  words.insert(words.begin(), path);
  HBK_ASSIGN_OR_RETURN(const io::ChildResult result,
                       io::RunShellCommand(kRun, words, kLimits, stop));
  if (result.exit_code != 0 || result.signal_number != 0) {
    return UnsupportedError(fmt::format("{} cannot be run: exit code {}, signal {}: {}", path,
                                        result.exit_code, result.signal_number, result.err))
        .WithHint(kHint);
  }
  return result.out.Reveal();
}

}  // namespace

Result<std::string> FindProgram(io::FileSystem& fs, const std::string& said,
                                std::string_view search_path) {
  if (said.find('/') != std::string::npos) {
    if (IsProgram(fs, said)) return said;
    return NotFoundError(fmt::format("--mariadbd={}: no such program", said)).WithHint(kHint);
  }
  const std::vector<std::string> names = said.empty()
                                             ? std::vector<std::string>{"mariadbd", "mysqld"}
                                             : std::vector<std::string>{said};
  for (const std::string_view places : {search_path, kServerPlaces}) {
    for (const std::string& name : names) {
      std::string path = FindIn(fs, name, places);
      if (!path.empty()) return path;
    }
  }
  return NotFoundError(
             fmt::format("no program {} in PATH, nor where servers usually are", names.front()))
      .WithHint(kHint);
}

Result<std::string> FindClientProgram(io::FileSystem& fs, const std::string& server_path,
                                      std::string_view search_path) {
  const std::string beside = io::DirName(server_path);
  const std::string places = fmt::format("{}:{}:{}:/usr/bin", beside,
                                         io::JoinPath(io::DirName(beside), "bin"), search_path);
  for (const std::string_view name : {"mariadb", "mysql"}) {
    std::string path = FindIn(fs, name, places);
    if (!path.empty()) return path;
  }
  return NotFoundError(
      "no client program mariadb beside the server or in PATH: --sql-file needs it");
}

std::optional<std::string> ParseVersionLine(std::string_view text) {
  constexpr std::string_view kWord = "Ver ";
  const size_t at = text.find(kWord);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + kWord.size());
  const std::string version(text.substr(0, text.find_first_of(" \n")));
  if (version.find("MariaDB") == std::string::npos || !server::ParseServerVersion(version))
    return std::nullopt;
  return version;
}

std::string ParsePluginDir(std::string_view text) {
  constexpr std::string_view kName = "\nplugin-dir ";
  const size_t at = text.find(kName);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + kName.size());
  text = text.substr(0, text.find('\n'));
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos || text[begin] != '/') return "";
  text.remove_prefix(begin);
  while (!text.empty() && (text.back() == ' ' || (text.back() == '/' && text.size() > 1)))
    text.remove_suffix(1);
  return std::string(text);
}

Result<ServerProgram> AskServerProgram(const std::string& path, const std::stop_token& stop) {
  ServerProgram program;
  program.path = path;
  HBK_ASSIGN_OR_RETURN(const std::string said, Ask(path, {"--no-defaults", "--version"}, stop));
  const auto version = ParseVersionLine(said);
  if (!version) {
    return UnsupportedError(fmt::format("{} does not say a version of MariaDB: {}", path,
                                        said.substr(0, said.find('\n'))))
        .WithHint(kHint);
  }
  program.version_text = *version;
  program.version = *server::ParseServerVersion(*version);
  // Without --user it may refuse to say anything to root. What it cannot say is not needed by every
  // backup.
  const auto help = Ask(path, {"--no-defaults", "--user=root", "--verbose", "--help"}, stop);
  if (help.status().code() == StatusCode::kInterrupted) return help.status();
  if (help.ok()) program.plugin_dir = ParsePluginDir(*help);
  return program;
}

bool IsSameSeries(const server::ServerVersion& a, const server::ServerVersion& b) {
  return a.major == b.major && a.minor == b.minor;
}

Status CheckFits(const ServerProgram& program, std::string_view backup_version) {
  const auto backup = server::ParseServerVersion(backup_version);
  if (!backup || IsSameSeries(*backup, program.version) || *backup < program.version)
    return OkStatus();
  return UnsupportedError(fmt::format("{} is MariaDB {}, and the backup is of {}: an older server "
                                      "does not start on the files of a newer one",
                                      program.path, program.version_text, backup_version))
      .WithHint(kHint);
}

}  // namespace hbk::drill
