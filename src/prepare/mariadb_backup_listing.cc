#include "mariadb_backup_listing.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "hbk/manifest/backup_manifest.h"

#include "file_moves.h"

namespace hbk::prepare {
namespace {

using datadir::FileKind;

constexpr uint64_t kMetaBytesMax = 4096;
constexpr std::string_view kDeletedSuffix = ".del";
constexpr std::string_view kRenamedSuffix = ".ren";
constexpr std::string_view kNewSuffix = ".new";
constexpr std::string_view kTableSuffix = ".ibd";
constexpr std::string_view kUsedUpHint =
    "mariadb-backup --prepare removes the deltas that it has applied: take the increment from "
    "where it was kept, or make another one";

std::string Without(std::string_view name, std::string_view suffix) {
  return std::string(name.substr(0, name.size() - suffix.size()));
}

class Lister {
 public:
  Lister(io::FileSystem& fs, std::string dir, const std::vector<std::string>& system_files)
      : fs_(fs), dir_(std::move(dir)), system_files_(system_files) {}

  Result<MariadbBackupListing> Run() {
    HBK_RETURN_IF_ERROR(Collect(""));
    HBK_ASSIGN_OR_RETURN(datadir::Scan scan, datadir::ScanBackupDirectory(fs_, dir_, {}));
    for (const std::string& database : scan.databases)
      HBK_RETURN_IF_ERROR(Collect(database));
    HBK_RETURN_IF_ERROR(AddOthers(std::move(scan)));
    HBK_RETURN_IF_ERROR(ReadRenames());
    HBK_RETURN_IF_ERROR(AddDeltas());
    AddNewFiles();
    HBK_RETURN_IF_ERROR(CheckServerFiles());
    for (auto& [name, space] : tablespaces_)
      listing_.tablespaces.push_back(std::move(space));
    return std::move(listing_);
  }

 private:
  [[nodiscard]] std::string Path(std::string_view name) const { return io::JoinPath(dir_, name); }

  Status Collect(const std::string& database) {
    HBK_ASSIGN_OR_RETURN(const auto entries, fs_.List(database.empty() ? dir_ : Path(database)));
    for (const io::DirectoryEntry& entry : entries) {
      if (entry.type == io::FileType::kDirectory) continue;
      const std::string name = database.empty() ? entry.name : io::JoinPath(database, entry.name);
      std::set<std::string>* list = ListFor(name, !database.empty());
      if (name.ends_with(".qp") || name.ends_with(".xbcrypt")) {
        return UnsupportedError(fmt::format("{} is compressed or encrypted", Path(name)))
            .WithHint("unpack it first, as for mariadb-backup --prepare (--decompress)");
      }
      if (list == nullptr) continue;
      if (entry.type != io::FileType::kRegular || !manifest::IsSafeFileName(name))
        return CorruptionError(fmt::format("{} is no file of a backup", Path(name)));
      list->insert(name);
    }
    return OkStatus();
  }

  // Null: it is no file of these kinds. Markers are about tables alone.
  std::set<std::string>* ListFor(std::string_view name, bool is_of_table) {
    if (name.ends_with(delta::kMariadbBackupDeltaSuffix)) return &deltas_;
    if (name.ends_with(delta::kMariadbBackupMetaSuffix)) return &metas_;
    if (!is_of_table) return nullptr;
    if (name.ends_with(kDeletedSuffix)) return &deleted_;
    if (name.ends_with(kRenamedSuffix)) return &renamed_;
    return name.ends_with(kNewSuffix) ? &new_ : nullptr;
  }

  Status AddOthers(datadir::Scan scan) {
    listing_.databases = std::move(scan.databases);
    for (datadir::DataFile& file : scan.files) {
      if (file.kind == FileKind::kTablespace || file.kind == FileKind::kUndoTablespace) {
        return Status(StatusCode::kChainBroken,
                      fmt::format("{} is no part of an increment that is as it was made",
                                  Path(file.name)))
            .WithHint(kUsedUpHint);
      }
      listing_.others.push_back(std::move(file));
    }
    return OkStatus();
  }

  Status ReadRenames() {
    for (const std::string& marker : renamed_) {
      HBK_ASSIGN_OR_RETURN(std::string to, ReadNewName(fs_, Path(marker)));
      new_names_.emplace(MarkedFile(marker), std::move(to));
    }
    return OkStatus();
  }

