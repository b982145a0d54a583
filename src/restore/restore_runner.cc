#include "hbk/restore/restore_runner.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hbk/manifest/backup_manifest.h"

#include "created_entries.h"
#include "file_owner.h"
#include "moved_backup.h"
#include "restore_plan.h"
#include "restore_pool.h"
#include "restore_source.h"
#include "target_check.h"

namespace hbk::restore {
namespace {

using datadir::FileKind;
using datadir::Layout;

constexpr uint32_t kWorkersMax = 16;
constexpr std::string_view kLinkHint =
    "--remap=/old=/new puts such tables elsewhere, --local-tablespaces into the data directory";

uint32_t WorkerCount(uint32_t asked_for) {
  if (asked_for != 0) return asked_for;
  return std::clamp(std::thread::hardware_concurrency(), 1U, kWorkersMax);
}

class Restorer {
 public:
  Restorer(const RestoreOptions& options, io::FileSystem& fs, report::Reporter& reporter,
           std::stop_token stop)
      : options_(options),
        fs_(fs),
        reporter_(reporter),
        stop_(std::move(stop)),
        worker_count_(WorkerCount(options.parallel)),
        created_(fs) {}

  Result<RestoreSummary> Run() {
    HBK_RETURN_IF_ERROR(Check());
    if (options_.move) HBK_RETURN_IF_ERROR(CheckDigests());
    const Status status = options_.move ? Move() : Copy();
    if (!status.ok()) {
      TakeBack();
      return status;
    }
    return Summary();
  }

 private:
  // Reads only.
  Status Check() {
    reporter_.BeginPhase("check");
    HBK_RETURN_IF_ERROR(DecideAboutLinks());
    // The paths of the target are absolute; so that they can be compared, so is this one.
    datadir::LayoutOptions backup_options;
    backup_options.datadir = options_.backup_dir;
    HBK_ASSIGN_OR_RETURN(const Layout backup, datadir::MakeLayout(backup_options));
    HBK_ASSIGN_OR_RETURN(source_, OpenRestoreSource(fs_, backup.datadir));
    HBK_ASSIGN_OR_RETURN(layout_, datadir::MakeLayout(options_.target));
    layout_.SetHasRocksdb(source_.HasRocksdb());
    if (options_.target.innodb_data_file_path.empty()) UseSystemFilesOfBackup();
    HBK_RETURN_IF_ERROR(CheckNotInUse(fs_, source_, layout_));
    if (!options_.force_non_empty_directories) HBK_RETURN_IF_ERROR(CheckRootsEmpty(fs_, layout_));
    HBK_ASSIGN_OR_RETURN(plan_, MakeRestorePlan(fs_, source_, layout_, links_));
    HBK_RETURN_IF_ERROR(CheckNothingInTheWay(fs_, plan_));
    HBK_RETURN_IF_ERROR(CheckSpace(fs_, plan_, options_.move));
    HBK_RETURN_IF_ERROR(FindOwner());
    for (const std::string& warning : source_.warnings)
      reporter_.Warning(warning + " is not restored");
    for (const std::string& warning : plan_.warnings)
      reporter_.Warning(warning);
    if (!source_.has_digests) {
      reporter_.Info(
          "the backup has no manifest that tells of its files as they are: they are "
          "restored without a check of their digests");
    }
    return OkStatus();
  }

  Status DecideAboutLinks() {
    if (options_.local_tablespaces && !options_.remap.empty()) {
      return UsageError("remap and local-tablespaces exclude each other");
    }
    HBK_ASSIGN_OR_RETURN(links_.remap, PathRemap::Parse(options_.remap));
    links_.brings_home = options_.local_tablespaces;
    return OkStatus();
  }

  void UseSystemFilesOfBackup() {
    const std::string spec = datadir::FlatDataFilePath(source_.system_files);
    if (spec != datadir::FlatDataFilePath(layout_.system_files)) {
      reporter_.Info(fmt::format("the server will need innodb_data_file_path={}", spec));
    }
    layout_.system_files = source_.system_files;
  }

