#include "hbk/prepare/prepare_runner.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "hbk/keys/open_key_source.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/prepare/unpack_runner.h"

#include "backup_set.h"
#include "chunk_reuse.h"
#include "coder_plan.h"
#include "damaged_pages.h"
#include "file_moves.h"
#include "file_sizes.h"
#include "header_plan.h"
#include "increment_chain.h"
#include "link_names.h"
#include "memory_plan.h"
#include "old_content.h"
#include "output_copy.h"
#include "page_journal.h"
#include "parallel.h"
#include "partition_applier.h"
#include "prepare_lock.h"
#include "prepared_state.h"
#include "prepared_transactions.h"
#include "redo_chain.h"
#include "redo_reader.h"
#include "tablespace_table.h"
#include "unnamed_file.h"
#include "write_watch.h"

namespace hbk::prepare {
namespace {

uint32_t WorkerCount(const PrepareOptions& options) {
  if (options.parallel != 0) return options.parallel;
  return std::max(1U, std::thread::hardware_concurrency());
}

// Each waits for the disk after each of its batches: there are some more of them than threads that
// find work to do at a time.
uint32_t ApplierCount(const PrepareOptions& options) {
  const uint32_t workers = WorkerCount(options);
  return workers + workers / 2;
}

constexpr size_t kDamagedNamesMax = 20;

// One run. The steps are in the order in which Run() has them; up to BeginChanges nothing of the
// backup is changed, apart from what a killed run had begun.
class PrepareRun {
 public:
  PrepareRun(const PrepareOptions& options, io::FileSystem& fs, report::Reporter& reporter,
             std::stop_token stop)
      : options_(options), watch_(fs), reporter_(reporter), stop_(std::move(stop)) {}

  Result<PrepareSummary> Run() {
    HBK_RETURN_IF_ERROR(OpenSet());
    HBK_RETURN_IF_ERROR(OpenIncrements());
    HBK_RETURN_IF_ERROR(OpenKeys());
    HBK_RETURN_IF_ERROR(VerifyIncrements());
    HBK_RETURN_IF_ERROR(CopyToOutput());
    if (set_.is_prepared && chain_ == nullptr) return AlreadyPrepared();
    NoteChunks();
    HBK_RETURN_IF_ERROR(FinishInterruptedRun());
    HBK_RETURN_IF_ERROR(CheckLogs());
    HBK_RETURN_IF_ERROR(PlanIncrements());
    HBK_RETURN_IF_ERROR(ReadRedo());
    HBK_RETURN_IF_ERROR(CheckContent());
    HBK_RETURN_IF_ERROR(LayIncrements());
    HBK_RETURN_IF_ERROR(PlanTablespaces());
    HBK_RETURN_IF_ERROR(lock_->BeginChanges());
    HBK_RETURN_IF_ERROR(ApplyRedo());
    HBK_RETURN_IF_ERROR(SyncFiles());
    HBK_RETURN_IF_ERROR(ActivateTransactions());
    HBK_RETURN_IF_ERROR(SettleNames());
    HBK_RETURN_IF_ERROR(StoreState());
    return summary_;
  }
  // Reads only: whether there is something to be done.
  Status Check() {
    HBK_RETURN_IF_ERROR(OpenSet());
    HBK_RETURN_IF_ERROR(OpenIncrements());
    return OpenKeys();
  }
  // What is changed is the copy in output_dir.
  [[nodiscard]] bool is_in_copy() const { return has_output() && set_.dir == options_.output_dir; }

 private:
  Status OpenSet();
  Status OpenIncrements();
  Status OpenKeys();
  Status VerifyIncrements();
  Status CheckBeforeCopy();
  Status CopyToOutput();
  Result<PrepareSummary> AlreadyPrepared();
  void NoteChunks();
  Status FinishInterruptedRun();
  Status CheckLogs();
  Status PlanIncrements();
  Status ReadRedo();
  Status CheckContent();
  Status LayIncrements();
  Status CheckKeysOfFiles();
  Status ApplyMarkers();
  Status PlanTablespaces();
  Status ApplyRedo();
  Status SyncFiles();
  Status ActivateTransactions();
  Status SettleNames();
  Status JudgeDamagedPages();
  Status StoreState();

