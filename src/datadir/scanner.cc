#include "hbk/datadir/scanner.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace hbk::datadir {
namespace {

constexpr uint64_t kLinkBytesMax = 4096;  // PATH_MAX; the file holds one path
constexpr int kSymlinksMax = 40;          // as Linux

// What the server itself reads through a symlink: data files of a table with DATA DIRECTORY or
// INDEX DIRECTORY, or moved by hand.
bool MayBeSymlink(FileKind kind) {
  return kind == FileKind::kTablespace || kind == FileKind::kAriaTable ||
         kind == FileKind::kMyisamTable || kind == FileKind::kArchiveTable;
}

// Nothing if there is no such file (any more).
Result<std::optional<io::FileInfo>> StatIfThere(io::FileSystem& fs, const std::string& path) {
  Result<io::FileInfo> info = fs.Stat(path, /*follow=*/true);
  if (info.ok()) return std::optional<io::FileInfo>(*info);
  if (info.status().code() == StatusCode::kNotFound) return std::optional<io::FileInfo>();
  return info.status();
}

// Files with a name that a backup takes.
Result<std::vector<io::FileEntry>> ListIfThere(io::FileSystem& fs, const std::string& path) {
  Result<std::vector<io::FileEntry>> files = fs.ListWithInfo(
      path, [](std::string_view name) { return ClassifyDatabaseFile(name).has_value(); });
  if (!files.ok() && files.status().code() == StatusCode::kNotFound) {
    return std::vector<io::FileEntry>();
  }
  return files;
}

void SortFiles(std::vector<DataFile>& files) {
  // Most of them are sorted, where little was listed anew; and others may be waiting.
  if (!std::ranges::is_sorted(files, {}, &DataFile::name))
    std::ranges::sort(files, {}, &DataFile::name);
}

void SortByName(Scan& scan) {
  SortFiles(scan.files);
  std::sort(scan.databases.begin(), scan.databases.end());
}

// Empty for a file of the root.
std::string_view DatabaseOf(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

void MoveTo(std::vector<DataFile>& files, std::vector<DataFile>&& from) {
  files.insert(files.end(), std::make_move_iterator(from.begin()),
               std::make_move_iterator(from.end()));
}

// One scan of a live data directory.
class DatadirScanner {
 public:
  DatadirScanner(io::FileSystem& fs, const Layout& layout, const ScanOptions& options, Scan before)
      : fs_(fs), layout_(layout), options_(options), before_(std::move(before)) {}

  Result<Scan> Run() {
    scan_.files.reserve(before_.files.size());
    HBK_RETURN_IF_ERROR(ScanSystemFiles());
    for (const std::string& root : layout_.Roots()) {
      if (IsOfRocksdb(root)) continue;
      HBK_RETURN_IF_ERROR(ScanRoot(root));
    }
    HBK_RETURN_IF_ERROR(LookAtKnownFiles());
    SortByName(scan_);
    return std::move(scan_);
  }

 private:
  Status ScanSystemFiles() {
    for (const SystemFile& file : layout_.system_files) {
      const std::string path = layout_.SystemFilePath(file);
      Result<io::FileInfo> info = fs_.Stat(path, /*follow=*/true);
      if (!info.ok()) {
        return info.status()
            .WithContext("looking for the system tablespace")
            .WithHint("innodb_data_home_dir and innodb_data_file_path say where it is");
      }
      scan_.files.push_back({.name = std::string(io::BaseName(path)),
                             .source_path = path,
                             .kind = FileKind::kSystemTablespace,
                             .info = *info});
    }
    return OkStatus();
  }

  // A directory of MyRocks alone.
  [[nodiscard]] bool IsOfRocksdb(const std::string& root) const {
    const bool is_of_others = root == layout_.datadir || root == layout_.innodb_data_home ||
                              root == layout_.undo_dir || root == layout_.redo_dir ||
                              root == layout_.aria_log_dir;
    return !is_of_others;
  }

  // Which directory the server looks for such a file in.
  [[nodiscard]] const std::string& RootOf(FileKind kind) const {
    switch (kind) {
      case FileKind::kUndoTablespace: return layout_.undo_dir;
      case FileKind::kAriaControl:
      case FileKind::kAriaLog: return layout_.aria_log_dir;
      default: return layout_.datadir;
    }
  }

  Status ScanRoot(const std::string& root) {
    HBK_ASSIGN_OR_RETURN(const std::vector<io::DirectoryEntry> entries, fs_.List(root));
    for (const io::DirectoryEntry& entry : entries) {
      const std::string path = io::JoinPath(root, entry.name);
      const int64_t looked_ns = io::FileClockNow();
      const bool is_unused = layout_.rocksdb_dir.empty();
      if (is_unused && root == layout_.datadir && entry.name == kRocksdbDirectory) {
        Warn(fmt::format("{}: the server has not loaded MyRocks; its data are left out", path));
      }
      HBK_ASSIGN_OR_RETURN(const std::optional<io::FileInfo> info, StatIfThere(fs_, path));
      if (!info) {
        if (entry.type == io::FileType::kSymlink) Warn(fmt::format("{}: a dangling symlink", path));
        continue;
      }
      if (info->type == io::FileType::kDirectory) {
        if (root == layout_.datadir)
          HBK_RETURN_IF_ERROR(ScanDatabase(entry.name, path, *info, looked_ns));
      } else if (info->type == io::FileType::kRegular) {
        AddRootFile(root, entry, path, *info);
      }
    }
    return OkStatus();
  }

  void AddRootFile(const std::string& root, const io::DirectoryEntry& entry,
                   const std::string& path, const io::FileInfo& info) {
    const std::optional<FileKind> kind = ClassifyRootFile(entry.name);
    if (!kind || *kind == FileKind::kRedoLog || *kind == FileKind::kMetadata) return;
    if (RootOf(*kind) != root) return;
    const bool is_system_file =
        std::any_of(layout_.system_files.begin(), layout_.system_files.end(),
                    [&](const SystemFile& file) { return io::BaseName(file.path) == entry.name; });
    if (is_system_file) return;
    scan_.files.push_back({.name = entry.name, .source_path = path, .kind = *kind, .info = info});
  }

  // A directory of the layout inside the datadir, or one that leads to it, is no database.
  [[nodiscard]] bool LeadsToRoot(const std::string& path) const {
    const std::vector<std::string> roots = layout_.Roots();
    return std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
      return root == path || root.starts_with(path + "/");
    });
  }

