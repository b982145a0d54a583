#include "hbk/prepare/prepare_runner.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "hbk/keys/open_key_source.h"

#include "backup_set.h"
#include "coder_plan.h"
#include "damaged_pages.h"
#include "file_moves.h"
#include "file_sizes.h"
#include "header_plan.h"
#include "link_names.h"
#include "memory_plan.h"
#include "page_journal.h"
#include "parallel.h"
#include "partition_applier.h"
#include "prepare_lock.h"
#include "prepared_state.h"
#include "prepared_transactions.h"
#include "redo_reader.h"
#include "redo_scan.h"
#include "tablespace_table.h"
#include "unnamed_file.h"

namespace hbk::prepare {
namespace {

uint32_t WorkerCount(const PrepareOptions& options) {
  if (options.parallel != 0) return options.parallel;
  return std::max(1U, std::thread::hardware_concurrency());
}

constexpr size_t kDamagedNamesMax = 20;

// One run. The steps are in the order in which Run() has them; up to BeginChanges nothing of the
// backup is changed, apart from what a killed run had begun.
class PrepareRun {
 public:
  PrepareRun(const PrepareOptions& options, io::FileSystem& fs, report::Reporter& reporter,
             std::stop_token stop)
      : options_(options), fs_(fs), reporter_(reporter), stop_(std::move(stop)) {}

  Result<PrepareSummary> Run() {
    HBK_RETURN_IF_ERROR(OpenSet());
    HBK_RETURN_IF_ERROR(OpenKeys());
    if (set_.is_prepared) return AlreadyPrepared();
    HBK_RETURN_IF_ERROR(FinishInterruptedRun());
    HBK_RETURN_IF_ERROR(CheckLog());
    HBK_RETURN_IF_ERROR(ReadRedo());
    HBK_RETURN_IF_ERROR(PlanTablespaces());
    HBK_RETURN_IF_ERROR(lock_->BeginChanges());
    HBK_RETURN_IF_ERROR(ApplyRedo());
    HBK_RETURN_IF_ERROR(SyncFiles());
    HBK_RETURN_IF_ERROR(ActivateTransactions());
    HBK_RETURN_IF_ERROR(SettleNames());
    HBK_RETURN_IF_ERROR(StoreState());
    return summary_;
  }

 private:
  Status OpenSet();
  Status OpenKeys();
  Result<PrepareSummary> AlreadyPrepared();
  Status FinishInterruptedRun();
  Status CheckLog();
  Status ReadRedo();
  Status CheckKeysOfFiles();
  Status PlanTablespaces();
  Status ApplyRedo();
  Status SyncFiles();
  Status ActivateTransactions();
  Status SettleNames();
  Status JudgeDamagedPages();
  Status StoreState();

  [[nodiscard]] Status CheckStop() const {
    return stop_.stop_requested() ? InterruptedError() : OkStatus();
  }

  const PrepareOptions& options_;
  io::FileSystem& fs_;
  report::Reporter& reporter_;
  const std::stop_token stop_;

