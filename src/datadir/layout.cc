#include "hbk/datadir/layout.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/io/file_system.h"

namespace hbk::datadir {
namespace {

constexpr std::string_view kDefaultDataFilePath = "ibdata1:12M:autoextend";
constexpr std::string_view kAutoextend = "autoextend";
constexpr std::string_view kAutoshrink = "autoshrink";  // 11.2 and later
constexpr std::string_view kMax = "max";

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "12M", "1G", "512K", "5242880". Nothing if it is no size, is zero, or does not fit.
std::optional<uint64_t> ParseSize(std::string_view text) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest == text.data() || value == 0) return std::nullopt;
  int shift = 0;
  if (rest != end) {
    switch (*rest) {
      case 'K':
      case 'k': shift = 10; break;
      case 'M':
      case 'm': shift = 20; break;
      case 'G':
      case 'g': shift = 30; break;
      default: return std::nullopt;
    }
    if (rest + 1 != end) return std::nullopt;
  }
  if (value > (UINT64_MAX >> shift)) return std::nullopt;
  return value << shift;
}

Status BadSpec(std::string_view spec, std::string_view why) {
  return UsageError(fmt::format("innodb_data_file_path '{}': {}", spec, why));
}

// What follows "name:size" in one entry.
Status ParseAttributes(std::string_view spec, const std::vector<std::string_view>& parts,
                       SystemFile& file) {
  for (size_t i = 2; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    if (part == kAutoextend) {
      file.is_autoextend = true;
    } else if (part == kAutoshrink && file.is_autoextend) {
      continue;
    } else if (part == kMax && file.is_autoextend && i + 1 < parts.size()) {
      const std::optional<uint64_t> size = ParseSize(parts[++i]);
      if (!size) return BadSpec(spec, fmt::format("'{}' is no size", parts[i]));
      file.max_size = *size;
    } else {
      return BadSpec(spec, fmt::format("'{}' is not understood", part));
    }
  }
  return OkStatus();
}

Result<SystemFile> ParseSystemFile(std::string_view spec, std::string_view entry) {
  const std::vector<std::string_view> parts = Split(entry, ':');
  SystemFile file;
  file.path = parts[0];
  if (file.path.empty() || file.path.ends_with('/')) return BadSpec(spec, "a file has no name");
  if (file.path.find('\0') != std::string::npos) return BadSpec(spec, "a name holds a zero byte");
  for (const std::string_view part : Split(parts[0], '/')) {
    if (part == "..") return BadSpec(spec, fmt::format("'{}' leads upwards", file.path));
  }
  if (parts.size() < 2) return BadSpec(spec, fmt::format("'{}' has no size", file.path));
  // "10Graw" and "10Gnewraw": partitions without a file system.
  if (parts[1].ends_with("raw")) {
    return UnsupportedError(
        fmt::format("innodb_data_file_path '{}': {} is a raw device, which cannot be backed up",
                    spec, file.path));
  }
  const std::optional<uint64_t> size = ParseSize(parts[1]);
  HBK_RETURN_IF_ERROR(ParseAttributes(spec, parts, file));
  if (!size) return BadSpec(spec, fmt::format("'{}' is no size", parts[1]));
  file.size = *size;
  return file;
}

Result<std::string> ResolvePath(std::string_view option, std::string_view base,
                                std::string_view path) {
  if (path.find('\0') != std::string_view::npos) {
    return UsageError(fmt::format("{} holds a zero byte", option));
  }
  return CleanPath(path.starts_with('/') ? std::string(path) : io::JoinPath(base, path));
}

}  // namespace

Result<std::vector<SystemFile>> ParseDataFilePath(std::string_view spec) {
  std::vector<SystemFile> files;
  for (const std::string_view entry : Split(spec, ';')) {
    HBK_ASSIGN_OR_RETURN(SystemFile file, ParseSystemFile(spec, entry));
    if (!files.empty() && files.back().is_autoextend) {
      return BadSpec(spec, "only the last file can be autoextend");
    }
    const bool is_known = std::any_of(files.begin(), files.end(), [&](const SystemFile& other) {
      return io::BaseName(other.path) == io::BaseName(file.path);
    });
    // A backup is flat: it could not keep them apart.
    if (is_known) {
      return UnsupportedError(fmt::format("innodb_data_file_path '{}': two files are named {}",
                                          spec, io::BaseName(file.path)));
    }
    files.push_back(std::move(file));
  }
  return files;
}

