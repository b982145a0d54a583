#include "option_file_set.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include <sys/stat.h>

#include <fmt/format.h>

#include "foreign_options.h"
#include "wipe.h"

namespace hbk::cli {
namespace {

constexpr uint64_t kFileBytesMax = 1ULL << 20;
constexpr int kIncludeDepthMax = 10;
// Files that include each other twice grow as 2^depth.
constexpr size_t kFilesMax = 500;

// Follows symlinks, as /etc/mysql/my.cnf is one on Debian.
Result<std::string> ReadText(io::FileSystem& fs, const std::string& path) {
  io::OpenOptions options;
  options.follow = true;
  HBK_ASSIGN_OR_RETURN(std::unique_ptr<io::File> file, fs.Open(path, options));
  std::vector<uint8_t> bytes(kFileBytesMax + 1);
  HBK_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(0, bytes));
  HBK_RETURN_IF_ERROR(file->Close());
  if (size > kFileBytesMax) return UsageError(fmt::format("option file {}: over 1 MiB", path));
  std::string text(AsText(ByteView(bytes).first(size)));
  explicit_bzero(bytes.data(), bytes.size());
  return text;
}

class Loader {
 public:
  explicit Loader(io::FileSystem& fs) : fs_(fs) {}

  // `is_named`: the user named this file, so that it must be there.
  Status Load(const std::string& path, bool is_named, int depth) {
    const Result<io::FileInfo> info = fs_.Stat(path, true);
    if (!info.ok() || info->type != io::FileType::kRegular) {
      const std::string why = info.ok() ? "not a regular file" : info.status().message();
      if (is_named) return UsageError(fmt::format("option file {}: {}", path, why));
      if (info.ok() || info.status().code() != StatusCode::kNotFound || depth > 0) {
        result_.remarks.push_back(fmt::format("option file {} left out: {}", path, why));
      }
      return OkStatus();
    }
    if ((info->mode & S_IWOTH) != 0) {
      result_.warnings.push_back(
          fmt::format("option file {} left out: everybody may write to it", path));
      return OkStatus();
    }
    Result<std::string> text = ReadText(fs_, path);
    if (!text.ok()) {
      if (is_named || text.status().code() == StatusCode::kUsage) return AsUsage(text.status());
      result_.remarks.push_back(
          fmt::format("option file {} left out: {}", path, text.status().message()));
      return OkStatus();
    }
    if (result_.read_files.size() >= kFilesMax) {
      return UsageError(fmt::format("option file {}: more than {} files", path, kFilesMax));
    }
    result_.read_files.push_back(path);
    Result<std::vector<OptionFileLine>> lines = ParseOptionFile(*text, path);
    WipeText(*text);
    HBK_RETURN_IF_ERROR(lines.status());
    return TakeLines(path, std::move(*lines), depth);
  }

  OptionFileSet TakeResult() { return std::move(result_); }

 private:
  static Status AsUsage(const Status& status) {
    return status.code() == StatusCode::kUsage ? status : UsageError(status.message());
  }

  Status TakeLines(const std::string& path, std::vector<OptionFileLine> lines, int depth) {
    using Kind = OptionFileLine::Kind;
    for (OptionFileLine& line : lines) {
      if (line.kind == Kind::kSetting) {
        result_.settings.push_back({path, std::move(line)});
        continue;
      }
      const std::string place = fmt::format("option file {}, line {}", path, line.line);
      const std::string target = line.value.value_or("");
      if (line.kind == Kind::kUnknownDirective || target.empty()) {
        result_.remarks.push_back(fmt::format("{}: '{}' means nothing", place, line.key));
        continue;
      }
      if (depth + 1 > kIncludeDepthMax) {
        result_.warnings.push_back(fmt::format("{}: {} left out, as {} files include each other",
                                               place, target, kIncludeDepthMax));
        continue;
      }
      HBK_RETURN_IF_ERROR(line.kind == Kind::kInclude ? Load(target, false, depth + 1)
                                                      : LoadDirectory(target, place, depth + 1));
    }
    return OkStatus();
  }

