#include "table_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "exact_copy.h"

namespace hbk::backup {

namespace {

using datadir::FileKind;

constexpr int kAgainMax = 20;
constexpr uint64_t kCsvStateBytesMax = 4096;

CopyJob MakeJob(const datadir::DataFile& file, bool is_locked) {
  CopyJob job;
  job.name = file.name;
  job.source_path = file.source_path;
  job.size_hint = file.info.size;
  job.ddl_may_run = !is_locked;
  job.under_lock = is_locked;
  // Files of a DATA DIRECTORY of MyISAM and Aria are symlinks in the database directory.
  job.follow_symlink = file.kind == FileKind::kMyisamTable || file.kind == FileKind::kAriaTable;
  return job;
}

// The rules of a file at rest: it did not change while it was read.
bool IsSettled(const CopyResult& result) {
  return result.before.inode == result.after.inode && result.before.size == result.after.size &&
         result.before.mtime_ns == result.after.mtime_ns && result.size == result.after.size;
}

bool IsCsvLogTable(const datadir::DataFile& file) {
  return file.kind == FileKind::kCsvTable && IsLogTableFile(file.name);
}

}  // namespace

Status TableFiles::MakeDatabases(const datadir::Scan& scan) {
  for (const std::string& name : scan.databases)
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, io::JoinPath(target_dir_, name), 0700));
  HBK_ASSIGN_OR_RETURN(const auto entries, fs_.List(target_dir_));
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.type != io::FileType::kDirectory || entry.name == "lost+found") continue;
    const bool is_there =
        std::find(scan.databases.begin(), scan.databases.end(), entry.name) != scan.databases.end();
    // DROP DATABASE: its tablespaces are gone from the target already.
    if (!is_there) HBK_RETURN_IF_ERROR(fs_.RemoveDirectory(io::JoinPath(target_dir_, entry.name)));
  }
  record_.databases = scan.databases;
  return OkStatus();
}

void TableFiles::Note(const datadir::DataFile& file, CopyStage stage, const CopyResult& result) {
  record_.AddFile(file.name, file.kind, stage, result.size, result.digest);
}

Status TableFiles::CopyStageFiles(const datadir::Scan& scan, CopyStage stage,
                                  std::stop_token stop) {
  std::vector<const datadir::DataFile*> files;
  std::vector<CopyJob> jobs;
  for (const datadir::DataFile& file : scan.files) {
    if (StageOf(file.kind, file.name) != stage || IsCsvLogTable(file)) continue;
    if (file.kind == FileKind::kAriaLog || file.kind == FileKind::kAriaControl) continue;
    files.push_back(&file);
    jobs.push_back(MakeJob(file, stage != CopyStage::kEnd));
  }
  if (jobs.empty()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto results, copier_.Copy(std::move(jobs), stop));
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].outcome != CopyOutcome::kCopied) continue;
    Note(*files[i], stage, results[i]);
    if (stage != CopyStage::kEnd && !IsSettled(results[i])) unsettled_.push_back(*files[i]);
  }
  return OkStatus();
}

Status TableFiles::CopyUnderBlockDdl(const datadir::Scan& scan, std::stop_token stop) {
  HBK_RETURN_IF_ERROR(MakeDatabases(scan));
  return CopyStageFiles(scan, CopyStage::kBlockDdl, stop);
}

Status TableFiles::CopyUnderBlockCommit(const datadir::Scan& scan, std::stop_token stop) {
  for (const datadir::DataFile& file : scan.files) {
    if (IsCsvLogTable(file) && file.name.ends_with(".CSV"))
      HBK_RETURN_IF_ERROR(CopyCsvLogTable(file, stop));
  }
  HBK_RETURN_IF_ERROR(CopyStageFiles(scan, CopyStage::kBlockCommit, stop));
  return CopyAgain(stop);
}

Status TableFiles::CopyAgain(std::stop_token stop) {
  for (const datadir::DataFile& file : unsettled_) {
    CopyJob job = MakeJob(file, /*is_locked=*/true);
    job.replace = true;
    bool is_settled = false;
    for (int i = 0; i < kAgainMax && !is_settled; ++i) {
      HBK_ASSIGN_OR_RETURN(const CopyResult result, copier_.CopyOne(job, stop));
      Note(file, CopyStage::kBlockCommit, result);
      is_settled = IsSettled(result);
    }
    if (is_settled) continue;
    if (!IsLogTableFile(file.name)) {
      return FailedError(fmt::format("{} does not come to rest although commits are blocked",
                                     file.source_path))
          .WithHint("try again when there is less writing to Aria tables");
    }
    record_.warnings.push_back(fmt::format(
        "the log table {} was written while it was copied: it may need REPAIR TABLE", file.name));
  }
  unsettled_.clear();
  return OkStatus();
}

Status TableFiles::CopyCsvLogTable(const datadir::DataFile& file, std::stop_token stop) {
  io::OpenOptions open;
  open.follow = true;
  HBK_ASSIGN_OR_RETURN(const auto source, fs_.Open(file.source_path, open));
  HBK_ASSIGN_OR_RETURN(const uint64_t end, EndOfLastRow(*source));
  HBK_ASSIGN_OR_RETURN(
      const ExactCopy copy,
      CopyFirstBytes(fs_, *source, end, io::JoinPath(target_dir_, file.name), stop));
  record_.AddFile(file.name, file.kind, CopyStage::kBlockCommit, copy.size, copy.digest);

  const auto state_of = [](std::string path) {
    return path.replace(path.size() - 1, 1, "M");
  };
  const std::string state_name = state_of(file.name);
  const std::string state_path = state_of(file.source_path);
  HBK_ASSIGN_OR_RETURN(const std::string bytes, io::ReadFile(fs_, state_path, kCsvStateBytesMax));
  const Result<std::string> clean = CleanCsvState(bytes, copy.line_feed_count);
  HBK_RETURN_IF_ERROR(clean.status().WithContext(state_path));
  HBK_ASSIGN_OR_RETURN(const CopyResult written,
                       copier_.WriteBytes(state_name, AsBytes(*clean), /*replace=*/false,
                                          /*under_lock=*/true));
  record_.AddFile(state_name, file.kind, CopyStage::kBlockCommit, written.size, written.digest);
  return OkStatus();
}

Status TableFiles::CopyAfterEnd(const datadir::Scan& scan, std::stop_token stop) {
  return CopyStageFiles(scan, CopyStage::kEnd, stop);
}

}  // namespace hbk::backup