  Status FindOwner() {
    HBK_ASSIGN_OR_RETURN(const std::string nearest, NearestExisting(fs_, layout_.datadir));
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs_.Stat(nearest, /*follow=*/true));
    owner_ = {.uid = info.uid, .gid = info.gid};
    if (!options_.owner.empty()) {
      HBK_ASSIGN_OR_RETURN(owner_, ParseOwner(options_.owner, owner_));
    }
    return OkStatus();
  }

  [[nodiscard]] RestoreContext Context() {
    return {.fs = fs_, .created = created_, .owner = owner_, .stop = stop_};
  }

  // The order of a restore. No server starts on what a SIGKILL or a power cut leaves of it: where
  // ibdata1 is and ib_logfile0 is not, it refuses. Where neither is, it would make new ones and
  // lose sight of every table; so the system tablespace comes before everything else.
  enum class Turn { kSystemTablespace, kOther, kRedoLog };
  static constexpr std::array kTurns = {Turn::kSystemTablespace, Turn::kOther, Turn::kRedoLog};

  static Turn TurnOf(FileKind kind) {
    if (kind == FileKind::kSystemTablespace) return Turn::kSystemTablespace;
    return kind == FileKind::kRedoLog ? Turn::kRedoLog : Turn::kOther;
  }

  [[nodiscard]] std::vector<const PlannedFile*> Select(Turn turn) const {
    std::vector<const PlannedFile*> files;
    for (const PlannedFile& file : plan_.files) {
      if (TurnOf(file.source.kind) == turn) files.push_back(&file);
    }
    return files;
  }

  // A damaged set is not to be moved half.
  Status CheckDigests() {
    if (!source_.has_digests) return OkStatus();
    BeginPhase("check digests");
    std::vector<const PlannedFile*> files;
    for (const PlannedFile& file : plan_.files)
      files.push_back(&file);
    RestoreProgress progress(reporter_, Summary().bytes);
    return RestorePool(Context(), files, FileRestore::Mode::kCheckOnly, progress)
        .Run(worker_count_);
  }