std::string FlatDataFilePath(const std::vector<SystemFile>& files) {
  std::string spec;
  for (const SystemFile& file : files) {
    if (!spec.empty()) spec += ';';
    const bool is_whole_mib = file.size % (1 << 20) == 0;
    spec += fmt::format("{}:{}{}", io::BaseName(file.path),
                        is_whole_mib ? file.size >> 20 : file.size, is_whole_mib ? "M" : "");
    if (file.is_autoextend) spec += ":autoextend";
    if (file.max_size != 0) spec += fmt::format(":max:{}", file.max_size);
  }
  return spec;
}

std::string CleanPath(std::string_view path) {
  std::string clean;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    clean += '/';
    clean += part;
  }
  return clean.empty() ? "/" : clean;
}

bool IsInside(std::string_view path, std::string_view dir) {
  if (dir == "/") return true;
  return path.starts_with(dir) && (path.size() == dir.size() || path[dir.size()] == '/');
}

void Layout::SetHasRocksdb(bool has_rocksdb) {
  if (!has_rocksdb) {
    rocksdb_dir.clear();
    rocksdb_wal_dir.clear();
    return;
  }
  if (rocksdb_dir.empty()) rocksdb_dir = io::JoinPath(datadir, kRocksdbDirectory);
  if (rocksdb_wal_dir.empty()) rocksdb_wal_dir = rocksdb_dir;
}

std::string Layout::SystemFilePath(const SystemFile& file) const {
  return CleanPath(io::JoinPath(innodb_data_home, file.path));
}

std::vector<std::string> Layout::Roots() const {
  std::vector<std::string> roots;
  for (const std::string* root : {&datadir, &innodb_data_home, &undo_dir, &redo_dir, &aria_log_dir,
                                  &rocksdb_dir, &rocksdb_wal_dir}) {
    if (root->empty()) continue;
    if (std::find(roots.begin(), roots.end(), *root) == roots.end()) roots.push_back(*root);
  }
  return roots;
}

Result<Layout> MakeLayout(const LayoutOptions& options) {
  if (options.datadir.empty())
    return UsageError("no data directory given").WithHint("--datadir=DIR");
  std::error_code error;
  const std::string working_dir = std::filesystem::current_path(error).string();
  if (error && !options.datadir.starts_with('/')) {
    return FailedError(fmt::format("finding the working directory: {}", error.message()));
  }

  Layout layout;
  HBK_ASSIGN_OR_RETURN(layout.datadir, ResolvePath("datadir", working_dir, options.datadir));
  HBK_ASSIGN_OR_RETURN(layout.innodb_data_home, ResolvePath("innodb_data_home_dir", layout.datadir,
                                                            options.innodb_data_home_dir));
  HBK_ASSIGN_OR_RETURN(layout.undo_dir, ResolvePath("innodb_undo_directory", layout.datadir,
                                                    options.innodb_undo_directory));
  HBK_ASSIGN_OR_RETURN(layout.redo_dir, ResolvePath("innodb_log_group_home_dir", layout.datadir,
                                                    options.innodb_log_group_home_dir));
  HBK_ASSIGN_OR_RETURN(layout.aria_log_dir,
                       ResolvePath("aria_log_dir_path", layout.datadir, options.aria_log_dir_path));
  if (!options.rocksdb_datadir.empty()) {
    HBK_ASSIGN_OR_RETURN(layout.rocksdb_dir,
                         ResolvePath("rocksdb_datadir", layout.datadir, options.rocksdb_datadir));
  }
  if (!options.rocksdb_wal_dir.empty()) {
    HBK_ASSIGN_OR_RETURN(layout.rocksdb_wal_dir,
                         ResolvePath("rocksdb_wal_dir", layout.datadir, options.rocksdb_wal_dir));
  }
  const std::string_view spec = options.innodb_data_file_path.empty()
                                    ? kDefaultDataFilePath
                                    : std::string_view(options.innodb_data_file_path);
  HBK_ASSIGN_OR_RETURN(layout.system_files, ParseDataFilePath(spec));
  return layout;
}

}  // namespace hbk::datadir