  // `info` is what the directory was at `looked_ns`, or later.
  Status ScanDatabase(const std::string& db, const std::string& path, const io::FileInfo& info,
                      int64_t looked_ns) {
    const std::vector<std::string>& ignored = options_.ignore_db_dirs;
    if (!IsDatabaseDirectoryName(db) || LeadsToRoot(path) ||
        std::find(ignored.begin(), ignored.end(), db) != ignored.end()) {
      return OkStatus();
    }
    if (!IsSafeNameComponent(db)) {
      Warn(fmt::format("{}: not a name of a database; left out", path));
      return OkStatus();
    }
    scan_.databases.push_back(db);
    const io::FileIdentity identity = io::IdentityOf(info);
    const auto known = before_.settled.find(db);
    if (options_.needs_no_look && known != before_.settled.end() && known->second == identity) {
      TakeOver(db, identity);
      return OkStatus();
    }
    const size_t first = scan_.files.size();
    const size_t warnings = scan_.warnings.size();
    HBK_RETURN_IF_ERROR(ListDatabase(db, path));
    const auto is_own = [&](size_t i) {
      const DataFile& file = scan_.files[i];
      return file.kind != FileKind::kTablespaceLink &&
             file.source_path == io::JoinPath(layout_.datadir, file.name);
    };
    bool is_settled =
        KeepsTimes(path) && io::IsAtRest(identity, looked_ns) && scan_.warnings.size() == warnings;
    for (size_t i = first; i < scan_.files.size() && is_settled; ++i)
      is_settled = is_own(i);
    if (is_settled) scan_.settled.emplace(db, identity);
    return OkStatus();
  }

  // Of each directory: that of a database may be a symlink to another file system.
  bool KeepsTimes(const std::string& path) {
    const Result<bool> keeps_times = fs_.KeepsFileTimes(path);
    return keeps_times.ok() && *keeps_times;
  }

  // A directory that is as it was: nothing came or went, and nothing has another name.
  void TakeOver(const std::string& db, const io::FileIdentity& identity) {
    scan_.settled.emplace(db, identity);
    scan_.aside.insert(before_.aside.extract(db));
    const std::string prefix = db + "/";
    auto file = std::ranges::lower_bound(before_.files, prefix, {}, &DataFile::name);
    for (; file != before_.files.end() && file->name.starts_with(prefix); ++file) {
      if (!options_.needs_no_look(*file)) to_look_.push_back(scan_.files.size());
      scan_.files.push_back(std::move(*file));
    }
  }

