// HasDdlMarkers, ApplyDdlMarkers: what mariadb-backup leaves to its prepare.

#include <fmt/format.h>

#include "file_moves.h"

namespace hbk::prepare {
namespace {

constexpr std::string_view kTableSuffix = ".ibd";
constexpr std::string_view kNewSuffix = ".new";
constexpr size_t kMarkerBytesMax = 4096;

struct Markers {
  std::vector<std::string> deleted;  // names of the marker files
  std::vector<std::string> renamed;
  std::vector<std::string> replaced;

  [[nodiscard]] bool empty() const {
    return deleted.empty() && renamed.empty() && replaced.empty();
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

std::string MarkedFile(std::string_view marker) {
  return TableFile(marker.substr(0, marker.rfind('.')));
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

struct MarkedRename {
  std::string marker;
  std::string from;
  std::string to;
};

// Those first whose new name is free: a may become b while b becomes c.
Status ApplyRenames(io::FileSystem& fs, const BackupSet& set, const Markers& markers) {
  std::vector<MarkedRename> renames;
  for (const std::string& marker : markers.renamed) {
    HBK_ASSIGN_OR_RETURN(const std::string text,
                         io::ReadFile(fs, set.Path(marker), kMarkerBytesMax));
    const std::string to = TableFile(text.substr(0, text.find_last_not_of(" \r\n") + 1));
    if (!manifest::IsSafeFileName(to)) {
      return CorruptionError(fmt::format("{}: '{}' is no table", set.Path(marker), to));
    }
    renames.push_back({marker, MarkedFile(marker), to});
  }
  while (!renames.empty()) {
    bool has_progress = false;
    for (size_t i = 0; i < renames.size();) {
      const MarkedRename& rename = renames[i];
      HBK_ASSIGN_OR_RETURN(const bool has_source, io::Exists(fs, set.Path(rename.from)));
      HBK_ASSIGN_OR_RETURN(const bool has_target, io::Exists(fs, set.Path(rename.to)));
      if (has_source && has_target && rename.from != rename.to) {
        ++i;
        continue;
      }
      if (has_source) {
        HBK_RETURN_IF_ERROR(fs.Rename(set.Path(rename.from), set.Path(rename.to)));
      }
      HBK_RETURN_IF_ERROR(fs.Remove(set.Path(rename.marker)));
      renames.erase(renames.begin() + static_cast<std::ptrdiff_t>(i));
      has_progress = true;
    }
    if (!has_progress) {
      return UnsupportedError(fmt::format("{}: its new name {} is taken",
                                          set.Path(renames.front().marker), renames.front().to));
    }
  }
  return OkStatus();
}

}  // namespace

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
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& directory : root) {
    if (directory.type == io::FileType::kDirectory)
      HBK_RETURN_IF_ERROR(fs.SyncDirectory(set.Path(directory.name)));
  }
  return OkStatus();
}

}  // namespace hbk::prepare
