#include "hbk/verify/verify_runner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/version.h"
#include "hbk/datadir/scanner.h"
#include "hbk/delta/delta_file.h"
#include "hbk/innodb/page.h"
#include "hbk/keys/open_key_source.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/manifest/verify_record.h"
#include "hbk/prepare/log_check.h"

#include "aria_check.h"
#include "backup_facts.h"
#include "content_check.h"
#include "directory_check.h"
#include "file_check.h"
#include "tolerant_keys.h"
#include "verify_report.h"
#include "work_plan.h"

namespace hbk::verify {
namespace {

using manifest::FileContent;
using manifest::ManifestFile;
using manifest::VerifyRecord;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kRedoName = "ib_logfile0";

uint32_t WorkerCount(uint32_t parallel) {
  return parallel != 0 ? parallel : std::max(1U, std::thread::hardware_concurrency());
}

std::string NowRfc3339() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  (void)gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

// The steps are in the order in which Run() has them.
class VerifyRun {
 public:
  VerifyRun(const VerifyOptions& options, io::FileSystem& fs, report::Reporter& reporter,
            std::stop_token stop)
      : options_(options),
        raw_(fs),
        reporter_(reporter),
        stop_(std::move(stop)),
        sealing_keys_(options.sealing_keys, fs, stop_),
        stored_(fs, sealing_keys_),
        findings_(options.findings_per_file_max) {}

  Result<VerifySummary> Run() {
    const Status status = RunSteps();
    // Whatever has ended the run: what was found is told.
    VerifySummary summary = Sum();
    ReportFindings(summary.findings, summary.finding_count, reporter_);
    HBK_RETURN_IF_ERROR(status);
    ReportCounts(counts_, keys_ ? keys_->problem() : "", reporter_);
    summary.is_complete = !open_part_.has_value();
    ReportBudget();
    StoreRecord(summary);
    return summary;
  }

 private:
  Status RunSteps() {
    begin_ = Clock::now();
    reporter_.BeginPhase("open");
    HBK_RETURN_IF_ERROR(OpenBackups());
    if (backups_.empty()) return OkStatus();
    HBK_RETURN_IF_ERROR(OpenKeys());
    HBK_RETURN_IF_ERROR(ReadFacts());
    HBK_RETURN_IF_ERROR(ListFiles());
    LoadRecord();
    if (!resume_) HBK_RETURN_IF_ERROR(CheckWholes());
    return ReadFiles();
  }

  Status OpenBackups();
  Status OpenKeys();
  Status ReadFacts();
  Status ListFiles();
  Status ListManifestFiles(const BackupFacts& facts);
  Status ListFoundFiles(const BackupFacts& facts);
  void PutLogFirst();
  void LoadRecord();
  Status CheckWholes();
  Status CheckLog(const BackupFacts& facts, io::FileSystem& fs);
  [[nodiscard]] bool HasLogJob(const BackupFacts& facts) const;
  Status CheckOrder();
  Status CheckForeignIncrement(const BackupFacts& facts);
  Status ReadFiles();
  Status FinishRest();
  Status Work(size_t worker);
  Status DoPart(const Part& part, MutableByteView buffer, CheckScratch& scratch);
  void ReportBudget();
  void StoreRecord(const VerifySummary& summary);
  VerifySummary Sum();

  // A finding, or the status if it tells nothing of the backup.
  Status Note(const Status& status, FindingKind kind, const std::string& dir,
              const std::string& file);
  [[nodiscard]] std::vector<std::string> Subjects() const;
  [[nodiscard]] bool IsOver() const {
    return options_.budget_s != 0 &&
           Clock::now() - begin_ >= std::chrono::seconds(options_.budget_s);
  }
  CheckContext& context() { return *context_; }

  const VerifyOptions& options_;
  io::FileSystem& raw_;
  report::Reporter& reporter_;
  const std::stop_token stop_;
  Clock::time_point begin_;

  manifest::SealingKeyRing sealing_keys_;
  manifest::StoredBackups stored_;
  bool is_stored_ = false;              // files lie there compressed or sealed
  std::vector<std::string> backups_;    // directories that could be opened
  std::unique_ptr<TolerantKeys> keys_;  // before what uses them