  std::unique_ptr<PrepareLock> lock_;
  BackupSet set_;
  // Before what uses them.
  std::unique_ptr<crypto::KeySource> keys_;
  MemoryPlan plan_;
  redo::LogFileHeader source_log_;
  std::unique_ptr<RedoReader> reader_;
  std::unique_ptr<PartitionStore> store_;
  redo::Lsn file_checkpoint_end_ = 0;
  RedoScan scan_;
  TablespaceTable table_;
  manifest::DamagedPageList damaged_;
  std::set<std::string> changed_files_;
  PrepareSummary summary_;
};

Status PrepareRun::OpenSet() {
  // Nothing is written into a directory that is no backup, not even a lock.
  HBK_RETURN_IF_ERROR(OpenBackupSet(fs_, options_.target_dir).status());
  HBK_ASSIGN_OR_RETURN(lock_, PrepareLock::Take(fs_, options_.target_dir));
  HBK_ASSIGN_OR_RETURN(set_, OpenBackupSet(fs_, options_.target_dir));
  HBK_ASSIGN_OR_RETURN(damaged_, LoadDamagedPages(fs_, set_));
  return CheckNoServer(fs_, set_);
}

// The source is not asked before a key is needed.
Status PrepareRun::OpenKeys() {
  HBK_ASSIGN_OR_RETURN(const keys::KeyOptions options,
                       keys::ChooseKeyOptions(options_.keys, set_.settings));
  for (const std::string& warning : keys::KeyOptionWarnings(options, fs_))
    reporter_.Warning(warning);
  // Before the source is asked: what it is may come from the backup.
  if (options.HasSource())
    reporter_.Info("keys, where they are needed", {{"from", keys::DescribeKeySource(options)}});
  HBK_ASSIGN_OR_RETURN(keys_, keys::OpenKeySource(options, fs_, stop_));
  return OkStatus();
}

// The mark of a killed run may be left; everything else was done.
Result<PrepareSummary> PrepareRun::AlreadyPrepared() {
  HBK_ASSIGN_OR_RETURN(reader_, OpenLog(fs_, set_, 0, keys_.get()));
  HBK_ASSIGN_OR_RETURN(const redo::Lsn end, FindFileCheckpoint(*reader_));
  reader_->Seek(end);
  redo::MiniTransaction mtr;
  HBK_ASSIGN_OR_RETURN(const bool has_more, reader_->Next(mtr));
  const uint64_t expected = set_.manifest.has_value() ? set_.manifest->prepared_lsn : set_.last_lsn;
  if (has_more || end < expected || (set_.manifest.has_value() && end != expected)) {
    return CorruptionError(fmt::format("{} is said to be prepared to LSN {}, but its log {} LSN {}",
                                       set_.dir, expected, has_more ? "goes on behind" : "ends at",
                                       end))
        .WithHint("was a server started on it?");
  }
  summary_.was_prepared_already = true;
  summary_.start_lsn = end;
  summary_.end_lsn = end;
  if (lock_->was_interrupted()) HBK_RETURN_IF_ERROR(lock_->Finish());
  reporter_.Info("the backup is prepared already", {{"lsn", fmt::format("{}", end)}});
  return summary_;
}

Status PrepareRun::FinishInterruptedRun() {
  if (!lock_->was_interrupted()) {
    return set_.is_prepared_elsewhere ? OkStatus() : CheckManifestFiles(fs_, set_);
  }
  reporter_.Info("an earlier prepare was interrupted: going on");
  HBK_RETURN_IF_ERROR(ReplayJournals(fs_, set_.dir).status());
  return RemoveJournals(fs_, set_.dir);
}

Status PrepareRun::CheckLog() {
  const std::string path = set_.Path(kLogFileName);
  const auto info = fs_.Stat(path, false);
  if (info.status().code() == StatusCode::kNotFound) {
    return CorruptionError(fmt::format("{}: {} is missing", set_.dir, kLogFileName));
  }
  HBK_RETURN_IF_ERROR(info.status());
  HBK_ASSIGN_OR_RETURN(plan_,
                       PlanMemory(options_.use_memory_bytes, WorkerCount(options_), info->size));
  HBK_ASSIGN_OR_RETURN(reader_, OpenLog(fs_, set_, plan_.window_bytes, keys_.get()));
  source_log_ = reader_->header();
  HBK_ASSIGN_OR_RETURN(file_checkpoint_end_, FindFileCheckpoint(*reader_));
  return OkStatus();
}

Status PrepareRun::ReadRedo() {
  const redo::Lsn start = reader_->checkpoint().checkpoint_lsn;
  reporter_.BeginPhase("read redo", {{"start_lsn", fmt::format("{}", start)},
                                     {"workers", fmt::format("{}", plan_.worker_count)},
                                     {"memory", report::HumanBytes(plan_.TotalBytes())}});
  store_ = std::make_unique<PartitionStore>(
      fs_, PartitionStoreOptions{.partition_count = plan_.partition_count + 1,
                                 .block_bytes = plan_.block_bytes,
                                 .block_count = plan_.block_count,
                                 .spill_path = set_.Path(kSpillFileName),
                                 .encrypts_spill = source_log_.is_encrypted});
  HBK_ASSIGN_OR_RETURN(scan_, ScanRedo(*reader_, *store_, set_.last_lsn, reporter_, stop_));
  const redo::Lsn needed = std::max(set_.last_lsn, file_checkpoint_end_);
  if (scan_.end_lsn < needed) {
    return CorruptionError(fmt::format("{}: the log ends at LSN {} ({}), the backup needs LSN {}",
                                       reader_->path(), scan_.end_lsn, reader_->end_reason(),
                                       needed));
  }
  reader_ = nullptr;
  summary_.start_lsn = start;
  summary_.end_lsn = scan_.end_lsn;
  summary_.mtr_count = scan_.mtr_count;
  summary_.redo_bytes = scan_.end_lsn - start;
  reporter_.Info("redo read", {{"end_lsn", fmt::format("{}", scan_.end_lsn)},
                               {"mtrs", fmt::format("{}", scan_.mtr_count)},
                               {"entries", fmt::format("{}", scan_.entry_count)},
                               {"spilled", report::HumanBytes(store_->spilled_bytes())}});
  return OkStatus();
}

// What the markers are about is seen only once they are carried out. Before that change the keys
// are tried on the files as they lie there.
Status PrepareRun::CheckKeysOfFiles() {
  HBK_ASSIGN_OR_RETURN(const auto files, ListTablespaceFiles(fs_, set_));
  TablespaceTable table;
  for (const FoundFile& file : files) {
    if (file.first_page.kind != innodb::FirstPageKind::kValid) continue;
    const innodb::SpaceId id = file.first_page.header.space_id;
    auto space = FindTablespace(files, id);
    if (space.has_value()) table.spaces.emplace(id, std::move(*space));
  }
  return PlanCoders(
      {fs_, set_, scan_.logs, keys_.get(), plan_.worker_count, stop_, source_log_.is_encrypted},
      table);
}

Status PrepareRun::PlanTablespaces() {
  HBK_ASSIGN_OR_RETURN(const bool has_markers, HasDdlMarkers(fs_, set_));
  if (has_markers) {
    HBK_RETURN_IF_ERROR(CheckKeysOfFiles());
    HBK_RETURN_IF_ERROR(lock_->BeginChanges());
    HBK_RETURN_IF_ERROR(ApplyDdlMarkers(fs_, set_));
  }
  HBK_ASSIGN_OR_RETURN(const auto files, ListTablespaceFiles(fs_, set_));
  HBK_ASSIGN_OR_RETURN(const LinkNames links, ReadLinkNames(fs_, set_));
  UseLinkNames(links, scan_.logs);
  auto table = ResolveTablespaces(
      files, scan_.logs,
      {.is_partial = set_.is_partial, .has_imported_files = set_.manifest.has_value()});
  if (!table.ok()) return table.status().WithContext(set_.dir);
  table_ = std::move(table).value();
  HBK_RETURN_IF_ERROR(PlanHeaders(fs_, set_, *store_, scan_.logs, plan_, table_));
  HBK_RETURN_IF_ERROR(PlanCoders(
      {fs_, set_, scan_.logs, keys_.get(), plan_.worker_count, stop_, source_log_.is_encrypted},
      table_));
  for (const std::string& warning : table_.warnings)
    reporter_.Warning(warning);
  return CheckStop();
}

Status PrepareRun::ApplyRedo() {
  reporter_.BeginPhase("apply redo", {{"tablespaces", fmt::format("{}", table_.spaces.size())}});
  HBK_RETURN_IF_ERROR(GrowFiles(fs_, set_, table_, changed_files_));
  const ApplyInput input{
      fs_,   set_,     *store_, scan_.logs, table_, plan_, summary_.start_lsn, summary_.end_lsn,
      stop_, &damaged_};
  HBK_ASSIGN_OR_RETURN(ApplyCounts counts, ApplyPartitions(input, *store_, reporter_));
  store_ = nullptr;
  changed_files_.merge(counts.changed_files);
  summary_.page_count = counts.pages_written;
  if (counts.foreign_pages != 0) {
    reporter_.Warning("pages carry changes that are not in the redo",
                      {{"pages", fmt::format("{}", counts.foreign_pages)}});
  }
  if (counts.skipped_pages != 0) {
    reporter_.Warning("pages were damaged on the server already: their redo is left out",
                      {{"pages", fmt::format("{}", counts.skipped_pages)}});
  }
  return TruncateFiles(fs_, set_, table_, scan_.logs, changed_files_);
}

Status PrepareRun::SyncFiles() {
  HBK_RETURN_IF_ERROR(CheckStop());
  reporter_.BeginPhase("sync", {{"files", fmt::format("{}", changed_files_.size())},
                                {"pages", fmt::format("{}", summary_.page_count)}});
  const std::vector<std::string> names(changed_files_.begin(), changed_files_.end());
  const auto sync = [&](uint32_t, size_t item) -> Status {
    HBK_ASSIGN_OR_RETURN(const auto file, fs_.Open(set_.Path(names[item]), {.write = true}));
    HBK_RETURN_IF_ERROR(file->Sync());
    return file->Close();
  };
  HBK_RETURN_IF_ERROR(RunParallel(plan_.worker_count, names.size(), sync));
  return RemoveJournals(fs_, set_.dir);
}

Status PrepareRun::ActivateTransactions() {
  HBK_ASSIGN_OR_RETURN(ActivatedTransactions activated,
                       ActivatePreparedTransactions(fs_, set_, keys_.get(), damaged_, stop_));
  changed_files_.merge(activated.changed_files);
  const uint64_t count = activated.transaction_count;
  if (count != 0) {
    reporter_.Info(
        fmt::format("{} transaction{} prepared for the binlog, but not committed: the "
                    "server rolls {} back when it starts",
                    count, count == 1 ? " was" : "s were", count == 1 ? "it" : "them"));
  }
  for (const std::string& name : activated.unread_files) {
    reporter_.Warning(
        name +
        " cannot be read without its key: if a server finds prepared transactions in it, and "
        "refuses to start, start it once with --tc-heuristic-recover=ROLLBACK");
  }
  return OkStatus();
}

Status PrepareRun::SettleNames() {
  HBK_RETURN_IF_ERROR(MoveFiles(fs_, set_, table_));
  for (const auto& [id, space] : table_.spaces) {
    if (space.name() == space.final_name || space.kind != SpaceKind::kTable) continue;
    changed_files_.insert(space.final_name);
  }
  return RemoveIntermediateDefinitions(fs_, set_);
}

Status PrepareRun::JudgeDamagedPages() {
  if (damaged_.empty()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto faults, ForgiveDamagedPages(fs_, set_, keys_.get(), damaged_));
  for (size_t i = 0; i < std::min(faults.size(), kDamagedNamesMax); ++i)
    reporter_.Warning("damaged: " + faults[i]);
  if (faults.size() > kDamagedNamesMax) {
    reporter_.Warning(fmt::format("and {} more damaged pages: see {}",
                                  faults.size() - kDamagedNamesMax, manifest::kDamagedPagesName));
  }
  if (faults.empty()) reporter_.Info("no page that was damaged on the server is in use");
  return StoreDamagedPages(fs_, set_, damaged_);
}

Status PrepareRun::StoreState() {
  HBK_RETURN_IF_ERROR(CheckStop());
  HBK_RETURN_IF_ERROR(ReplaceLog(fs_, set_, summary_.end_lsn, source_log_));
  if (source_log_.container == redo::LogContainer::kBlocks)
    changed_files_.insert(set_.system_files.front());
  HBK_RETURN_IF_ERROR(StoreCheckpoints(fs_, set_));
  HBK_RETURN_IF_ERROR(JudgeDamagedPages());
  ManifestChange change;
  change.prepared_lsn = summary_.end_lsn;
  change.changed_files = changed_files_;
  change.all_tablespaces_changed = lock_->was_interrupted() || set_.is_prepared_elsewhere;
  change.worker_count = plan_.worker_count;
  HBK_RETURN_IF_ERROR(UpdateManifest(fs_, set_, change, reporter_));
  return lock_->Finish();
}

}  // namespace

Result<PrepareSummary> RunPrepare(const PrepareOptions& options, io::FileSystem& fs,
                                  report::Reporter& reporter, std::stop_token stop) {
  return PrepareRun(options, fs, reporter, std::move(stop)).Run();
}

}  // namespace hbk::prepare