  [[nodiscard]] bool has_output() const { return !options_.output_dir.empty(); }
  [[nodiscard]] Status CheckStop() const {
    return stop_.stop_requested() ? InterruptedError() : OkStatus();
  }

  const PrepareOptions& options_;
  WriteWatch watch_;
  io::FileSystem& fs_ = watch_;  // the only one that is used
  ChunkReuse chunks_{watch_};
  report::Reporter& reporter_;
  const std::stop_token stop_;

  std::unique_ptr<OutputCopy> output_;  // null: in place. Before all that writes into it
  std::unique_ptr<PrepareLock> lock_;
  BackupSet set_;                          // once increments are laid: the sum
  std::unique_ptr<IncrementChain> chain_;  // null: there are no increments
  // Before what uses them.
  std::unique_ptr<crypto::KeySource> keys_;
  MemoryPlan plan_;
  std::unique_ptr<RedoChain> redo_;
  std::unique_ptr<PartitionStore> store_;
  RedoScan scan_;
  TablespaceTable table_;
  manifest::DamagedPageList damaged_;
  std::set<std::string> changed_files_;
  bool is_as_copied_ = false;  // no earlier run, and no other program, has changed files
  PrepareSummary summary_;
};

Status PrepareRun::OpenSet() {
  // Nothing is written into a directory that is no backup, not even a lock.
  HBK_RETURN_IF_ERROR(OpenBackupSet(fs_, options_.target_dir).status());
  if (has_output()) {
    HBK_ASSIGN_OR_RETURN(output_, OutputCopy::Open(fs_, {.base = options_.target_dir,
                                                         .increments = options_.incremental_dirs,
                                                         .output = options_.output_dir}));
  } else {
    HBK_ASSIGN_OR_RETURN(lock_, PrepareLock::Take(fs_, options_.target_dir));
  }
  HBK_ASSIGN_OR_RETURN(set_, OpenBackupSet(fs_, options_.target_dir));
  HBK_ASSIGN_OR_RETURN(damaged_, LoadDamagedPages(fs_, set_));
  return CheckNoServer(fs_, set_);
}

Status PrepareRun::OpenIncrements() {
  HBK_ASSIGN_OR_RETURN(auto chain, IncrementChain::Open(fs_, set_, options_.incremental_dirs));
  chain_ = std::move(chain);
  return OkStatus();
}

// The source is not asked before a key is needed.
Status PrepareRun::OpenKeys() {
  const keys::Settings& settings =
      chain_ == nullptr ? set_.settings : chain_->SettingsOr(set_.settings);
  HBK_ASSIGN_OR_RETURN(const keys::KeyOptions options,
                       keys::ChooseKeyOptions(options_.keys, settings));
  for (const std::string& warning : keys::KeyOptionWarnings(options, fs_))
    reporter_.Warning(warning);
  // Before the source is asked: what it is may come from the backup.
  if (options.HasSource())
    reporter_.Info("keys, where they are needed", {{"from", keys::DescribeKeySource(options)}});
  HBK_ASSIGN_OR_RETURN(keys_, keys::OpenKeySource(options, fs_, stop_));
  return OkStatus();
}

Status PrepareRun::VerifyIncrements() {
  if (chain_ == nullptr) return OkStatus();
  reporter_.BeginPhase("verify increments",
                       {{"increments", fmt::format("{}", chain_->increments().size())}});
  if (set_.is_prepared) HBK_RETURN_IF_ERROR(CheckPreparedLog(fs_, set_, keys_.get()).status());
  return chain_->Verify(set_, *keys_, WorkerCount(options_), stop_);
}

// What can be refused from the base itself is refused before time goes into a copy.
Status PrepareRun::CheckBeforeCopy() {
  if (!set_.is_prepared_elsewhere) HBK_RETURN_IF_ERROR(CheckManifestFiles(fs_, set_));
  if (set_.is_prepared && chain_ == nullptr)
    return CheckPreparedLog(fs_, set_, keys_.get()).status();
  HBK_RETURN_IF_ERROR(CheckLogs());
  redo_.reset();
  return OkStatus();
}

// From here on the backup is the copy.
Status PrepareRun::CopyToOutput() {
  if (!has_output()) return OkStatus();
  HBK_RETURN_IF_ERROR(CheckBeforeCopy());
  const uint64_t extra_bytes = chain_ == nullptr ? 0 : chain_->bytes();
  HBK_RETURN_IF_ERROR(output_->Make(set_, extra_bytes, WorkerCount(options_), reporter_, stop_));
  set_.dir = options_.output_dir;
  HBK_ASSIGN_OR_RETURN(lock_, PrepareLock::Take(fs_, set_.dir));
  // It has no manifest until all is done, and needs none that says unprepared.
  if (set_.manifest.has_value() && chain_ != nullptr)
    set_.manifest->state = manifest::BackupState::kUnprepared;
  if (set_.manifest.has_value()) set_.manifest->SetPlain();
  return OkStatus();
}

// The marks of a killed run may be left; everything else was done.
Result<PrepareSummary> PrepareRun::AlreadyPrepared() {
  HBK_ASSIGN_OR_RETURN(const redo::Lsn end, CheckPreparedLog(fs_, set_, keys_.get()));
  summary_.was_prepared_already = true;
  summary_.start_lsn = end;
  summary_.end_lsn = end;
  if (lock_->was_interrupted()) HBK_RETURN_IF_ERROR(lock_->Finish());
  HBK_RETURN_IF_ERROR(RemoveLayingState(fs_, set_.dir));
  reporter_.Info("the backup is prepared already", {{"lsn", fmt::format("{}", end)}});
  if (!has_output()) return summary_;
  HBK_RETURN_IF_ERROR(StoreCheckpoints(fs_, set_));
  if (set_.manifest.has_value())
    HBK_RETURN_IF_ERROR(manifest::StoreManifest(fs_, set_.dir, *set_.manifest));
  HBK_RETURN_IF_ERROR(output_->Finish());
  return summary_;
}

// From here on what is written to files is noted, so that the rest need not be digested again.
// After a run that was killed nobody knows what it had written, nor what another program has.
void PrepareRun::NoteChunks() {
  const bool is_begun = chain_ != nullptr && chain_->is_begun();
  is_as_copied_ = !lock_->was_interrupted() && !is_begun && !set_.is_prepared_elsewhere;
  const Status noted = chunks_.Note(set_, is_as_copied_);
  if (!noted.ok())
    reporter_.Info(noted.message() + ": files that change are read whole for their digests");
}

Status PrepareRun::FinishInterruptedRun() {
  if (!lock_->was_interrupted()) {
    // The base of a copy was looked at before, and the copy has a checkpoints file of its own.
    const bool is_known = set_.is_prepared_elsewhere || has_output();
    return is_known ? OkStatus() : CheckManifestFiles(fs_, set_);
  }
  reporter_.Info("an earlier prepare was interrupted: going on");
  HBK_RETURN_IF_ERROR(ReplayJournals(fs_, set_.dir).status());
  return RemoveJournals(fs_, set_.dir);
}

Status PrepareRun::CheckLogs() {
  const IncrementList none;
  HBK_ASSIGN_OR_RETURN(redo_,
                       RedoChain::Open(fs_, set_, chain_ == nullptr ? none : chain_->increments(),
                                       chain_ != nullptr && chain_->is_begun(), keys_.get()));
  HBK_ASSIGN_OR_RETURN(plan_, PlanMemory(options_.use_memory_bytes, ApplierCount(options_),
                                         redo_->bytes(), WorkerCount(options_)));
  return OkStatus();
}

Status PrepareRun::PlanIncrements() {
  if (chain_ == nullptr) return OkStatus();
  HBK_RETURN_IF_ERROR(ApplyMarkers());
  HBK_RETURN_IF_ERROR(chain_->Plan(fs_, set_));
  return chain_->MergeDamagedPages(fs_, damaged_);
}

Status PrepareRun::ReadRedo() {
  const redo::Lsn start = redo_->start_lsn();
  reporter_.BeginPhase("read redo", {{"start_lsn", fmt::format("{}", start)},
                                     {"readers", fmt::format("{}", plan_.section_count)},
                                     {"workers", fmt::format("{}", plan_.worker_count)},
                                     {"memory", report::HumanBytes(plan_.TotalBytes())}});
  store_ = std::make_unique<PartitionStore>(
      fs_, PartitionStoreOptions{.partition_count = plan_.partition_count + 1,
                                 .section_count = plan_.section_count,
                                 .block_bytes = plan_.block_bytes,
                                 .block_count = plan_.block_count,
                                 .spill_path = set_.Path(kSpillFileName),
                                 .encrypts_spill = redo_->is_encrypted()});
  HBK_ASSIGN_OR_RETURN(scan_, redo_->Scan(chain_ == nullptr ? nullptr : &chain_->filter(),
                                          plan_.window_bytes, *store_, reporter_, stop_));
  HBK_RETURN_IF_ERROR(store_->Finish());
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

// An earlier run that was killed has done so before its first change. A copy was compared already,
// unless it shares the blocks of the base.
Status PrepareRun::CheckContent() {
  if (!is_as_copied_ || (has_output() && !output_->is_sharing())) return OkStatus();
  reporter_.BeginPhase("check what changes", {});
  HBK_ASSIGN_OR_RETURN(
      const OldContentCounts counts,
      CheckOldContent({.fs = fs_,
                       .set = set_,
                       .chunks = chunks_,
                       .logs = scan_.logs,
                       .increments = chain_ == nullptr ? nullptr : &chain_->increments(),
                       .worker_count = plan_.worker_count,
                       .stop = stop_}));
  reporter_.Info("files that will change are as they were copied",
                 {{"files", fmt::format("{}", counts.file_count)},
                  {"bytes", report::HumanBytes(counts.bytes)}});
  return CheckStop();
}

Status PrepareRun::LayIncrements() {
  if (chain_ == nullptr) return OkStatus();
  HBK_RETURN_IF_ERROR(chain_->CheckRedo(set_, scan_.logs));
  HBK_RETURN_IF_ERROR(CheckStop());
  HBK_RETURN_IF_ERROR(lock_->BeginChanges());
  HBK_ASSIGN_OR_RETURN(LayCounts counts,
                       chain_->Lay(fs_, set_, scan_.logs, plan_.worker_count, reporter_, stop_));
  summary_.increment_page_count = counts.page_count;
  set_ = chain_->Sum(set_, counts.changed_files);
  changed_files_ = std::move(counts.changed_files);
  return CheckStop();
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
      {fs_, set_, scan_.logs, keys_.get(), plan_.worker_count, stop_, redo_->is_encrypted()},
      table);
}

Status PrepareRun::ApplyMarkers() {
  HBK_ASSIGN_OR_RETURN(const bool has_markers, HasDdlMarkers(fs_, set_));
  if (!has_markers) return OkStatus();
  HBK_RETURN_IF_ERROR(CheckKeysOfFiles());
  HBK_RETURN_IF_ERROR(lock_->BeginChanges());
  return ApplyDdlMarkers(fs_, set_);
}

Status PrepareRun::PlanTablespaces() {
  HBK_RETURN_IF_ERROR(ApplyMarkers());
  HBK_ASSIGN_OR_RETURN(const auto files, ListTablespaceFiles(fs_, set_));
  HBK_ASSIGN_OR_RETURN(const LinkNames links, ReadLinkNames(fs_, set_));
  UseLinkNames(links, scan_.logs);
  auto table = ResolveTablespaces(
      files, scan_.logs,
      {.is_partial = set_.is_partial,
       .has_imported_files = set_.manifest.has_value(),
       .known_files =
           chain_ == nullptr ? std::map<innodb::SpaceId, std::string>() : chain_->KnownFiles()});
  if (!table.ok()) return table.status().WithContext(set_.dir);
  table_ = std::move(table).value();
  HBK_RETURN_IF_ERROR(PlanHeaders(fs_, set_, *store_, scan_.logs, plan_, table_));
  HBK_RETURN_IF_ERROR(PlanCoders(
      {fs_, set_, scan_.logs, keys_.get(), plan_.worker_count, stop_, redo_->is_encrypted()},
      table_));
  for (const std::string& warning : table_.warnings)
    reporter_.Warning(warning);
  return CheckStop();
}

Status PrepareRun::ApplyRedo() {
  reporter_.BeginPhase("apply redo", {{"tablespaces", fmt::format("{}", table_.spaces.size())}});
  HBK_RETURN_IF_ERROR(CutTrimmedFiles(fs_, set_, scan_.logs, table_, changed_files_));
  HBK_RETURN_IF_ERROR(GrowFiles(fs_, set_, table_, changed_files_));
  const ApplyInput input{fs_,
                         set_,
                         *store_,
                         scan_.logs,
                         table_,
                         plan_,
                         redo_->last_start_lsn(),
                         summary_.end_lsn,
                         stop_,
                         &damaged_};
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
  HBK_RETURN_IF_ERROR(ReplaceLog(fs_, set_, summary_.end_lsn, redo_->header()));
  if (redo_->header().container == redo::LogContainer::kBlocks)
    changed_files_.insert(set_.system_files.front());
  HBK_RETURN_IF_ERROR(StoreCheckpoints(fs_, set_));
  HBK_RETURN_IF_ERROR(JudgeDamagedPages());
  ManifestChange change;
  change.prepared_lsn = summary_.end_lsn;
  change.changed_files = changed_files_;
  change.all_tablespaces_changed = lock_->was_interrupted() || set_.is_prepared_elsewhere;
  change.worker_count = plan_.worker_count;
  change.chunks = &chunks_;
  HBK_RETURN_IF_ERROR(UpdateManifest(fs_, set_, change, reporter_));
  HBK_RETURN_IF_ERROR(lock_->Finish());
  if (chain_ != nullptr) HBK_RETURN_IF_ERROR(RemoveLayingState(fs_, set_.dir));
  return has_output() ? output_->Finish() : OkStatus();
}

// Pages are changed in plain files only.
Status UnpackBase(const PrepareOptions& options, io::FileSystem& fs, manifest::SealingKeyRing& keys,
                  report::Reporter& reporter, const std::stop_token& stop) {
  manifest::StoredBackups stored(fs, keys);
  HBK_ASSIGN_OR_RETURN(const bool is_stored, stored.Add(options.target_dir));
  if (!is_stored) return RemoveSpareKeySlots(fs, options.target_dir);
  for (const std::string& increment : options.incremental_dirs)
    HBK_RETURN_IF_ERROR(stored.Add(increment).status());
  HBK_RETURN_IF_ERROR(PrepareRun(options, stored.fs(), reporter, stop).Check());
  return RunUnpack({.target_dir = options.target_dir,
                    .depth = UnpackDepth::kPlain,
                    .parallel = options.parallel,
                    .sealing_keys = options.sealing_keys},
                   fs, reporter, stop)
      .status();
}

}  // namespace

Result<PrepareSummary> RunPrepare(const PrepareOptions& options, io::FileSystem& fs,
                                  report::Reporter& reporter, std::stop_token stop) {
  manifest::SealingKeyRing keys(options.sealing_keys, fs, stop);
  manifest::StoredBackups stored(fs, keys);
  for (const std::string& increment : options.incremental_dirs)
    HBK_RETURN_IF_ERROR(stored.Add(increment).status());
  if (options.output_dir.empty()) {
    HBK_RETURN_IF_ERROR(UnpackBase(options, fs, keys, reporter, stop));
  } else {
    HBK_RETURN_IF_ERROR(stored.Add(options.target_dir).status());
  }
  PrepareRun run(options, stored.fs(), reporter, std::move(stop));
  auto summary = run.Run();
  if (summary.ok() || !run.is_in_copy()) return summary;
  return summary.status().WithContext("in the copy of " + options.target_dir);
}

}  // namespace hbk::prepare