  FindingList findings_;
  CheckCounts counts_;
  SpaceIds space_ids_;
  std::optional<CheckContext> context_;
  std::deque<BackupFacts> facts_;  // in the order of the chain; does not move
  std::deque<FileJob> jobs_;
  std::deque<FileCheck> checks_;    // of each job
  std::vector<size_t> first_jobs_;  // of each backup
  WorkPlan plan_;
  uint64_t total_bytes_ = 0;                             // that are to be read
  std::unique_ptr<std::atomic<uint64_t>[]> parts_left_;  // of each job
  std::optional<VerifyRecord> before_;                   // of the run that this one goes on with
  std::optional<VerifyRecord::Resume> resume_;
  std::optional<Part> open_part_;

  Mutex mutex_;
  Status status_ HBK_GUARDED_BY(mutex_);  // of the worker that failed first
};

Status VerifyRun::Note(const Status& status, FindingKind kind, const std::string& dir,
                       const std::string& file) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kInterrupted:
    case StatusCode::kMissingKey:
    case StatusCode::kMissingPrivilege:
    case StatusCode::kTargetInUse:
    case StatusCode::kUnsupported: return status;
    default: break;
  }
  findings_.Add({.kind = kind, .backup_dir = dir, .file = file, .what = status.message()});
  return OkStatus();
}

Status VerifyRun::OpenBackups() {
  std::vector<std::string> dirs = {options_.target_dir};
  dirs.insert(dirs.end(), options_.incremental_dirs.begin(), options_.incremental_dirs.end());
  for (const std::string& dir : dirs) {
    const auto is_stored = stored_.Add(dir);
    if (is_stored.status().code() == StatusCode::kCorruption) {
      HBK_RETURN_IF_ERROR(Note(is_stored.status(), FindingKind::kManifest, dir,
                               std::string(manifest::kManifestFileName)));
      continue;
    }
    HBK_RETURN_IF_ERROR(is_stored.status());
    is_stored_ = is_stored_ || *is_stored;
    backups_.push_back(dir);
  }
  return OkStatus();
}

// What the newest backup has recorded of the server counts.
Status VerifyRun::OpenKeys() {
  keys::Settings settings;
  for (auto dir = backups_.rbegin(); dir != backups_.rend(); ++dir) {
    const auto manifest = manifest::LoadManifest(stored_.fs(), *dir);
    if (manifest.ok()) {
      settings = manifest->server.settings;
      break;
    }
    const auto metadata = manifest::LoadMariadbBackupSet(stored_.fs(), *dir);
    if (!metadata.ok()) continue;
    settings = metadata->config.key_settings;
    break;
  }
  HBK_ASSIGN_OR_RETURN(const keys::KeyOptions options,
                       keys::ChooseKeyOptions(options_.keys, settings));
  for (const std::string& warning : keys::KeyOptionWarnings(options, raw_))
    reporter_.Warning(warning);
  HBK_ASSIGN_OR_RETURN(auto source, keys::OpenKeySource(options, raw_, stop_));
  keys_ = std::make_unique<TolerantKeys>(std::move(source));
  context_.emplace(CheckContext{.fs = stored_.fs(),
                                .keys = *keys_,
                                .findings = findings_,
                                .counts = counts_,
                                .space_ids = space_ids_,
                                .stop = stop_});
  return OkStatus();
}

Status VerifyRun::ReadFacts() {
  for (const std::string& dir : backups_) {
    HBK_ASSIGN_OR_RETURN(auto facts, ReadBackupFacts(dir, context()));
    if (!facts) continue;
    facts_.push_back(std::move(*facts));
    BackupFacts& added = facts_.back();
    // As it lies there: hbk info compares it without a key.
    auto subject = manifest::DigestOfStoredManifest(raw_, dir);
    if (!subject.ok() && subject.status().code() != StatusCode::kNotFound) return subject.status();
    added.subject = subject.ok() ? std::move(*subject) : std::string();
    if (!added.is_increment) HBK_RETURN_IF_ERROR(ReadSystemSpace(added, context()));
    if (added.is_prepared_elsewhere) {
      reporter_.Warning(added.dir +
                        ": mariadb-backup has prepared it: the digests are of the files before");
    } else if (!added.manifest) {
      reporter_.Info(added.dir + ": of mariadb-backup: there are no digests");
    }
  }
  return OkStatus();
}

Status VerifyRun::ListFiles() {
  for (const BackupFacts& facts : facts_) {
    first_jobs_.push_back(jobs_.size());
    if (facts.manifest) {
      HBK_RETURN_IF_ERROR(ListManifestFiles(facts));
    } else {
      HBK_RETURN_IF_ERROR(ListFoundFiles(facts));
    }
    if (!options_.is_fast) PutLogFirst();
  }
  const FileCheckOptions options{.is_direct = !is_stored_, .is_fast = options_.is_fast};
  for (const FileJob& job : jobs_) {
    if (job.is_log) {
      plan_.AddWholeFile(job.size);
    } else {
      plan_.AddFile(job.size, job.digest.empty() || !job.KnownChunks().empty());
    }
    checks_.emplace_back(job, options, context());
  }
  return OkStatus();
}