  Status LoadDirectory(const std::string& path, const std::string& place, int depth) {
    const Result<std::vector<io::DirectoryEntry>> entries = fs_.List(path);
    if (!entries.ok()) {
      return UsageError(fmt::format("{}: {}", place, entries.status().message()));
    }
    for (const io::DirectoryEntry& entry : *entries) {
      if (!entry.name.ends_with(".cnf") || entry.type == io::FileType::kDirectory) continue;
      HBK_RETURN_IF_ERROR(Load(io::JoinPath(path, entry.name), false, depth));
    }
    return OkStatus();
  }

  io::FileSystem& fs_;
  OptionFileSet result_;
};

std::string ExpandHome(const std::string& path, const EnvironmentLookup& lookup) {
  const char* home = path.starts_with("~/") ? lookup("HOME") : nullptr;
  return home == nullptr ? path : io::JoinPath(home, path.substr(2));
}

bool IsSeries(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) return false;
  return std::ranges::all_of(text, [](char c) { return c == '.' || (c >= '0' && c <= '9'); }) &&
         text.find('.', dot + 1) == std::string_view::npos;
}

// A backup takes the directories from the server that it is connected to: a machine may have more
// servers than the one that [mysqld] in /etc describes.
bool RoleReads(GroupRole::Kind kind, FileRole role, Command command) {
  using Kind = GroupRole::Kind;
  const bool is_for_tools = kind == Kind::kBackupTool || kind == Kind::kHbk;
  if (command == Command::kBackup && role == FileRole::kServer) return is_for_tools;
  switch (kind) {
    case Kind::kServer: return role == FileRole::kServer;
    case Kind::kClient: return role == FileRole::kClient;
    case Kind::kServerAndClient: return role != FileRole::kTool;
    case Kind::kBackupTool:
    case Kind::kHbk: return true;
  }
  return false;
}

// A prepare believes the backup rather than what a server on this machine is set to.
SettingRank RankOf(GroupRole::Kind kind, Command command) {
  using Kind = GroupRole::Kind;
  if (kind == Kind::kHbk) return SettingRank::kHbkGroup;
  const bool is_of_server = kind == Kind::kServer || kind == Kind::kServerAndClient;
  const bool takes_keys = command == Command::kPrepare || command == Command::kVerify;
  return is_of_server && takes_keys ? SettingRank::kServerGroup : SettingRank::kOtherGroup;
}

// Groups of two series may say different directories; which of them counts, only the server knows.
class SeriesCheck {
 public:
  void Note(Opt id, const std::string& series, const std::string& value,
            const std::string& origin) {
    if (!series.empty()) said_[id][series] = {value, origin};
  }

  [[nodiscard]] Status Check(const OptionValues& values) const {
    for (const auto& [id, by_series] : said_) {
      const Setting* setting = values.Find(id);
      if (setting == nullptr) continue;
      const Said* winner = nullptr;  // stays null where something else than a series has the word
      const Said* rival = nullptr;
      for (const auto& [series, said] : by_series) {
        if (said.origin == setting->origin) winner = &said;
        if (said.value != setting->text) rival = &said;
      }
      if (winner == nullptr || rival == nullptr) continue;
      const std::string_view name = SpecOf(id).name;
      return UsageError(fmt::format("--{}: {} and {} differ", name, rival->origin, winner->origin))
          .WithHint(fmt::format("give --{} for the server that is meant", name));
    }
    return OkStatus();
  }

 private:
  struct Said {
    std::string value;
    std::string origin;
  };
  std::map<Opt, std::map<std::string, Said>> said_;
};

}  // namespace

std::optional<GroupRole> RoleOfGroup(std::string_view group, std::string_view suffix,
                                     Command command) {
  using Kind = GroupRole::Kind;
  const auto role_of_plain = [&](std::string_view name) -> std::optional<GroupRole> {
    if (name == "hbk" || name == fmt::format("hbk-{}", CommandName(command))) {
      return GroupRole{Kind::kHbk, ""};
    }
    if (name == "xtrabackup" || name == "mariabackup" || name == "mariadb-backup") {
      return GroupRole{Kind::kBackupTool, ""};
    }
    if (name == "client-server") return GroupRole{Kind::kServerAndClient, ""};
    if (name == "client" || name == "client-mariadb") return GroupRole{Kind::kClient, ""};
    if (name == "mysqld" || name == "server" || name == "mariadb" || name == "mariadbd" ||
        name == "galera") {
      return GroupRole{Kind::kServer, ""};
    }
    for (const std::string_view prefix : {"mysqld-", "mariadb-", "mariadbd-"}) {
      if (!name.starts_with(prefix) || !IsSeries(name.substr(prefix.size()))) continue;
      return GroupRole{Kind::kServer, std::string(name.substr(prefix.size()))};
    }
    return std::nullopt;
  };
  std::optional<GroupRole> role = role_of_plain(group);
  if (!role && !suffix.empty() && group.ends_with(suffix)) {
    role = role_of_plain(group.substr(0, group.size() - suffix.size()));
  }
  return role;
}

