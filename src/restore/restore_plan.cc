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
constexpr size_t kExtensionBytes = 4;  // of ".isl" and ".ibd"

class Planner {
 public:
  Planner(io::FileSystem& fs, const RestoreSource& source, const datadir::Layout& layout)
      : fs_(fs), source_(source), layout_(layout) {}

  Result<RestorePlan> Run() {
    HBK_RETURN_IF_ERROR(PlaceSystemFiles());
    HBK_RETURN_IF_ERROR(FollowLinks());
    for (const SourceFile& file : source_.files) {
      if (file.kind == FileKind::kSystemTablespace || relocated_.contains(file.name)) continue;
      Add(file, PlaceOf(file));
    }
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
    plan_.files.push_back({.source = file, .target = std::move(target)});
  }

  [[nodiscard]] std::string PlaceOf(const SourceFile& file) const {
    switch (file.kind) {
      case FileKind::kUndoTablespace: return io::JoinPath(layout_.undo_dir, file.name);
      case FileKind::kRedoLog: return io::JoinPath(layout_.redo_dir, file.name);
      case FileKind::kAriaControl:
      case FileKind::kAriaLog: return io::JoinPath(layout_.aria_log_dir, file.name);
      case FileKind::kTablespace:
        if (const auto it = links_.find(file.name); it != links_.end()) return it->second;
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

  // Fills links_ with the places of DATA DIRECTORY tables, and relocated_ with the .isl files of
  // those whose place is taken: by the source server itself, if it is on this machine.
  Status FollowLinks() {
    for (const SourceFile& file : source_.files) {
      if (file.kind != FileKind::kTablespaceLink) continue;
      HBK_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(fs_, file.path, kLinkBytesMax));
      const Result<std::string> place = datadir::ParseTablespaceLink(text, io::BaseName(file.name));
      if (!place.ok()) return place.status().WithContext(file.path);
      const std::string table = file.name.substr(0, file.name.size() - kExtensionBytes);
      HBK_ASSIGN_OR_RETURN(const bool is_taken, IsTaken(place.value()));
      if (!is_taken) {
        links_.emplace(table + ".ibd", place.value());
        continue;
      }
      relocated_.insert(file.name);
      plan_.warnings.push_back(fmt::format("{} exists: the table {} goes into the data directory",
                                           place.value(), table));
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
  std::map<std::string, std::string> links_;  // name in the backup to place
  std::set<std::string> relocated_;           // .isl files that are not restored
  RestorePlan plan_;
};

}  // namespace

Result<RestorePlan> MakeRestorePlan(io::FileSystem& fs, const RestoreSource& source,
                                    const datadir::Layout& layout) {
  return Planner(fs, source, layout).Run();
}

}  // namespace hbk::restore