// Of the backup that was listed last. One worker reads the log from its beginning to its end, while
// the others read files.
void VerifyRun::PutLogFirst() {
  const auto first = jobs_.begin() + static_cast<std::ptrdiff_t>(first_jobs_.back());
  const auto log =
      std::find_if(first, jobs_.end(), [](const FileJob& job) { return job.name == kRedoName; });
  if (log == jobs_.end()) return;
  log->is_log = true;
  std::rotate(first, log, log + 1);
}

Status VerifyRun::ListManifestFiles(const BackupFacts& facts) {
  for (const ManifestFile& file : facts.manifest->files) {
    FileJob job{.facts = &facts,
                .name = file.name,
                .kind = datadir::FileKindByName(file.kind).value_or(datadir::FileKind::kMetadata),
                .listed = &file,
                .size = file.size,
                .digest = file.digest};
    if (file.content == FileContent::kBase) continue;
    if (file.content == FileContent::kDelta) {
      if (file.delta_size == 0) continue;
      job.is_delta = true;
      job.size = file.delta_size;
      job.name += delta::kDeltaSuffix;
    }
    jobs_.push_back(std::move(job));
  }
  return OkStatus();
}

// Without a manifest: everything that belongs into a backup.
Status VerifyRun::ListFoundFiles(const BackupFacts& facts) {
  std::vector<datadir::SystemFile> system_files;
  if (!facts.is_increment) {
    for (const std::string& name : facts.system_files) {
      datadir::SystemFile& file = system_files.emplace_back();
      file.path = name;
    }
  }
  const auto scan = datadir::ScanBackupDirectory(stored_.fs(), facts.dir, system_files);
  if (!scan.ok()) return Note(scan.status(), FindingKind::kMissingFile, facts.dir, "");
  for (const datadir::DataFile& file : scan->files) {
    jobs_.push_back({.facts = &facts,
                     .name = file.name,
                     .kind = file.kind,
                     .size = file.info.size,
                     .digest = ""});
  }
  return OkStatus();
}

std::vector<std::string> VerifyRun::Subjects() const {
  std::vector<std::string> subjects;
  for (const BackupFacts& facts : facts_)
    subjects.push_back(facts.subject);
  return subjects;
}

// Only of the same state of the same backups, and of a run that was the same.
void VerifyRun::LoadRecord() {
  if (options_.sample_share < 1) plan_.Sample(options_.sample_share, options_.seed);
  if (options_.budget_s == 0 || options_.sample_share < 1) return;
  auto record = manifest::LoadVerifyRecord(raw_, options_.target_dir);
  if (!record.ok() || !record->resume || record->subjects != Subjects()) return;
  if (record->mode != (options_.is_fast ? "fast" : "full")) return;
  const VerifyRecord::Resume& at = *record->resume;
  if (at.backup >= first_jobs_.size()) return;
  const size_t job = first_jobs_[at.backup] + at.file;
  if (job >= jobs_.size() || jobs_[job].facts != &facts_[at.backup]) return;
  plan_.SkipTo(job, at.offset);
  resume_ = at;
  reporter_.Info("going on where the last run ended",
                 {{"file", jobs_[job].name}, {"offset", fmt::format("{}", at.offset)}});
  if (record->finding_count != 0) {
    reporter_.Warning("the runs before this one have found damage",
                      {{"finding_count", fmt::format("{}", record->finding_count)}});
  }
  before_ = std::move(*record);
}

// All that is not said of a single file.
Status VerifyRun::CheckWholes() {
  reporter_.BeginPhase("check lists");
  for (const BackupFacts& facts : facts_) {
    if (stop_.stop_requested()) return InterruptedError();
    if (facts.manifest) HBK_RETURN_IF_ERROR(CheckDirectory(facts, raw_, sealing_keys_, context()));
    if (options_.is_fast) continue;
    if (!facts.is_increment) HBK_RETURN_IF_ERROR(CheckAriaLogs(facts, context()));
    if (!facts.manifest && facts.is_increment) HBK_RETURN_IF_ERROR(CheckForeignIncrement(facts));
    if (!HasLogJob(facts)) HBK_RETURN_IF_ERROR(CheckLog(facts, stored_.fs()));
  }
  return CheckOrder();
}