  // Of directories that were taken over: all of them at once, there may be thousands. In these
  // directories a file lies where its name says.
  Status LookAtKnownFiles() {
    std::vector<const std::string*> names;
    names.reserve(to_look_.size());
    for (const size_t i : to_look_)
      names.push_back(&scan_.files[i].name);
    HBK_ASSIGN_OR_RETURN(const auto infos, fs_.StatAll(layout_.datadir, names));
    bool has_vanished = false;
    for (size_t i = 0; i < to_look_.size(); ++i) {
      DataFile& file = scan_.files[to_look_[i]];
      if (infos[i] && infos[i]->type == io::FileType::kRegular) {
        file.info = *infos[i];
      } else {
        file.name.clear();
        has_vanished = true;
      }
    }
    if (has_vanished)
      std::erase_if(scan_.files, [](const DataFile& file) { return file.name.empty(); });
    return OkStatus();
  }

  Status ListDatabase(const std::string& db, const std::string& path) {
    HBK_ASSIGN_OR_RETURN(const std::vector<io::FileEntry> files, ListIfThere(fs_, path));
    std::set<std::string, std::less<>> linked;  // tablespaces that lie elsewhere
    for (const io::FileEntry& file : files) {
      if (ClassifyDatabaseFile(file.entry.name) != FileKind::kTablespaceLink) continue;
      HBK_RETURN_IF_ERROR(AddLinkedTablespace(db, path, file, linked));
    }
    for (const io::FileEntry& file : files)
      HBK_RETURN_IF_ERROR(AddDatabaseFile(db, path, file, linked));
    return OkStatus();
  }

  // The .isl file and the tablespace it leads to.
  Status AddLinkedTablespace(const std::string& db, const std::string& db_path,
                             const io::FileEntry& file,
                             std::set<std::string, std::less<>>& linked) {
    const io::DirectoryEntry& entry = file.entry;
    const std::string isl_path = io::JoinPath(db_path, entry.name);
    if (file.info.type != io::FileType::kRegular || !IsSafeNameComponent(entry.name)) {
      Warn(fmt::format("{}: not a plain file; left out", isl_path));
      return OkStatus();
    }
    Result<std::string> text = io::ReadFile(fs_, isl_path, kLinkBytesMax);
    if (!text.ok() && text.status().code() != StatusCode::kCorruption) {
      return IgnoreMissing(text.status());
    }
    const Result<std::string> target =
        text.ok() ? ParseTablespaceLink(*text, entry.name) : Result<std::string>(text.status());
    if (!target.ok()) {
      Warn(fmt::format("{}; left out", target.status().WithContext(isl_path).message()));
      return OkStatus();
    }
    HBK_ASSIGN_OR_RETURN(const std::optional<io::FileInfo> info, StatIfThere(fs_, *target));
    if (!info || info->type != io::FileType::kRegular) {
      Warn(fmt::format("{}: leads to {}, where there is no file; left out", isl_path, *target));
      return OkStatus();
    }
    const std::string table(entry.name.substr(0, entry.name.size() - 4));
    linked.insert(table + ".ibd");
    scan_.files.push_back({.name = db + "/" + table + ".ibd",
                           .source_path = *target,
                           .kind = FileKind::kTablespace,
                           .info = *info});
    scan_.files.push_back({.name = db + "/" + entry.name,
                           .source_path = isl_path,
                           .kind = FileKind::kTablespaceLink,
                           .info = file.info});
    return OkStatus();
  }

  Status AddDatabaseFile(const std::string& db, const std::string& db_path,
                         const io::FileEntry& file,
                         const std::set<std::string, std::less<>>& linked) {
    const io::DirectoryEntry& entry = file.entry;
    const std::optional<FileKind> kind = ClassifyDatabaseFile(entry.name);
    if (!kind || *kind == FileKind::kTablespaceLink) return OkStatus();
    const std::string path = io::JoinPath(db_path, entry.name);
    if (linked.contains(entry.name)) {
      Warn(fmt::format("{}: lies here and where its .isl file leads; left out", path));
      return OkStatus();
    }
    if (!IsSafeNameComponent(entry.name)) {
      Warn(fmt::format("{}: not a name that the server makes; left out", path));
      return OkStatus();
    }
    const bool is_symlink = entry.type == io::FileType::kSymlink;
    if (is_symlink && !MayBeSymlink(*kind)) {
      Warn(fmt::format("{}: a symlink; left out", path));
      return OkStatus();
    }
    std::optional<io::FileInfo> info = file.info;
    if (is_symlink) {
      HBK_ASSIGN_OR_RETURN(info, StatIfThere(fs_, path));
    }
    if (!info) {
      Warn(fmt::format("{}: a dangling symlink; left out", path));
      return OkStatus();
    }
    if (info->type != io::FileType::kRegular) return OkStatus();
    Result<std::string> source_path = is_symlink ? FollowSymlinks(path) : path;
    if (!source_path.ok()) return IgnoreMissing(source_path.status());
    scan_.files.push_back({.name = db + "/" + entry.name,
                           .source_path = std::move(source_path).value(),
                           .kind = *kind,
                           .info = *info});
    return OkStatus();
  }