Result<OptionFileSet> LoadOptionFiles(io::FileSystem& fs, const DefaultsOptions& defaults,
                                      const EnvironmentLookup& lookup) {
  Loader loader(fs);
  if (defaults.no_defaults) return loader.TakeResult();
  if (!defaults.file.empty()) {
    HBK_RETURN_IF_ERROR(loader.Load(ExpandHome(defaults.file, lookup), true, 0));
    return loader.TakeResult();
  }
  HBK_RETURN_IF_ERROR(loader.Load("/etc/my.cnf", false, 0));
  HBK_RETURN_IF_ERROR(loader.Load("/etc/mysql/my.cnf", false, 0));
  const char* server_home = lookup("MARIADB_HOME");
  if (server_home == nullptr) server_home = lookup("MYSQL_HOME");
  if (server_home != nullptr && *server_home != '\0') {
    HBK_RETURN_IF_ERROR(loader.Load(io::JoinPath(server_home, "my.cnf"), false, 0));
  }
  if (!defaults.extra_file.empty()) {
    HBK_RETURN_IF_ERROR(loader.Load(ExpandHome(defaults.extra_file, lookup), true, 0));
  }
  const char* home = lookup("HOME");
  if (home != nullptr && *home != '\0') {
    HBK_RETURN_IF_ERROR(loader.Load(io::JoinPath(home, ".my.cnf"), false, 0));
  }
  return loader.TakeResult();
}

Status ApplyOptionFiles(const OptionFileSet& files, std::string_view group_suffix, Command command,
                        OptionValues& values) {
  using Kind = GroupRole::Kind;
  SeriesCheck series_check;
  for (const FileSetting& setting : files.settings) {
    const OptionFileLine& line = setting.line;
    const std::optional<GroupRole> role = RoleOfGroup(line.group, group_suffix, command);
    if (!role) continue;
    const bool is_tool = role->kind == Kind::kBackupTool || role->kind == Kind::kHbk;
    const std::string origin = fmt::format("{}, line {} [{}]", setting.file, line.line, line.group);
    const OptionName name = ResolveOptionName(line.key);
    if (name.spec == nullptr) {
      const ForeignOption* foreign = FindForeignOption(name.normalized);
      const bool is_skipped =
          foreign != nullptr &&
          (foreign->kind == ForeignKind::kIgnored ||
           (foreign->kind == ForeignKind::kServerTuning && role->kind == Kind::kBackupTool));
      if (is_tool && !name.is_loose && !is_skipped) return UnknownOptionError(name, origin);
      continue;
    }
    if (!RoleReads(role->kind, name.spec->role, command)) continue;
    const SettingRank rank = RankOf(role->kind, command);
    HBK_RETURN_IF_ERROR(values.Set(*name.spec, line.value, name.is_negated, rank, origin));
    if (name.spec->AppliesTo(command) && !IsSecret(name.spec->kind)) {
      series_check.Note(name.spec->id, role->series, line.value.value_or(""), origin);
    }
  }
  return series_check.Check(values);
}

std::string GroupSuffix(const DefaultsOptions& defaults, const EnvironmentLookup& lookup) {
  if (!defaults.group_suffix.empty()) return defaults.group_suffix;
  const char* suffix = lookup("MARIADB_GROUP_SUFFIX");
  if (suffix == nullptr) suffix = lookup("MYSQL_GROUP_SUFFIX");
  return suffix == nullptr ? "" : suffix;
}

void WipePasswords(OptionFileSet& files) {
  for (FileSetting& setting : files.settings) {
    if (setting.line.value && IsSecretName(setting.line.key)) WipeText(*setting.line.value);
  }
}

}  // namespace hbk::cli