bool VerifyRun::HasLogJob(const BackupFacts& facts) const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [&](const FileJob& job) { return job.facts == &facts && job.is_log; });
}

Status VerifyRun::CheckLog(const BackupFacts& facts, io::FileSystem& fs) {
  const auto log = prepare::CheckBackupLog(fs, facts.dir, keys_.get(), stop_);
  if (log.ok()) {
    reporter_.Info("redo is whole", {{"backup", facts.dir},
                                     {"start_lsn", fmt::format("{}", log->start_lsn)},
                                     {"end_lsn", fmt::format("{}", log->end_lsn)},
                                     {"mtr_count", fmt::format("{}", log->mtr_count)},
                                     {"record_count", fmt::format("{}", log->record_count)}});
    return OkStatus();
  }
  if (log.status().code() == StatusCode::kMissingKey) {
    reporter_.Warning(facts.dir +
                      ": the redo is encrypted and was not read: " + log.status().message());
    return OkStatus();
  }
  return Note(log.status(), FindingKind::kRedo, facts.dir, std::string(kRedoName));
}

Status VerifyRun::CheckForeignIncrement(const BackupFacts& facts) {
  return Note(
      prepare::CheckIncrementFiles(stored_.fs(), facts.dir, WorkerCount(options_.parallel), stop_),
      FindingKind::kDelta, facts.dir, "");
}

Status VerifyRun::CheckOrder() {
  if (options_.incremental_dirs.empty()) return OkStatus();
  // Of one whose description is damaged nothing can be said.
  if (facts_.size() != options_.incremental_dirs.size() + 1) return OkStatus();
  return Note(
      prepare::CheckChainOrder(stored_.fs(), options_.target_dir, options_.incremental_dirs),
      FindingKind::kChain, options_.target_dir, "");
}

Status VerifyRun::DoPart(const Part& part, MutableByteView buffer, CheckScratch& scratch) {
  FileCheck& check = checks_[part.file];
  if (const FileJob& job = jobs_[part.file]; job.is_log) {
    HBK_RETURN_IF_ERROR(
        check.CheckWhole([&](io::FileSystem& fs) { return CheckLog(*job.facts, fs); },
                         [&] { reporter_.Progress(counts_.bytes, total_bytes_); }));
  } else {
    HBK_RETURN_IF_ERROR(check.CheckPart(part, buffer, scratch));
  }
  plan_.Done(part);
  if (--parts_left_[part.file] != 0) return OkStatus();
  return check.Finish(plan_.IsWhole(part.file), scratch);
}

Status VerifyRun::Work(size_t /*worker*/) {
  AlignedBuffer buffer(FileCheck::kReadBytes);
  CheckScratch scratch{.page = AlignedBuffer(innodb::kPageSizeMax),
                       .frame = AlignedBuffer(innodb::kPageSizeMax)};
  for (;;) {
    if (stop_.stop_requested()) return InterruptedError();
    if (IsOver()) plan_.Close();
    const auto part = plan_.Take();
    if (!part) return OkStatus();
    HBK_RETURN_IF_ERROR(DoPart(*part, buffer.view(), scratch));
    reporter_.Progress(counts_.bytes, total_bytes_);
  }
}

Status VerifyRun::ReadFiles() {
  const uint32_t worker_count = WorkerCount(options_.parallel);
  total_bytes_ = plan_.total_bytes();
  reporter_.BeginPhase("read files", {{"files", fmt::format("{}", jobs_.size())},
                                      {"bytes", fmt::format("{}", total_bytes_)},
                                      {"threads", fmt::format("{}", worker_count)}});
  if (options_.sample_share < 1)
    reporter_.Info("a random share is read", {{"seed", fmt::format("{}", options_.seed)}});
  parts_left_ = std::make_unique<std::atomic<uint64_t>[]>(jobs_.size());
  for (size_t job = 0; job < jobs_.size(); ++job)
    parts_left_[job] = plan_.PartsOf(job);
  std::vector<std::thread> workers;
  for (uint32_t worker = 0; worker < worker_count; ++worker) {
    workers.emplace_back([this, worker] {
      const Status status = Work(worker);
      if (status.ok()) return;
      plan_.Close();
      const MutexLock lock(mutex_);
      if (status_.ok()) status_ = status;
    });
  }
  for (std::thread& worker : workers)
    worker.join();
  {
    const MutexLock lock(mutex_);
    HBK_RETURN_IF_ERROR(status_);
  }
  open_part_ = plan_.NextOpen();
  return FinishRest();
}