  // The file itself: a copy opens it by this path, and never through a link, which may change.
  Result<std::string> FollowSymlinks(std::string path) {
    for (int i = 0; i < kSymlinksMax; ++i) {
      HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs_.Stat(path, /*follow=*/false));
      if (info.type != io::FileType::kSymlink) return path;
      HBK_ASSIGN_OR_RETURN(const std::string target, fs_.ReadLink(path));
      path = io::JoinPath(io::DirName(path), target);
    }
    return FailedError(fmt::format("{}: too many symlinks", path));
  }

  static Status IgnoreMissing(const Status& status) {
    return status.code() == StatusCode::kNotFound ? OkStatus() : status;
  }

  void Warn(std::string warning) { scan_.warnings.push_back(std::move(warning)); }

  io::FileSystem& fs_;
  const Layout& layout_;
  const ScanOptions& options_;
  Scan before_;
  Scan scan_;
  std::vector<size_t> to_look_;  // into the files of the scan
};

Status RefuseSymlink(const std::string& path) {
  return CorruptionError(fmt::format("{}: a symlink, which no backup holds", path));
}

Status AddBackupFile(io::FileSystem& fs, const std::string& dir, std::string name, FileKind kind,
                     const io::DirectoryEntry& entry, Scan& scan) {
  const std::string path = io::JoinPath(dir, name);
  if (entry.type == io::FileType::kSymlink) return RefuseSymlink(path);
  if (entry.type != io::FileType::kRegular) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, /*follow=*/false));
  scan.files.push_back({.name = std::move(name), .source_path = path, .kind = kind, .info = info});
  return OkStatus();
}

Status ScanBackupDatabase(io::FileSystem& fs, const std::string& dir, const std::string& db,
                          Scan& scan) {
  scan.databases.push_back(db);
  HBK_ASSIGN_OR_RETURN(const std::vector<io::DirectoryEntry> entries,
                       fs.List(io::JoinPath(dir, db)));
  for (const io::DirectoryEntry& entry : entries) {
    const std::optional<FileKind> kind = ClassifyDatabaseFile(entry.name);
    if (!kind || !IsSafeNameComponent(entry.name)) continue;
    HBK_RETURN_IF_ERROR(AddBackupFile(fs, dir, db + "/" + entry.name, *kind, entry, scan));
  }
  return OkStatus();
}

// All plain files: what a checkpoint consists of, RocksDB alone knows.
Status ScanBackupRocksdb(io::FileSystem& fs, const std::string& dir, Scan& scan) {
  const std::string directory(kRocksdbDirectory);
  HBK_ASSIGN_OR_RETURN(const std::vector<io::DirectoryEntry> entries,
                       fs.List(io::JoinPath(dir, directory)));
  for (const io::DirectoryEntry& entry : entries) {
    const std::string name = directory + "/" + entry.name;
    if (!IsRocksdbFileName(name)) continue;
    HBK_RETURN_IF_ERROR(AddBackupFile(fs, dir, name, FileKind::kRocksdb, entry, scan));
  }
  return OkStatus();
}

bool IsPendingDdlName(std::string_view name) {
  constexpr std::array<std::string_view, 3> kExtensions = {".new", ".ren", ".del"};
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [&](std::string_view extension) { return name.ends_with(extension); });
}

}  // namespace

Result<std::string> ParseTablespaceLink(std::string_view text, std::string_view isl_name) {
  constexpr std::string_view kExtension = ".isl";
  HBK_CHECK(isl_name.ends_with(kExtension));
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
    text.remove_suffix(1);
  const std::string file_name =
      fmt::format("{}.ibd", isl_name.substr(0, isl_name.size() - kExtension.size()));
  if (text.find('\0') != std::string_view::npos || !text.starts_with('/')) {
    return CorruptionError("does not hold an absolute path");
  }
  if (text.size() >= kLinkBytesMax) return CorruptionError("holds a path that is too long");
  const std::string dir = io::DirName(text);
  if (!text.ends_with("/" + file_name) || dir == "/" ||
      ("/" + dir + "/").find("/../") != std::string::npos) {
    return CorruptionError(fmt::format("leads to '{}', not to a {}", text, file_name));
  }
  return std::string(text);
}