  [[nodiscard]] bool IsDeleted(const std::string& name) const {
    return std::any_of(deleted_.begin(), deleted_.end(),
                       [&](const std::string& marker) { return MarkedFile(marker) == name; });
  }

  [[nodiscard]] std::optional<FileKind> KindOf(const std::string& name) const {
    if (name.find('/') != std::string::npos)
      return name.ends_with(kTableSuffix) ? std::optional(FileKind::kTablespace) : std::nullopt;
    if (std::find(system_files_.begin(), system_files_.end(), name) != system_files_.end())
      return FileKind::kSystemTablespace;
    const auto kind = datadir::ClassifyRootFile(name);
    return kind == FileKind::kUndoTablespace ? kind : std::nullopt;
  }

  Status AddDeltas() {
    for (const std::string& meta : metas_) {
      const std::string name = Without(meta, delta::kMariadbBackupMetaSuffix);
      if (deltas_.contains(name + std::string(delta::kMariadbBackupDeltaSuffix))) continue;
      return Status(StatusCode::kChainBroken, fmt::format("{} has no delta", Path(meta)))
          .WithHint(kUsedUpHint);
    }
    for (const std::string& delta : deltas_)
      HBK_RETURN_IF_ERROR(AddDelta(delta));
    return OkStatus();
  }

  Status AddDelta(const std::string& delta) {
    ListedTablespace space;
    space.name = Without(delta, delta::kMariadbBackupDeltaSuffix);
    space.path = Path(delta);
    const auto kind = KindOf(space.name);
    if (!kind.has_value())
      return CorruptionError(fmt::format("{} is of no tablespace", space.path));
    space.kind = *kind;
    HBK_ASSIGN_OR_RETURN(space.meta, ReadMeta(space.name));
    if ((space.meta.space_id == innodb::kSystemSpaceId) != (*kind == FileKind::kSystemTablespace)) {
      return CorruptionError(
          fmt::format("{} is said to be of tablespace {}", space.path, space.meta.space_id));
    }
    // A table that was dropped, or copied whole, when its delta was made already.
    if (IsDeleted(space.name)) return OkStatus();
    const auto renamed = new_names_.find(space.name);
    if (renamed != new_names_.end()) space.name = renamed->second;
    const auto [other, is_first] = tablespaces_.emplace(space.name, space);
    if (is_first) return OkStatus();
    return CorruptionError(
        fmt::format("{} and {} are both about {}", other->second.path, space.path, space.name));
  }

  Result<delta::MariadbBackupMeta> ReadMeta(const std::string& name) {
    const std::string path = Path(name + std::string(delta::kMariadbBackupMetaSuffix));
    const auto text = io::ReadFile(fs_, path, kMetaBytesMax);
    if (text.status().code() == StatusCode::kNotFound) return CorruptionError(path + " is missing");
    HBK_RETURN_IF_ERROR(text.status());
    auto meta = delta::ParseMariadbBackupMeta(*text);
    if (!meta.ok()) return meta.status().WithContext(path);
    return meta;
  }

  // These were copied last, when no DDL could run any more.
  void AddNewFiles() {
    for (const std::string& file : new_) {
      ListedTablespace space;
      space.name = MarkedFile(file);
      space.path = Path(file);
      space.is_whole = true;
      tablespaces_[space.name] = std::move(space);
    }
  }

  Status CheckServerFiles() {
    for (const std::string& name : system_files_) {
      if (tablespaces_.contains(name)) continue;
      return Status(StatusCode::kChainBroken, fmt::format("{} has no delta of {}", dir_, name))
          .WithHint(kUsedUpHint);
    }
    return OkStatus();
  }

  io::FileSystem& fs_;
  const std::string dir_;
  const std::vector<std::string>& system_files_;
  std::set<std::string> deltas_;  // names of files
  std::set<std::string> metas_;
  std::set<std::string> deleted_;
  std::set<std::string> renamed_;
  std::set<std::string> new_;
  std::map<std::string, std::string> new_names_;  // by the name that the delta has
  std::map<std::string, ListedTablespace> tablespaces_;
  MariadbBackupListing listing_;
};

}  // namespace

Result<MariadbBackupListing> ListMariadbBackupIncrement(
    io::FileSystem& fs, const std::string& dir, const std::vector<std::string>& system_files) {
  return Lister(fs, dir, system_files).Run();
}

}  // namespace hbk::prepare
