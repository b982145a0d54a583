#include "restore_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "hbk/datadir/scanner.h"

namespace hbk::restore {
namespace {

using datadir::FileKind;

constexpr uint64_t kLinkBytesMax = 4096;
constexpr uint64_t kMib = 1 << 20;
constexpr std::string_view kRocksdbLogExtension = ".log";
constexpr size_t kExtensionBytes = 4;  // of ".isl" and ".ibd"

class Planner {
 public:
  Planner(io::FileSystem& fs, const RestoreSource& source, const datadir::Layout& layout,
          const LinkPlacement& placement)
      : fs_(fs), source_(source), layout_(layout), placement_(placement) {}

  Result<RestorePlan> Run() {
    HBK_RETURN_IF_ERROR(PlaceSystemFiles());
    HBK_RETURN_IF_ERROR(FollowLinks());
    for (const SourceFile& file : source_.files) {
      if (file.kind == FileKind::kSystemTablespace || dropped_links_.contains(file.name)) continue;
      Add(file, PlaceOf(file));
    }
    for (const std::string& rule : placement_.remap.Unused())
      Warn(fmt::format("remap '{}': no table of the backup lies there", rule));
    AddDirectories();
    HBK_RETURN_IF_ERROR(CheckDistinct());
    std::stable_sort(plan_.files.begin(), plan_.files.end(),
                     [](const PlannedFile& a, const PlannedFile& b) {
                       return a.source.info.size > b.source.info.size;
                     });
    return std::move(plan_);
  }

 private:
  void Add(const SourceFile& file, std::string target) {
    PlannedFile planned{.source = file, .target = std::move(target)};
    if (const auto it = new_links_.find(file.name); it != new_links_.end()) {
      planned.content = it->second;
    }
    plan_.files.push_back(std::move(planned));
  }

  void Warn(std::string warning) { plan_.warnings.push_back(std::move(warning)); }

  [[nodiscard]] std::string PlaceOf(const SourceFile& file) const {
    switch (file.kind) {
      case FileKind::kUndoTablespace: return io::JoinPath(layout_.undo_dir, file.name);
      case FileKind::kRedoLog: return io::JoinPath(layout_.redo_dir, file.name);
      case FileKind::kAriaControl:
      case FileKind::kAriaLog: return io::JoinPath(layout_.aria_log_dir, file.name);
      case FileKind::kRocksdb: {
        const std::string_view name = io::BaseName(file.name);
        return io::JoinPath(
            name.ends_with(kRocksdbLogExtension) ? layout_.rocksdb_wal_dir : layout_.rocksdb_dir,
            name);
      }
      case FileKind::kTablespace:
        if (const auto it = places_.find(file.name); it != places_.end()) return it->second;
        break;
      default: break;
    }
    return io::JoinPath(layout_.datadir, file.name);
  }

  Status DoesNotFit(std::string_view why) const {
    return UsageError(fmt::format("innodb_data_file_path does not fit the backup: {}", why))
        .WithHint(fmt::format("the backup was made with {}",
                              datadir::FlatDataFilePath(source_.system_files)));
  }

  // As the server checks it at its start: fixed files by whole MiB, the last one may have grown.
  Status CheckFits(const datadir::SystemFile& target, const SourceFile& file) const {
    const uint64_t size_mib = file.info.size / kMib;
    const uint64_t target_mib = target.size / kMib;
    if (target.is_autoextend ? size_mib < target_mib : size_mib != target_mib) {
      return DoesNotFit(fmt::format("{} has {} MiB, the target's {} is to have {}", file.name,
                                    size_mib, target.path, target_mib));
    }
    if (target.max_size != 0 && file.info.size > target.max_size) {
      return DoesNotFit(fmt::format("{} has {} MiB, the target's {} may have {}", file.name,
                                    size_mib, target.path, target.max_size / kMib));
    }
    return OkStatus();
  }

  Status PlaceSystemFiles() {
    const size_t count = source_.system_files.size();
    if (layout_.system_files.size() != count) {
      return DoesNotFit(fmt::format("it has {} files, not {}", count, layout_.system_files.size()));
    }
    for (size_t i = 0; i < count; ++i) {
      const std::string_view name = io::BaseName(source_.system_files[i].path);
      const auto file = std::find_if(source_.files.begin(), source_.files.end(),
                                     [&](const SourceFile& other) { return other.name == name; });
      HBK_CHECK(file != source_.files.end());  // OpenRestoreSource has looked.
      HBK_RETURN_IF_ERROR(CheckFits(layout_.system_files[i], *file));
      Add(*file, layout_.SystemFilePath(layout_.system_files[i]));
    }
    return OkStatus();
  }