void SetAside(Scan& scan, const std::function<bool(const DataFile&)>& is_decided) {
  std::vector<DataFile> rest;
  rest.reserve(scan.files.size());
  for (DataFile& file : scan.files) {
    const std::string_view db = DatabaseOf(file.name);
    const bool goes = scan.settled.contains(db) && is_decided(file);
    (goes ? scan.aside[std::string(db)] : rest).push_back(std::move(file));
  }
  scan.files = std::move(rest);
  for (auto& [db, files] : scan.aside)
    SortFiles(files);
}

void BringBack(Scan& scan, std::string_view database) {
  const auto aside = scan.aside.find(database);
  if (aside == scan.aside.end()) return;
  MoveTo(scan.files, std::move(aside->second));
  scan.aside.erase(aside);
  SortFiles(scan.files);
}

void BringBackAll(Scan& scan) {
  for (auto& [db, files] : scan.aside)
    MoveTo(scan.files, std::move(files));
  scan.aside.clear();
  SortFiles(scan.files);
}

bool HasFile(const Scan& scan, std::string_view name) {
  const auto has = [name](const std::vector<DataFile>& files) {
    return std::ranges::binary_search(files, name, {}, &DataFile::name);
  };
  const auto aside = scan.aside.find(DatabaseOf(name));
  return has(scan.files) || (aside != scan.aside.end() && has(aside->second));
}

Result<Scan> ScanDatadir(io::FileSystem& fs, const Layout& layout, const ScanOptions& options,
                         Scan before) {
  return DatadirScanner(fs, layout, options, std::move(before)).Run();
}

Result<Scan> ScanBackupDirectory(io::FileSystem& fs, const std::string& dir,
                                 const std::vector<SystemFile>& system_files) {
  Scan scan;
  HBK_ASSIGN_OR_RETURN(const std::vector<io::DirectoryEntry> entries, fs.List(dir));
  for (const io::DirectoryEntry& entry : entries) {
    const std::string path = io::JoinPath(dir, entry.name);
    const bool is_system_file =
        std::any_of(system_files.begin(), system_files.end(),
                    [&](const SystemFile& file) { return io::BaseName(file.path) == entry.name; });
    const std::optional<FileKind> kind =
        is_system_file ? FileKind::kSystemTablespace : ClassifyRootFile(entry.name);
    if (entry.type == io::FileType::kDirectory) {
      if (entry.name == kRocksdbDirectory) HBK_RETURN_IF_ERROR(ScanBackupRocksdb(fs, dir, scan));
      if (!IsDatabaseDirectoryName(entry.name) || !IsSafeNameComponent(entry.name)) continue;
      HBK_RETURN_IF_ERROR(ScanBackupDatabase(fs, dir, entry.name, scan));
    } else if (entry.type == io::FileType::kSymlink) {
      return RefuseSymlink(path);
    } else if (kind && IsSafeNameComponent(entry.name)) {
      HBK_RETURN_IF_ERROR(AddBackupFile(fs, dir, entry.name, *kind, entry, scan));
    }
  }
  for (const SystemFile& file : system_files) {
    const bool is_there =
        std::any_of(scan.files.begin(), scan.files.end(), [&](const DataFile& found) {
          return found.kind == FileKind::kSystemTablespace && found.name == io::BaseName(file.path);
        });
    if (!is_there) {
      return NotFoundError(fmt::format("{}: no {}, which innodb_data_file_path names", dir,
                                       io::BaseName(file.path)));
    }
  }
  SortByName(scan);
  return scan;
}

Result<std::vector<std::string>> ListPendingDdl(io::FileSystem& fs, const std::string& dir) {
  std::vector<std::string> names;
  HBK_ASSIGN_OR_RETURN(const std::vector<io::DirectoryEntry> entries, fs.List(dir));
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.type != io::FileType::kDirectory || !IsDatabaseDirectoryName(entry.name)) continue;
    HBK_ASSIGN_OR_RETURN(const std::vector<io::DirectoryEntry> files,
                         fs.List(io::JoinPath(dir, entry.name)));
    for (const io::DirectoryEntry& file : files) {
      if (IsPendingDdlName(file.name)) names.push_back(entry.name + "/" + file.name);
    }
  }
  return names;
}

}  // namespace hbk::datadir