  Status MakeDirectories() {
    const std::vector<std::string> roots = layout_.Roots();
    for (const std::string& directory : plan_.directories) {
      const Status status = created_.MakeDirectories(directory, owner_);
      if (status.ok()) continue;
      const bool is_in_root = std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
        return datadir::IsInside(directory, root);
      });
      if (is_in_root) return status;
      return status.WithContext("making the DATA DIRECTORY of a table").WithHint(kLinkHint);
    }
    return OkStatus();
  }

  Status Copy() {
    HBK_RETURN_IF_ERROR(MakeDirectories());
    BeginPhase("copy files");
    RestoreProgress progress(reporter_, Summary().bytes);
    for (const Turn turn : kTurns) {
      HBK_RETURN_IF_ERROR(CopyAll(Select(turn), progress));
      HBK_RETURN_IF_ERROR(created_.SyncDirectories());
    }
    return OkStatus();
  }

  Status CopyAll(const std::vector<const PlannedFile*>& files, RestoreProgress& progress) {
    return RestorePool(Context(), files, FileRestore::Mode::kCopy, progress).Run(worker_count_);
  }

  Status Move() {
    HBK_RETURN_IF_ERROR(MakeDirectories());
    BeginPhase("move files");
    HBK_RETURN_IF_ERROR(moved_backup_.Begin(fs_, source_, layout_.datadir));
    RestoreProgress progress(reporter_, Summary().bytes);
    for (const Turn turn : kTurns) {
      HBK_RETURN_IF_ERROR(MoveAll(Select(turn), progress));
      HBK_RETURN_IF_ERROR(created_.SyncDirectories());
    }
    // From here on the target is whole, and nothing is taken back.
    const Status status = moved_backup_.RemoveLeftovers(fs_, source_, copied_);
    if (!status.ok()) reporter_.Warning("removing what was copied: " + status.message());
    return OkStatus();
  }

  // Renames what can be renamed and copies the rest; what was copied is removed at the end.
  Status MoveAll(const std::vector<const PlannedFile*>& files, RestoreProgress& progress) {
    std::vector<const PlannedFile*> to_copy;
    for (const PlannedFile* file : files) {
      if (stop_.stop_requested()) return InterruptedError();
      HBK_ASSIGN_OR_RETURN(const bool is_moved, MoveOne(*file));
      if (is_moved) {
        progress.Add(file->source.info.size);
      } else {
        to_copy.push_back(file);
      }
    }
    HBK_RETURN_IF_ERROR(CopyAll(to_copy, progress));
    for (const PlannedFile* file : to_copy)
      copied_.push_back(file->source.path);
    return OkStatus();
  }

  // False if the file has to be copied.
  Result<bool> MoveOne(const PlannedFile& file) {
    // mariadb-backup makes its files of MyRocks hard links to those of the server it backs up: with
    // a new owner and mode they would be of no use to that server.
    const bool is_shared =
        file.source.kind == FileKind::kRocksdb && file.source.info.link_count > 1;
    if (file.content || is_shared) return false;
    HBK_ASSIGN_OR_RETURN(const io::FileInfo dir_info,
                         fs_.Stat(io::DirName(file.target), /*follow=*/true));
    if (dir_info.device != file.source.info.device) return false;
    // rename() would replace a file that has come since the check.
    HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs_, file.target));
    if (is_there) {
      return Status(StatusCode::kTargetInUse,
                    fmt::format("{} exists, and is not overwritten", file.target));
    }
    const Status status = fs_.Rename(file.source.path, file.target);
    // A bind mount: another file system for rename(), the same for stat().
    if (status.code() == StatusCode::kFailed) return false;
    HBK_RETURN_IF_ERROR(status);
    created_.AddMove(file.source.path, file.target);
    HBK_ASSIGN_OR_RETURN(const auto target, fs_.Open(file.target, {.write = true}));
    HBK_RETURN_IF_ERROR(target->SetMode(kMovedFileMode));
    HBK_RETURN_IF_ERROR(GiveTo(*target, owner_));
    HBK_RETURN_IF_ERROR(target->Sync());
    HBK_RETURN_IF_ERROR(target->Close());
    return true;
  }

  void TakeBack() {
    std::vector<std::string> left = created_.TakeBack();
    if (options_.move) {
      const Status status = moved_backup_.Undo(fs_, source_);
      if (!status.ok()) left.push_back(status.message());
    }
    for (const std::string& line : left)
      reporter_.Warning("taking back what was made: " + line);
  }

  void BeginPhase(std::string_view name) {
    reporter_.BeginPhase(name, {{"files", fmt::format("{}", plan_.files.size())},
                                {"parallel", fmt::format("{}", worker_count_)}});
  }

  [[nodiscard]] RestoreSummary Summary() const {
    RestoreSummary summary;
    for (const PlannedFile& file : plan_.files) {
      ++summary.file_count;
      summary.bytes += file.source.info.size;
    }
    return summary;
  }

  static constexpr uint32_t kMovedFileMode = 0660;

  const RestoreOptions& options_;
  io::FileSystem& fs_;
  report::Reporter& reporter_;
  const std::stop_token stop_;
  const uint32_t worker_count_;
  CreatedEntries created_;
  MovedBackup moved_backup_;
  RestoreSource source_;
  Layout layout_;
  LinkPlacement links_;
  RestorePlan plan_;
  FileOwner owner_;
  std::vector<std::string> copied_;  // sources that a move has copied
};

}  // namespace

Result<RestoreSummary> RunRestore(const RestoreOptions& options, io::FileSystem& fs,
                                  report::Reporter& reporter, std::stop_token stop) {
  return Restorer(options, fs, reporter, std::move(stop)).Run();
}

}  // namespace hbk::restore