  Status FollowLinks() {
    for (const SourceFile& file : source_.files) {
      if (file.kind != FileKind::kTablespaceLink) continue;
      HBK_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(fs_, file.path, kLinkBytesMax));
      const Result<std::string> place = datadir::ParseTablespaceLink(text, io::BaseName(file.name));
      if (!place.ok()) return place.status().WithContext(file.path);
      HBK_RETURN_IF_ERROR(PlaceLinked(file, place.value()));
    }
    return OkStatus();
  }

  // One table that was at `place`.
  Status PlaceLinked(const SourceFile& link, const std::string& place) {
    const std::string table = link.name.substr(0, link.name.size() - kExtensionBytes);
    if (placement_.brings_home) {
      dropped_links_.insert(link.name);
      return OkStatus();
    }
    if (const std::optional<std::string> moved = placement_.remap.Apply(place)) {
      HBK_RETURN_IF_ERROR(CheckRemapped(table, *moved));
      if (*moved != place) new_links_.emplace(link.name, *moved);
      places_.emplace(table + ".ibd", *moved);
      return OkStatus();
    }
    std::string_view why = WhyNotThere(place);
    if (why.empty()) {
      HBK_ASSIGN_OR_RETURN(const bool is_taken, IsTaken(place));
      if (is_taken) why = "exists";
    }
    if (why.empty()) {
      places_.emplace(table + ".ibd", place);
      return OkStatus();
    }
    dropped_links_.insert(link.name);
    Warn(fmt::format("{} {}: the table {} goes into the data directory", place, why, table));
    return OkStatus();
  }

  // Empty, or why no table with a .isl file can be there. (The server takes the directories in its
  // data directory for databases.)
  [[nodiscard]] std::string_view WhyNotThere(const std::string& written) const {
    const std::string place = datadir::CleanPath(written);
    if (datadir::IsInside(place, layout_.datadir)) return "lies in the data directory";
    if (datadir::IsInside(place, source_.dir)) return "lies in the backup";
    return "";
  }

  Status CheckRemapped(const std::string& table, const std::string& place) const {
    const std::string_view why = WhyNotThere(place);
    if (!why.empty()) {
      return UsageError(fmt::format("remap: {}, for the table {}, {}", place, table, why))
          .WithHint("--local-tablespaces puts all tables into the data directory");
    }
    if (place.size() >= kLinkBytesMax) {
      return UsageError(fmt::format("remap: a path of {} bytes for the table {}: {} at most",
                                    place.size(), table, kLinkBytesMax - 1));
    }
    return OkStatus();
  }

  [[nodiscard]] Result<bool> IsTaken(const std::string& path) {
    const Result<io::FileInfo> info = fs_.Stat(path, /*follow=*/false);
    if (info.ok()) return true;
    if (info.status().code() == StatusCode::kNotFound) return false;
    return info.status();
  }

  // Sorted, so that a directory comes before those in it.
  void AddDirectories() {
    std::set<std::string> directories;
    for (const std::string& root : layout_.Roots())
      directories.insert(root);
    for (const std::string& database : source_.databases)
      directories.insert(io::JoinPath(layout_.datadir, database));
    for (const PlannedFile& file : plan_.files)
      directories.insert(io::DirName(file.target));
    plan_.directories.assign(directories.begin(), directories.end());
  }

  Status CheckDistinct() const {
    std::map<std::string_view, std::string_view> sources;
    for (const PlannedFile& file : plan_.files) {
      const auto [it, is_new] = sources.emplace(file.target, file.source.name);
      if (!is_new) {
        return UsageError(fmt::format("{} and {} would both become {}", it->second,
                                      file.source.name, file.target));
      }
    }
    return OkStatus();
  }

  io::FileSystem& fs_;
  const RestoreSource& source_;
  const datadir::Layout& layout_;
  LinkPlacement placement_;                       // a copy: it notes which rules were used
  std::map<std::string, std::string> places_;     // of tablespaces that do not go home, by name
  std::map<std::string, std::string> new_links_;  // .isl files, and what is to be in them
  std::set<std::string> dropped_links_;           // .isl files that are not restored
  RestorePlan plan_;
};

}  // namespace

Result<RestorePlan> MakeRestorePlan(io::FileSystem& fs, const RestoreSource& source,
                                    const datadir::Layout& layout, const LinkPlacement& links) {
  return Planner(fs, source, layout, links).Run();
}

}  // namespace hbk::restore
