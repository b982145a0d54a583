#include "table_files.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "hbk/io/file_identity.h"

#include "exact_copy.h"
#include "increment_base.h"
#include "target_files.h"

namespace hbk::backup {

namespace {

using datadir::DataFile;
using datadir::FileKind;

constexpr int kAgainMax = 20;
constexpr uint64_t kCsvStateBytesMax = 4096;
// A table that was written to within this time is probably written to all the time.
constexpr int64_t kIdleNs = 3'000'000'000;
// Writers of tables that are not transactional wait for it.
constexpr int64_t kRestPauseMax = 200'000'000;
// Big-endian, in the headers of .MYI and .MAI files: not 0 while what was changed is not written.
constexpr size_t kOpenCount = 24;

CopyJob MakeJob(const DataFile& file, CopyStage stage, bool is_myisam_mapped) {
  const bool is_locked = stage == CopyStage::kBlockDdl || stage == CopyStage::kBlockCommit;
  CopyJob job;
  job.name = file.name;
  job.source_path = file.source_path;
  job.size_hint = file.info.size;
  job.ddl_may_run = !is_locked;
  job.under_lock = is_locked || stage == CopyStage::kFlush;  // Then some writers wait.
  // Files of a DATA DIRECTORY of MyISAM and Aria are symlinks in the database directory.
  job.follow_symlink = file.kind == FileKind::kMyisamTable || file.kind == FileKind::kAriaTable;
  job.is_mapped =
      file.kind == FileKind::kMroonga || (file.kind == FileKind::kMyisamTable && is_myisam_mapped);
  return job;
}

bool IsTableData(FileKind kind) {
  return kind == FileKind::kMyisamTable || kind == FileKind::kAriaTable ||
         kind == FileKind::kCsvTable || kind == FileKind::kArchiveTable;
}

// Whether a .MYI or .MAI file says that its table is not closed. One that is not there any more, or
// is just being made, is not worth copying now.
Result<bool> IsOpen(io::FileSystem& fs, const std::string& path) {
  const auto file = fs.Open(path, {.follow = true});
  if (!file.ok() && file.status().code() == StatusCode::kNotFound) return true;
  HBK_RETURN_IF_ERROR(file.status());
  std::array<uint8_t, kOpenCount + 2> head{};
  HBK_ASSIGN_OR_RETURN(const size_t got, (*file)->ReadAt(0, head));
  return got < head.size() || LoadBe16(head, kOpenCount) != 0;
}

// "db/t" of "db/t.MYD" and "db/t#P#p0.MYD".
std::string_view TableOf(std::string_view name) {
  return name.substr(0, name.find_first_of("#.", name.find('/') + 1));
}

// The rules of a file at rest: it did not change while it was read.
bool IsSettled(const CopyResult& result) {
  return io::IdentityOf(result.before) == io::IdentityOf(result.after) &&
         result.size == result.after.size;
}

bool IsCsvLogTable(const DataFile& file) {
  return file.kind == FileKind::kCsvTable && IsLogTableFile(file.name);
}

// Copied as it is found, compared under BLOCK_DDL.
bool MayRest(const DataFile& file) {
  return file.kind != FileKind::kTablespace &&
         RuleOf(file.kind, file.name).settled == CopyStage::kBlockDdl;
}

}  // namespace

bool IsReplacedOnly(const DataFile& file) {
  return file.kind == FileKind::kDefinition && file.name.ends_with(".frm");
}

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

void TableFiles::Note(const DataFile& file, CopyStage stage, const CopyResult& result) {
  record_.AddCopied(file.kind, stage, result);
}

std::vector<const DataFile*> TableFiles::FilesAtRest(const datadir::Scan& scan) const {
  std::vector<const DataFile*> files;
  for (const DataFile& file : scan.files)
    if (MayRest(file) && !aria_.Owns(file.name)) files.push_back(&file);
  return files;
}

// What would have to be copied again anyway.
Result<std::vector<const DataFile*>> TableFiles::LeaveOutUsed(
    const std::vector<const DataFile*>& files, CopyStage stage) {
  const int64_t now = io::FileClockNow();
  std::set<std::string_view> used;  // names without extension
  const auto stem_of = [](const DataFile& file) {
    return std::string_view(file.name).substr(0, file.name.rfind('.'));
  };
  for (const DataFile* file : files) {
    if (!IsTableData(file->kind)) continue;
    const io::FileIdentity identity = io::IdentityOf(file->info);
    const bool is_busy = stage == CopyStage::kStart &&
                         std::max(identity.mtime_ns, identity.ctime_ns) + kIdleNs > now;
    const bool is_mapped = is_myisam_mapped_ && file->kind == FileKind::kMyisamTable;
    const bool is_index = file->name.ends_with(".MYI") || file->name.ends_with(".MAI");
    bool is_open = false;
    if (!is_busy && !is_mapped && is_index) {
      HBK_ASSIGN_OR_RETURN(is_open, IsOpen(fs_, file->source_path));
    }
    if (is_busy || is_mapped || is_open) used.insert(stem_of(*file));
  }
  std::vector<const DataFile*> rest;
  for (const DataFile* file : files) {
    const bool is_used = IsTableData(file->kind) && used.count(stem_of(*file)) != 0;
    if (!is_used && RuleOf(file->kind, file->name).first <= stage) rest.push_back(file);
  }
  return rest;
}

Status TableFiles::Adjust(const SettlePlan& plan) {
  for (const std::string& name : plan.removes) {
    HBK_RETURN_IF_ERROR(RemoveCopy(fs_, target_dir_, name, record_));
    copied_.erase(name);
  }
  HBK_RETURN_IF_ERROR(RenameCopies(fs_, target_dir_, plan.renames, record_));
  RenameKeys(plan.renames, copied_);
  counts_.removed += plan.removes.size();
  counts_.renamed += plan.renames.size();
  return OkStatus();
}

// Their identity is that of now: the rename has changed a time of theirs, and a later change shows.
void TableFiles::NoteRenamed(const SettlePlan& plan, const datadir::Scan& scan) {
  std::set<std::string_view> renamed;
  for (const auto& [from, to] : plan.renames)
    renamed.insert(to);
  if (renamed.empty()) return;
  for (const DataFile& file : scan.files)
    if (renamed.count(file.name) != 0) copied_[file.name].source = io::IdentityOf(file.info);
}

// Until another change of these files would show, where that is short: it spares their copies from
// being made again under BLOCK_DDL.
void TableFiles::WaitForRest(const std::vector<const DataFile*>& files) {
  const int64_t now = io::FileClockNow();
  int64_t pause_ns = 0;
  for (const DataFile* file : files) {
    const io::FileIdentity identity = io::IdentityOf(file->info);
    const int64_t granularity = io::TimeGranularity(identity);
    if (IsTableData(file->kind) && !io::IsAtRest(identity, now) && granularity <= kRestPauseMax)
      pause_ns = std::max(pause_ns, granularity);
  }
  std::this_thread::sleep_for(std::chrono::nanoseconds(pause_ns));
}

Status TableFiles::CopyEarly(const datadir::Scan& scan, CopyStage stage, std::stop_token stop) {
  const auto none = [](const DataFile&) {
    return false;
  };
  HBK_RETURN_IF_ERROR(aria_.Look(scan, stage, none));
  const SettlePlan plan = PlanSettling(copied_, FilesAtRest(scan), none);
  HBK_RETURN_IF_ERROR(Adjust(plan));
  NoteRenamed(plan, scan);
  HBK_ASSIGN_OR_RETURN(const auto files, LeaveOutUsed(plan.copies, stage));
  if (stage == CopyStage::kFlush) WaitForRest(files);
  HBK_RETURN_IF_ERROR(CopyFiles(files, stage, stop));
  return aria_.Copy(stage, std::move(stop));
}

Status TableFiles::CopyFiles(const std::vector<const DataFile*>& files, CopyStage stage,
                             std::stop_token stop) {
  if (files.empty()) return OkStatus();
  std::vector<CopyJob> jobs;
  for (const DataFile* file : files) {
    jobs.push_back(MakeJob(*file, stage, is_myisam_mapped_));
    jobs.back().replace = copied_.count(file->name) != 0;
  }
  const int64_t begun_ns = io::FileClockNow();
  HBK_ASSIGN_OR_RETURN(const auto results, copier_.Copy(std::move(jobs), std::move(stop)));
  for (size_t i = 0; i < results.size(); ++i) {
    const CopyResult& result = results[i];
    const std::string& name = files[i]->name;
    if (result.outcome != CopyOutcome::kCopied) {
      copied_.erase(name);
      record_.Forget(name);
      continue;
    }
    const io::FileIdentity source = io::IdentityOf(result.before);
    copied_[name] = {source, IsSettled(result) && io::IsAtRest(source, begun_ns),
                     result.content == manifest::FileContent::kWhole};
    Note(*files[i], stage, result);
    ++(stage == CopyStage::kBlockDdl ? counts_.late : counts_.early);
  }
  return OkStatus();
}

void TableFiles::DecideEarly(datadir::Scan& scan) {
  HBK_CHECK(aside_.empty());
  datadir::SetAside(scan, [this](const DataFile& file) {
    if (!IsReplacedOnly(file)) return false;
    const auto copy = copied_.find(file.name);
    const bool counts = copy != copied_.end() && copy->second.is_trusted &&
                        copy->second.source == io::IdentityOf(file.info);
    if (counts) aside_[io::DirName(file.name)].insert(copied_.extract(copy));
    return counts;
  });
}

// Of directories that are not as they were.
void TableFiles::TakeBackChanged(const datadir::Scan& scan) {
  for (auto database = aside_.begin(); database != aside_.end();) {
    const bool is_as_it_was = scan.aside.contains(database->first);
    if (!is_as_it_was) copied_.merge(database->second);
    database = is_as_it_was ? std::next(database) : aside_.erase(database);
  }
}

Status TableFiles::Settle(const datadir::Scan& scan, const std::set<std::string>& changed_tables,
                          std::stop_token stop) {
  TakeBackChanged(scan);
  const auto must_copy = [&changed_tables](const DataFile& file) {
    return IsTableData(file.kind) && changed_tables.count(std::string(TableOf(file.name))) != 0;
  };
  HBK_RETURN_IF_ERROR(aria_.Look(scan, CopyStage::kBlockDdl, must_copy));
  const SettlePlan plan = PlanSettling(copied_, FilesAtRest(scan), must_copy);
  HBK_RETURN_IF_ERROR(Adjust(plan));
  NoteRenamed(plan, scan);
  HBK_RETURN_IF_ERROR(MakeDatabases(scan));
  HBK_RETURN_IF_ERROR(CopyFiles(plan.copies, CopyStage::kBlockDdl, stop));
  return aria_.Copy(CopyStage::kBlockDdl, std::move(stop));
}

// Files of a stage of their own: they are copied once.
Status TableFiles::CopyStageFiles(const datadir::Scan& scan, CopyStage stage,
                                  std::stop_token stop) {
  std::vector<const DataFile*> files;
  std::vector<CopyJob> jobs;
  for (const DataFile& file : scan.files) {
    if (RuleOf(file.kind, file.name).first != stage || IsCsvLogTable(file)) continue;
    if (file.kind == FileKind::kAriaLog || file.kind == FileKind::kAriaControl) continue;
    files.push_back(&file);
    jobs.push_back(MakeJob(file, stage, is_myisam_mapped_));
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

// Tables of the server's own can be written under BLOCK_DDL, whatever their engine.
Status TableFiles::FindUnsettled(const datadir::Scan& scan) {
  for (const DataFile& file : scan.files) {
    if (!MayRest(file) || !IsTableData(file.kind) || aria_.Owns(file.name)) continue;
    if (!file.name.starts_with("mysql/") && file.kind != FileKind::kAriaTable) continue;
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs_.Stat(file.source_path, /*follow=*/true));
    const auto copy = copied_.find(file.name);
    const bool is_same = copy != copied_.end() && copy->second.is_trusted &&
                         copy->second.source == io::IdentityOf(info);
    if (!is_same) unsettled_.push_back(file);
  }
  return OkStatus();
}

Status TableFiles::CopyUnderBlockCommit(const datadir::Scan& scan, std::stop_token stop) {
  for (const DataFile& file : scan.files) {
    if (IsCsvLogTable(file) && file.name.ends_with(".CSV"))
      HBK_RETURN_IF_ERROR(CopyCsvLogTable(file, stop));
  }
  HBK_RETURN_IF_ERROR(CopyStageFiles(scan, CopyStage::kBlockCommit, stop));
  HBK_RETURN_IF_ERROR(FindUnsettled(scan));
  HBK_RETURN_IF_ERROR(CopyAgain(stop));
  return aria_.CopyChangedSince(stop);
}

Status TableFiles::CopyAgain(std::stop_token stop) {
  for (const DataFile& file : unsettled_) {
    CopyJob job = MakeJob(file, CopyStage::kBlockCommit, is_myisam_mapped_);
    job.replace = true;
    ++counts_.late;
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

Status TableFiles::CopyCsvLogTable(const DataFile& file, std::stop_token stop) {
  io::OpenOptions open;
  open.follow = true;
  HBK_ASSIGN_OR_RETURN(const auto source, fs_.Open(file.source_path, open));
  HBK_ASSIGN_OR_RETURN(const uint64_t end, EndOfLastRow(*source));
  HBK_ASSIGN_OR_RETURN(
      const ExactCopy copy,
      CopyFirstBytes(fs_, *source, end, io::JoinPath(target_dir_, file.name), stop));
  record_.AddFile(file.name, file.kind, CopyStage::kBlockCommit, copy.size, copy.digest);
  HBK_RETURN_IF_ERROR(LeaveToBase(fs_, target_dir_, copier_.base(), file.name, record_));

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
  return LeaveToBase(fs_, target_dir_, copier_.base(), state_name, record_);
}

Status TableFiles::CopyAfterEnd(const datadir::Scan& scan, std::stop_token stop) {
  return CopyStageFiles(scan, CopyStage::kEnd, stop);
}

}  // namespace hbk::backup
