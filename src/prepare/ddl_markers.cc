// HasDdlMarkers, ApplyDdlMarkers: what mariadb-backup leaves to its prepare.

#include <fmt/format.h>

#include "file_moves.h"

namespace hbk::prepare {
namespace {

constexpr std::string_view kTableSuffix = ".ibd";
constexpr std::string_view kNewSuffix = ".new";
constexpr std::string_view kRenamingSuffix = ".hbk-renaming";
constexpr size_t kMarkerBytesMax = 4096;
constexpr uint32_t kDatabaseDirectoryMode = 0700;

struct Markers {
  std::vector<std::string> deleted;  // names of the marker files
  std::vector<std::string> renamed;
  std::vector<std::string> renaming;  // files on their way, of a killed run
  std::vector<std::string> replaced;

  [[nodiscard]] bool empty() const {
    return deleted.empty() && renamed.empty() && renaming.empty() && replaced.empty();
  }
};

Result<Markers> ListMarkers(io::FileSystem& fs, const BackupSet& set) {
  Markers markers;
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& directory : root) {
    if (directory.type != io::FileType::kDirectory) continue;
    HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(set.Path(directory.name)));
    for (const io::DirectoryEntry& entry : entries) {
      std::string name = io::JoinPath(directory.name, entry.name);
      if (name.ends_with(".del"))
        markers.deleted.push_back(std::move(name));
      else if (name.ends_with(".ren"))
        markers.renamed.push_back(std::move(name));
      else if (name.ends_with(kRenamingSuffix))
        markers.renaming.push_back(std::move(name));
      else if (name.ends_with(kNewSuffix))
        markers.replaced.push_back(std::move(name));
    }
  }
  return markers;
}

// "db/t.del" and "db/t.ibd.del" both speak of "db/t.ibd".
std::string TableFile(std::string_view name) {
  std::string file(name);
  if (!file.ends_with(kTableSuffix)) file += kTableSuffix;
  return file;
}

Status RemoveIfThere(io::FileSystem& fs, const std::string& path) {
  const Status removed = fs.Remove(path);
  return removed.code() == StatusCode::kNotFound ? OkStatus() : removed;
}

// The file first, then its marker: killed in between, the marker finds nothing to do.
Status ApplyDeletes(io::FileSystem& fs, const BackupSet& set, const Markers& markers) {
  for (const std::string& marker : markers.deleted) {
    HBK_RETURN_IF_ERROR(RemoveIfThere(fs, set.Path(MarkedFile(marker))));
    HBK_RETURN_IF_ERROR(fs.Remove(set.Path(marker)));
  }
  return OkStatus();
}

// In two phases, since tables may have swapped names: first every file goes to its new name with a
// suffix, and its marker is removed; once no marker is left, the suffixes go.
Status ApplyRenames(io::FileSystem& fs, const BackupSet& set, const Markers& markers) {
  std::vector<std::string> waiting = markers.renaming;
  for (const std::string& marker : markers.renamed) {
    HBK_ASSIGN_OR_RETURN(const std::string to, ReadNewName(fs, set.Path(marker)));
    const std::string from = set.Path(MarkedFile(marker));
    HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs, from));
    if (is_there) {
      waiting.push_back(to + std::string(kRenamingSuffix));
      HBK_RETURN_IF_ERROR(
          io::MakeDirectories(fs, io::DirName(set.Path(to)), kDatabaseDirectoryMode));
      HBK_RETURN_IF_ERROR(fs.Rename(from, set.Path(waiting.back())));
    }
    HBK_RETURN_IF_ERROR(fs.Remove(set.Path(marker)));
  }
  for (const std::string& name : waiting) {
    const std::string target = set.Path(name.substr(0, name.size() - kRenamingSuffix.size()));
    HBK_ASSIGN_OR_RETURN(const bool is_taken, io::Exists(fs, target));
    if (is_taken) return CorruptionError(target + ": another table is to have this name");
    HBK_RETURN_IF_ERROR(fs.Rename(set.Path(name), target));
  }
  return OkStatus();
}

}  // namespace

std::string MarkedFile(std::string_view marker) {
  return TableFile(marker.substr(0, marker.rfind('.')));
}

Result<std::string> ReadNewName(io::FileSystem& fs, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(fs, path, kMarkerBytesMax));
  std::string to = TableFile(text.substr(0, text.find_last_not_of(" \r\n") + 1));
  if (!manifest::IsSafeFileName(to) || to.find('/') == std::string::npos)
    return CorruptionError(fmt::format("{}: '{}' is no table", path, to));
  return to;
}

Result<bool> HasDdlMarkers(io::FileSystem& fs, const BackupSet& set) {
  HBK_ASSIGN_OR_RETURN(const Markers markers, ListMarkers(fs, set));
  return !markers.empty();
}

Status ApplyDdlMarkers(io::FileSystem& fs, const BackupSet& set) {
  HBK_ASSIGN_OR_RETURN(const Markers markers, ListMarkers(fs, set));
  HBK_RETURN_IF_ERROR(ApplyDeletes(fs, set, markers));
  HBK_RETURN_IF_ERROR(ApplyRenames(fs, set, markers));
  for (const std::string& name : markers.replaced) {
    HBK_RETURN_IF_ERROR(fs.Rename(set.Path(name), set.Path(MarkedFile(name))));
  }
  // A rename may have made a database.
  HBK_RETURN_IF_ERROR(fs.SyncDirectory(set.dir));
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& directory : root) {
    if (directory.type == io::FileType::kDirectory)
      HBK_RETURN_IF_ERROR(fs.SyncDirectory(set.Path(directory.name)));
  }
  return OkStatus();
}

}  // namespace hbk::prepare