// Files of which nothing was to be read are there, at least; and what was begun comes to its end.
Status VerifyRun::FinishRest() {
  CheckScratch scratch{.page = AlignedBuffer(innodb::kPageSizeMax),
                       .frame = AlignedBuffer(innodb::kPageSizeMax)};
  for (size_t job = 0; job < jobs_.size(); ++job) {
    if (stop_.stop_requested()) return InterruptedError();
    const uint64_t part_count = plan_.PartsOf(job);
    const uint64_t left = parts_left_[job];
    if (part_count == 0 && options_.sample_share < 1) {
      HBK_RETURN_IF_ERROR(checks_[job].LookAt());
    } else if (left != 0 && left != part_count) {
      HBK_RETURN_IF_ERROR(checks_[job].Finish(/*is_whole=*/false, scratch));
    }
  }
  return OkStatus();
}

void VerifyRun::ReportBudget() {
  if (!open_part_) return;
  const FileJob& job = jobs_[open_part_->file];
  reporter_.Info("the time is over: the next run goes on",
                 {{"file", job.name}, {"offset", fmt::format("{}", open_part_->offset)}});
  const bool is_stuck = resume_ &&
                        resume_->file + first_jobs_[resume_->backup] == open_part_->file &&
                        resume_->offset == open_part_->offset;
  if (is_stuck) {
    reporter_.Warning(job.name +
                      " is not read to its end in that time, and must be read as a whole: give "
                      "it a larger --budget");
  }
}

VerifySummary VerifyRun::Sum() {
  VerifySummary summary;
  summary.file_count = jobs_.size();
  summary.bytes = counts_.bytes;
  summary.page_count = counts_.pages;
  summary.finding_count = findings_.count();
  summary.bad_file_count = findings_.FileCount();
  summary.findings = findings_.Take();
  return summary;
}

// Only beside a manifest of ours: to others' directories nothing is added.
void VerifyRun::StoreRecord(const VerifySummary& summary) {
  const bool is_ours = !facts_.empty() && facts_.front().manifest.has_value() &&
                       facts_.front().dir == options_.target_dir;
  if (!is_ours) {
    if (open_part_) reporter_.Warning("where this run ended is not kept: the next one begins anew");
    return;
  }
  VerifyRecord record = before_.value_or(VerifyRecord{});
  record.hbk_version = kVersion;
  record.time = NowRfc3339();
  record.mode = options_.sample_share < 1 ? "sample" : options_.is_fast ? "fast" : "full";
  record.share = options_.sample_share;
  record.subjects = Subjects();
  record.file_count = summary.file_count;
  record.bytes += summary.bytes;
  record.page_count += summary.page_count;
  record.finding_count += summary.finding_count;
  for (const Finding& finding : summary.findings)
    ++record.findings[std::string(FindingKindName(finding.kind))];
  record.resume.reset();
  if (open_part_) {
    const auto after = std::upper_bound(first_jobs_.begin(), first_jobs_.end(), open_part_->file);
    const auto backup = static_cast<uint64_t>(after - first_jobs_.begin()) - 1;
    record.resume = VerifyRecord::Resume{.backup = backup,
                                         .file = open_part_->file - first_jobs_[backup],
                                         .offset = open_part_->offset};
  }
  const Status stored = manifest::StoreVerifyRecord(raw_, options_.target_dir, record);
  if (stored.ok()) return;
  const std::string message = "the record of this run was not written: " + stored.message();
  if (open_part_) {
    reporter_.Warning(message + ": the next run begins anew");
  } else {
    reporter_.Info(message);
  }
}

}  // namespace

Result<VerifySummary> RunVerify(const VerifyOptions& options, io::FileSystem& fs,
                                report::Reporter& reporter, std::stop_token stop) {
  return VerifyRun(options, fs, reporter, std::move(stop)).Run();
}

Status VerdictOf(const VerifySummary& summary, const std::string& what) {
  if (summary.finding_count == 0) return OkStatus();
  return CorruptionError(fmt::format("{}: {} finding{} in {} file{}", what, summary.finding_count,
                                     summary.finding_count == 1 ? "" : "s", summary.bad_file_count,
                                     summary.bad_file_count == 1 ? "" : "s"))
      .WithHint(
          "do not rely on this backup: take another one, and look at the disk that it lies on");
}

}  // namespace hbk::verify
