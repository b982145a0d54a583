#include "hbk/backup/backup_runner.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "hbk/backup/file_copier.h"
#include "hbk/backup/log_tailer.h"
#include "hbk/io/rate_limiter.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/chunk_hashes.h"
#include "hbk/manifest/damaged_page_list.h"
#include "hbk/manifest/mariadb_backup_files.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/server/backup_history.h"
#include "hbk/server/backup_stage.h"
#include "hbk/server/server_session.h"

#include "aria_log.h"
#include "backup_record.h"
#include "base_backup.h"
#include "binlog_sync.h"
#include "changed_pages.h"
#include "ddl_watch.h"
#include "foreign_engines.h"
#include "open_spaces.h"
#include "position_choice.h"
#include "position_reader.h"
#include "preflight.h"
#include "replica_pause.h"
#include "rocksdb_checkpoint.h"
#include "run_watch.h"
#include "space_change_scan.h"
#include "stage_wait.h"
#include "table_checksums.h"
#include "table_files.h"
#include "tablespace_set.h"
#include "target_files.h"
#include "target_store.h"
#include "urgency.h"

namespace hbk::backup {

namespace {

using server::BackupStage;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kDamagedPagesShownMax = 100;
constexpr uint32_t kWorkersMax = 8;  // more gain nothing on any disk we know
// With more redo than this, and than a part of the data, it takes as long to read as the data.
constexpr uint64_t kRedoToReadMin = 64 << 20;
constexpr uint64_t kDataToRedoMin = 4;
constexpr uint64_t kSecondsPerHour = 3600;
// From here on recovery makes files that only the redo log knows.
constexpr server::ServerVersion kRebuildsFiles{10, 6, 0};
constexpr std::string_view kRedoName = "ib_logfile0";
constexpr std::string_view kLostHint =
    "a connection to the server was lost (killed, or the server stopped): run the backup again";
constexpr std::chrono::seconds kVerifyInterval{1};
// How long the tailer may take for what was written when it was asked. Before BLOCK_DDL there is
// time; under a lock it has only the last second of log to read.
constexpr std::chrono::minutes kCatchUpTimeout{10};
constexpr std::chrono::minutes kLastLogTimeout{2};

// The tailer's own connection.
class SessionLsnSource final : public LsnSource {
 public:
  explicit SessionLsnSource(std::unique_ptr<server::ServerSession> session)
      : session_(std::move(session)) {}

  Result<LsnStatus> ReadLsn() override {
    HBK_ASSIGN_OR_RETURN(const server::LsnTriple lsn, session_->ReadLsn());
    return LsnStatus{lsn.flushed, lsn.current, lsn.last_checkpoint};
  }

 private:
  std::unique_ptr<server::ServerSession> session_;
};

uint32_t WorkerCount(uint32_t asked) {
  if (asked != 0) return asked;
  return std::clamp<uint32_t>(std::thread::hardware_concurrency(), 1, kWorkersMax);
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    if (comma != 0) items.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return items;
}

class BackupRun {
 public:
  BackupRun(const BackupOptions& options, TargetStore& store, report::Reporter& reporter,
            std::stop_token stop)
      : options_(options),
        store_(store),
        fs_(store.fs()),
        reporter_(reporter),
        stop_(stop),
        read_limiter_(options.throttle),
        byte_limiter_(options.rate_limit),
        watch_(stop, [this] { return CheckAlive(); }) {}

  Result<BackupSummary> Run();

 private:
  // The steps, in their order.
  Status RunSteps();
  Status Connect();
  Status Preflight();
  Status PrepareBase();
  Result<LoadedBase> FindListedBase();
  Status PrepareHistory();
  Status CreateTarget();
  Status StartTailer();
  Status FindChangedPages(const std::string& log_path);
  Status PauseReplica();
  Status CopyWhileServerWorks();
  Status CopyClosedTables();
  Status CopyUnderBlockDdl();
  Status TakePositionUnderBlockCommit();
  Status CompleteRedo();
  Status RecordChecksums();
  Status WriteMetadata();
  Status WriteChunkHashes();
  Status Commit();
  Status WriteExtraFiles(const manifest::BackupManifest& manifest);
  Status AddToHistory();
  Status OpenChecksums();
  Status SyncCopies();

  [[nodiscard]] server::ProbeOptions RightsToTry() const;
  Status BeginStage(BackupStage stage);
  Status CatchUp(std::chrono::milliseconds timeout);
  Result<std::string> SyncCurrentBinlog();
  Result<uint64_t> WriteLog(const std::function<Result<uint64_t>()>& write);
  Status CheckAlive();
  Result<datadir::Scan> Scan();
  Status DecideEarly();
  [[nodiscard]] const SpaceChanges* KnownChanges() const;
  [[nodiscard]] bool NeedsNoLook(const datadir::DataFile& file) const;
  std::string NameOfTable(const std::string& file_name) const;
  void WarnOfDamage();
  Status CopyOtherFiles(CopyStage stage);
  // Parts of steps that copy, watched.
  Status CopyAfterDdl(const SpaceChanges& news, const std::stop_token& halt);
  Status CopyAtRest(const std::stop_token& halt);
  Status CopyLastFiles(const std::stop_token& halt);
  Status ReserveRocksdbCheckpoint();
  Status CopyRocksdb();
  void ReportStages();
  void ReportIncrement();
  void MarkIncomplete(const Status& status);
  [[nodiscard]] std::string InTarget(std::string_view name) const {
    return io::JoinPath(options_.target_dir, name);
  }

  const BackupOptions& options_;
  TargetStore& store_;
  io::FileSystem& fs_;
  report::Reporter& reporter_;
  std::stop_token stop_;
  io::RateLimiter read_limiter_;
  io::RateLimiter byte_limiter_;
  RunWatch watch_;

  BackupRecord record_;
  std::unique_ptr<IncrementBase> base_;  // of an increment
  Lsn wanted_start_lsn_ = 0;             // of the redo; 0: the newest checkpoint
  datadir::Scan scan_;                   // the latest
  ClosedTables closed_;
  PositionChoice position_choice_;
  server::ServerVersion version_;
  bool has_target_ = false;
  SteadyClock::time_point verified_at_;
  std::unique_ptr<server::ServerSession> session_;
  std::unique_ptr<FileCopier> copier_;
  std::unique_ptr<TablespaceSet> tablespaces_;
  std::unique_ptr<TableFiles> table_files_;
  std::unique_ptr<AriaLogCopier> aria_;
  std::optional<Urgency> urgency_;
  std::unique_ptr<DdlWatch> ddl_watch_;
  DdlFindings ddl_;
  SpaceChanges changes_;     // that were taken from the tailer
  std::string rocksdb_dir_;  // empty: nothing of MyRocks is copied
  std::unique_ptr<RocksdbCheckpoint> rocksdb_;
  std::unique_ptr<ReplicaPause> replica_pause_;
  std::unique_ptr<TableChecksums> checksums_;  // null: none are asked for
  // Last members: they end first, the server is free before anything else is cleared away.
  std::unique_ptr<LsnSource> lsn_source_;
  std::unique_ptr<LogTailer> tailer_;
  std::unique_ptr<server::BackupStageLadder> ladder_;
  std::unique_ptr<StageWait> stage_wait_;  // uses the ladder
};

Result<BackupSummary> BackupRun::Run() {
  const Status status = RunSteps();
  if (!status.ok()) {
    ladder_.reset();  // Releases the server, whatever stage it was in.
    replica_pause_.reset();
    tailer_.reset();
    rocksdb_.reset();
    if (has_target_) MarkIncomplete(status);
    if (status.code() == StatusCode::kConnectionLost) return status.WithHint(kLostHint);
    return status;
  }
  BackupSummary summary;
  for (const auto& entry : record_.files) {
    const manifest::ManifestFile& file = entry.second;
    if (StoredName(file).empty()) continue;
    ++summary.file_count;
    summary.bytes += file.content == manifest::FileContent::kDelta ? file.delta_size : file.size;
  }
  summary.last_lsn = record_.redo.last_lsn;
  for (const server::StageTimes& times : record_.stages) {
    summary.stages.push_back({.stage = std::string(server::BackupStageName(times.stage)),
                              .wait_ms = times.wait_ms,
                              .held_ms = times.held_ms});
  }
  summary.redo_bytes = record_.redo.redo_bytes;
  summary.redo_margin_bytes = record_.redo.margin_bytes;
  summary.redo_margin = record_.redo.margin;
  return summary;
}

Status BackupRun::RunSteps() {
  HBK_RETURN_IF_ERROR(Connect());
  HBK_RETURN_IF_ERROR(Preflight());
  HBK_RETURN_IF_ERROR(CreateTarget());
  // Before the first page is copied: the log must reach back to before every copy.
  HBK_RETURN_IF_ERROR(StartTailer());
  HBK_RETURN_IF_ERROR(PauseReplica());
  HBK_RETURN_IF_ERROR(CopyWhileServerWorks());
  HBK_RETURN_IF_ERROR(CopyClosedTables());
  HBK_RETURN_IF_ERROR(CopyUnderBlockDdl());
  HBK_RETURN_IF_ERROR(TakePositionUnderBlockCommit());
  HBK_RETURN_IF_ERROR(CompleteRedo());
  HBK_RETURN_IF_ERROR(RecordChecksums());
  HBK_RETURN_IF_ERROR(WriteMetadata());
  return Commit();
}

Status BackupRun::Connect() {
  reporter_.BeginPhase("connect");
  record_.start_time = std::time(nullptr);
  record_.options = options_.recorded_options;
  HBK_ASSIGN_OR_RETURN(session_, server::ServerSession::Connect(options_.connect, stop_));
  HBK_ASSIGN_OR_RETURN(record_.facts, session_->ReadFacts());
  HBK_RETURN_IF_ERROR(server::CheckServerSupported(record_.facts));
  const auto version = server::ParseServerVersion(record_.facts.version_text);
  HBK_CHECK(version.has_value());
  version_ = *version;
  return OkStatus();
}

Status BackupRun::Preflight() {
  reporter_.BeginPhase("check", {{"server", record_.facts.version_text}});
  const server::ServerFacts& facts = record_.facts;
  HBK_ASSIGN_OR_RETURN(position_choice_, ChoosePositions(*session_, facts, options_, reporter_));
  HBK_ASSIGN_OR_RETURN(record_.layout, LayoutOfServer(facts));
  if (options_.rocksdb_backup) rocksdb_dir_ = record_.layout.rocksdb_dir;
  HBK_RETURN_IF_ERROR(CheckPrivileges(*session_, facts, RightsToTry()));
  HBK_RETURN_IF_ERROR(OpenChecksums());
  HBK_RETURN_IF_ERROR(CheckSaidLayout(fs_, options_.said_layout, record_.layout));
  HBK_RETURN_IF_ERROR(CheckLocality(fs_, *session_, facts, record_.layout));
  HBK_ASSIGN_OR_RETURN(const redo::LogHead log, CheckRedoLog(fs_, record_.layout));
  if (log.header.is_encrypted)
    record_.keys.insert({log.header.crypt.key_id, log.header.crypt.key_version});
  // An archive lies nowhere.
  if (!options_.is_streamed)
    HBK_RETURN_IF_ERROR(CheckTarget(store_.fs_below(), options_.target_dir, record_.layout));
  HBK_RETURN_IF_ERROR(PrepareBase());
  if (!rocksdb_dir_.empty())
    HBK_RETURN_IF_ERROR(RocksdbCheckpoint::CheckLeftover(fs_, rocksdb_dir_));
  HBK_ASSIGN_OR_RETURN(scan_, Scan());
  HBK_RETURN_IF_ERROR(PrepareHistory());
  // Before the work is done: later it could only be said that it was in vain.
  if (!options_.extra_lsndir.empty())
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, options_.extra_lsndir, 0700));
  // How much an increment needs is known when it is made, and how far files shrink, too.
  const bool is_smaller = base_ || options_.compression.method != codec::FrameMethod::kNone;
  if (!options_.is_streamed) {
    HBK_RETURN_IF_ERROR(CheckSpace(fs_, options_.target_dir, is_smaller ? datadir::Scan() : scan_,
                                   is_smaller ? "" : rocksdb_dir_,
                                   facts.Number("innodb_log_file_size", 0)));
  }
  record_.warnings = scan_.warnings;
  HBK_ASSIGN_OR_RETURN(closed_, FindClosedTables(*session_, scan_));
  record_.warnings.insert(record_.warnings.end(), closed_.warnings.begin(), closed_.warnings.end());
  for (const std::string& name : closed_.discarded)
    reporter_.Info("table without a tablespace: discarded", {{"table", name}});
  return OkStatus();
}

// From the server's list of backups.
Result<LoadedBase> BackupRun::FindListedBase() {
  HBK_ASSIGN_OR_RETURN(const auto client, server::ConnectSqlClient(options_.connect));
  server::BackupHistory history(*client, record_.facts.version_text);
  const server::SqlWait wait{.stop = stop_};
  const bool is_by_name = !options_.incremental_history_name.empty();
  const std::string& key =
      is_by_name ? options_.incremental_history_name : options_.incremental_history_uuid;
  HBK_ASSIGN_OR_RETURN(const auto lsn,
                       is_by_name ? history.FindByName(key, wait) : history.FindByUuid(key, wait));
  if (lsn) return BaseOfLsn(*lsn, fmt::format("the base {} in {}", key, history.table()));
  return Status(StatusCode::kChainBroken,
                fmt::format("{} has no backup with the {} {}", history.table(),
                            is_by_name ? "name" : "uuid", key))
      .WithHint("--history puts a backup on the list; take a full one");
}

// What the increment is an increment to, if it is one.
Status BackupRun::PrepareBase() {
  record_.boot_id = ReadBootId(fs_);
  HBK_ASSIGN_OR_RETURN(record_.uuid, session_->NewUuid());
  LoadedBase base;
  if (options_.incremental_lsn) {
    base = BaseOfLsn(*options_.incremental_lsn, "the base of --incremental-lsn");
  } else if (!options_.incremental_history_name.empty() ||
             !options_.incremental_history_uuid.empty()) {
    HBK_ASSIGN_OR_RETURN(base, FindListedBase());
  } else if (!options_.incremental_basedir.empty()) {
    manifest::SealingKeyRing keys(options_.sealing_keys, fs_, stop_);
    HBK_ASSIGN_OR_RETURN(base, LoadBase(fs_, options_.incremental_basedir, keys));
    if (!options_.is_streamed)
      HBK_RETURN_IF_ERROR(
          CheckTargetApart(store_.fs_below(), options_.target_dir, options_.incremental_basedir));
  } else {
    return OkStatus();
  }
  HBK_ASSIGN_OR_RETURN(const server::LsnTriple now, session_->ReadLsn());
  HBK_RETURN_IF_ERROR(CheckBase(fs_, base, record_.facts, record_.layout, now));
  base_ = std::move(base.increment);
  base_->SetReadPolicy({.reads_all = options_.incremental_force_scan,
                        .trusts_times = options_.trust_file_times,
                        .boot_id = record_.boot_id,
                        .backup_uuid = record_.uuid,
                        .hour = static_cast<uint64_t>(record_.start_time) / kSecondsPerHour});
  record_.base = base_->base();
  HBK_ASSIGN_OR_RETURN(const datadir::Scan scan, Scan());
  HBK_ASSIGN_OR_RETURN(const bool has_blank_table, HasBlankTable(fs_, scan, *base_));
  // Else the making of these tables would be in the redo of the base only.
  if (!has_blank_table && !base_->HasUnknownSpaces()) wanted_start_lsn_ = base_->last_lsn();
  reporter_.Info(fmt::format("increment to {}", base.label),
                 {{"lsn", std::to_string(base_->last_lsn())}});
  return OkStatus();
}

server::ProbeOptions BackupRun::RightsToTry() const {
  return {.has_binlog = position_choice_.binlog,
          .kills_queries = options_.lock_wait.kill_after_s != 0,
          .makes_rocksdb_checkpoint = !rocksdb_dir_.empty(),
          .reads_replica = position_choice_.replica,
          .pauses_replica = options_.safe_slave_backup};
}

Status BackupRun::CreateTarget() {
  HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, options_.target_dir, 0700));
  HBK_RETURN_IF_ERROR(io::WriteNewFile(
      fs_, InTarget(manifest::kIncompleteMarkerName),
      "This backup is not complete: hbk is still at work, or was ended before it was done.\n",
      0600));
  has_target_ = true;
  // Before the first sealed byte: nobody could open that.
  HBK_RETURN_IF_ERROR(store_.StoreKeySlots(options_.target_dir));

  FileCopierOptions copier;
  copier.target_dir = options_.target_dir;
  copier.workers = WorkerCount(options_.parallel);
  copier.page_size = static_cast<uint32_t>(record_.facts.Number("innodb_page_size", 0));
  copier.read_limiter = &read_limiter_;
  copier.byte_limiter = &byte_limiter_;
  copier.keep_damaged_pages = options_.log_page_corruption;
  copier.base = base_.get();
  copier.table_of = [this](const std::string& name) {
    return NameOfTable(name);
  };
  copier_ = std::make_unique<FileCopier>(fs_, reporter_, copier);
  tablespaces_ = std::make_unique<TablespaceSet>(fs_, *copier_, options_.target_dir,
                                                 copier.page_size, record_);
  table_files_ = std::make_unique<TableFiles>(fs_, *copier_, options_.target_dir, record_);
  table_files_->SetMyisamMapped(record_.facts.IsOn("myisam_use_mmap"));
  aria_ = std::make_unique<AriaLogCopier>(fs_, record_.layout.aria_log_dir, options_.target_dir);
  ddl_watch_ = std::make_unique<DdlWatch>(fs_, record_.layout.datadir);
  return OkStatus();
}

Status BackupRun::StartTailer() {
  HBK_ASSIGN_OR_RETURN(auto session, server::ServerSession::Connect(options_.connect, stop_));
  lsn_source_ = std::make_unique<SessionLsnSource>(std::move(session));
  LogTailerOptions tailer;
  tailer.log_path = io::JoinPath(record_.layout.redo_dir, kRedoName);
  tailer.target_path = InTarget(kRedoName);
  // As mariadb-backup has it: a server that starts on it then drops half-made tables.
  tailer.creator = fmt::format("Backup {}.{}.{}", version_.major, version_.minor, version_.patch);
  tailer.start_lsn = wanted_start_lsn_;
  tailer_ = std::make_unique<LogTailer>(fs_, *lsn_source_, tailer);
  HBK_RETURN_IF_ERROR(tailer_->Start());
  return base_ && base_->MaySkipPages() ? FindChangedPages(tailer.log_path) : OkStatus();
}

// What was written to files since the base, if the log still tells. Between the end of the base and
// the start of our redo, that is: what comes later is in that.
Status BackupRun::FindChangedPages(const std::string& log_path) {
  const ChangedPagesScan scan{.log_path = log_path,
                              .from = base_->last_lsn(),
                              .to = tailer_->start_lsn(),
                              .read_lsn = [this]() -> Result<Lsn> {
                                HBK_ASSIGN_OR_RETURN(const auto lsn, session_->ReadLsn());
                                return std::max(lsn.current, lsn.flushed);
                              }};
  uint64_t table_bytes = 0;
  for (const datadir::DataFile& file : scan_.files)
    if (file.kind == datadir::FileKind::kTablespace) table_bytes += file.info.size;
  const uint64_t worth_bytes = std::max(kRedoToReadMin, table_bytes / kDataToRedoMin);
  const bool is_long = scan.to > scan.from && scan.to - scan.from > worth_bytes;
  auto changed = is_long ? Result<ChangedPages>(FailedError("there is too much of it"))
                         : ScanChangedPages(fs_, scan, stop_);
  if (changed.ok()) {
    base_->SetChangedPages(std::move(changed).value());
    return OkStatus();
  }
  // Anything that is wrong with the log itself the tailer finds.
  const StatusCode code = changed.status().code();
  if (code == StatusCode::kInterrupted || code == StatusCode::kConnectionLost)
    return changed.status();
  reporter_.Info("the redo log does not tell which pages have changed since the base (" +
                 changed.status().message() + "): files are read whole");
  return OkStatus();
}

Status BackupRun::PauseReplica() {
  if (!options_.safe_slave_backup) return OkStatus();
  reporter_.BeginPhase("stop sql threads");
  ReplicaPauseOptions pause;
  pause.connect = [this] {
    return server::ServerSession::Connect(options_.connect);
  };
  pause.timeout = std::chrono::seconds(options_.safe_slave_backup_timeout_s);
  replica_pause_ = std::make_unique<ReplicaPause>(std::move(pause), reporter_);
  return replica_pause_->Begin(stop_);
}

Status BackupRun::CopyWhileServerWorks() {
  HBK_ASSIGN_OR_RETURN(auto client, server::ConnectSqlClient(options_.connect));
  const server::ConnectOptions& connect = options_.connect;
  HBK_ASSIGN_OR_RETURN(ladder_, server::BackupStageLadder::Create(
                                    std::move(client), options_.lock_wait.timeout_s,
                                    [&connect](uint64_t id) {
                                      // On a new connection: whichever we have may be of no use by
                                      // now.
                                      auto killer = server::ServerSession::Connect(connect);
                                      if (killer.ok()) (void)(*killer)->KillConnection(id).ok();
                                    },
                                    stop_));
  ddl_watch_->Begin();
  HBK_ASSIGN_OR_RETURN(const uint64_t session_id, session_->ReadConnectionId());
  stage_wait_ = std::make_unique<StageWait>(
      MakeStageWaitPorts(*ladder_, *session_,
                         [this] { return tailer_ ? tailer_->status() : OkStatus(); }),
      options_.lock_wait, StartWaitsForDdl(version_),
      std::vector<uint64_t>{ladder_->connection_id(), session_id}, reporter_);
  reporter_.BeginPhase("wait for backup stage start");
  HBK_RETURN_IF_ERROR(BeginStage(BackupStage::kStart));
  HBK_RETURN_IF_ERROR(aria_->Begin());  // Before any table of Aria.
  HBK_ASSIGN_OR_RETURN(const auto open_before, session_->ListTablespaces());
  HBK_ASSIGN_OR_RETURN(scan_, Scan());
  HBK_ASSIGN_OR_RETURN(const auto open_after, session_->ListTablespaces());
  const OpenSpaces open = CombineOpenSpaces(open_before, open_after, closed_);
  reporter_.BeginPhase("copy innodb files",
                       {{"threads", std::to_string(WorkerCount(options_.parallel))},
                        {"start_lsn", std::to_string(tailer_->start_lsn())}});
  HBK_RETURN_IF_ERROR(watch_.Run([this, &open](std::stop_token halt) {
    return tablespaces_->CopyAll(scan_, record_.layout, open, halt);
  }));
  reporter_.BeginPhase("copy other files");
  return CopyOtherFiles(CopyStage::kStart);
}

// What of the other engines rests by now.
Status BackupRun::CopyOtherFiles(CopyStage stage) {
  HBK_ASSIGN_OR_RETURN(scan_, Scan());
  return watch_.Run([this, stage](const std::stop_token& halt) -> Status {
    HBK_RETURN_IF_ERROR(table_files_->CopyEarly(scan_, stage, halt));
    return aria_->OpenNewLogs();
  });
}

Status BackupRun::CopyClosedTables() {
  // Outside of the stage that makes writers wait, what can be. Where target and server share a
  // disk, what was copied would be written to it while the server syncs its logs under the locks.
  reporter_.BeginPhase("sync copies");
  HBK_RETURN_IF_ERROR(SyncCopies());
  HBK_RETURN_IF_ERROR(CatchUp(kCatchUpTimeout));
  HBK_RETURN_IF_ERROR(ReserveRocksdbCheckpoint());
  HBK_RETURN_IF_ERROR(SyncCurrentBinlog().status());
  HBK_RETURN_IF_ERROR(BeginStage(BackupStage::kFlush));
  reporter_.BeginPhase("copy closed tables");
  HBK_RETURN_IF_ERROR(CopyOtherFiles(CopyStage::kFlush));
  return DecideEarly();
}

// What follows from the scan for as long as directories stay as they are: under BLOCK_DDL only the
// others, and files that change in place, are left to be looked at.
Status BackupRun::DecideEarly() {
  MergeSpaceChanges(tailer_->TakeSpaceChanges(), changes_);
  HBK_RETURN_IF_ERROR(tablespaces_->DecideEarly(scan_, KnownChanges()));
  table_files_->DecideEarly(scan_);
  return OkStatus();
}

// Null where the log does not say what became of tablespaces. Recovery of 10.5 wants every file to
// be there, with its first page; servers before 10.6 write that page when they make the file.
const SpaceChanges* BackupRun::KnownChanges() const {
  const bool can_rebuild = version_ >= kRebuildsFiles;
  return can_rebuild && tailer_->knows_space_changes() ? &changes_ : nullptr;
}

Status BackupRun::CopyUnderBlockDdl() {
  if (checksums_) HBK_RETURN_IF_ERROR(checksums_->Prepare());
  reporter_.BeginPhase("wait for backup stage block_ddl");
  // Outside of the lock, what can be.
  HBK_RETURN_IF_ERROR(CatchUp(kCatchUpTimeout));
  HBK_ASSIGN_OR_RETURN(const std::string binlog, SyncCurrentBinlog());
  HBK_RETURN_IF_ERROR(BeginStage(BackupStage::kBlockDdl));
  urgency_.emplace();  // Until END: others wait.
  reporter_.BeginPhase("copy what changed");
  // Beside each other: the log up to here, which tells of all DDL there will be, and the files; and
  // what was committed while BLOCK_DDL was waited for.
  const auto synced = std::async(std::launch::async, [this, &binlog] { SyncBinlog(fs_, binlog); });
  std::future<Result<datadir::Scan>> scan =
      std::async(std::launch::async, [this] { return Scan(); });
  const Status caught_up = CatchUp(kLastLogTimeout);
  HBK_ASSIGN_OR_RETURN(scan_, scan.get());
  HBK_RETURN_IF_ERROR(caught_up);
  ddl_ = ddl_watch_->Read(scan_);
  const SpaceChanges news = tailer_->TakeSpaceChanges();
  MergeSpaceChanges(news, changes_);
  HBK_RETURN_IF_ERROR(
      watch_.Run([this, &news](std::stop_token halt) { return CopyAfterDdl(news, halt); }));
  return CatchUp(kLastLogTimeout);
}

Status BackupRun::TakePositionUnderBlockCommit() {
  HBK_RETURN_IF_ERROR(BeginStage(BackupStage::kBlockCommit));
  if (rocksdb_) HBK_RETURN_IF_ERROR(rocksdb_->Create());
  PositionReader positions(*session_, position_choice_);
  HBK_ASSIGN_OR_RETURN(const uint64_t lsn, WriteLog([&positions] { return positions.Begin(); }));
  HBK_RETURN_IF_ERROR(watch_.Run([this](std::stop_token halt) { return CopyAtRest(halt); }));
  HBK_RETURN_IF_ERROR(tailer_->WaitFor(lsn, stop_, kLastLogTimeout));
  HBK_ASSIGN_OR_RETURN(record_.positions, positions.Finish());
  if (position_choice_.replica && !record_.positions.replica)
    reporter_.Info("--slave-info: the server is no replica, none is written");
  HBK_ASSIGN_OR_RETURN(const uint64_t uptime_s, session_->ReadUptimeSeconds());
  if (uptime_s < record_.facts.uptime_s) {
    return Status(StatusCode::kConnectionLost, "the server was restarted during the backup");
  }
  if (checksums_) HBK_RETURN_IF_ERROR(checksums_->BeginSnapshot());
  // Or the log would have commits that the binlog position has not.
  tailer_->Stop();
  HBK_RETURN_IF_ERROR(ladder_->End());
  record_.stages = ladder_->times();
  ladder_.reset();
  urgency_.reset();
  replica_pause_.reset();
  ReportStages();
  return OkStatus();
}

Status BackupRun::CompleteRedo() {
  reporter_.BeginPhase("complete redo");
  datadir::BringBackAll(scan_);
  // What the log told until the end: after BLOCK_DDL no tablespace came or went.
  MergeSpaceChanges(tailer_->TakeSpaceChanges(), changes_);
  const bool is_known = tailer_->knows_space_changes();
  HBK_ASSIGN_OR_RETURN(record_.redo, tailer_->Finish());
  tailer_.reset();
  lsn_source_.reset();
  if (is_known) HBK_RETURN_IF_ERROR(tablespaces_->CheckComplete(changes_));
  record_.AddFile(std::string(kRedoName), datadir::FileKind::kRedoLog, CopyStage::kEnd,
                  record_.redo.file_size, record_.redo.digest);
  reporter_.Info("redo log copied", {{"bytes", std::to_string(record_.redo.redo_bytes)},
                                     {"last_lsn", std::to_string(record_.redo.last_lsn)},
                                     {"margin", fmt::format("{:.0f}%", record_.redo.margin * 100)},
                                     {"margin_bytes", std::to_string(record_.redo.margin_bytes)}});
  return OkStatus();
}

Status BackupRun::OpenChecksums() {
  if (!options_.record_checksums) return OkStatus();
  HBK_ASSIGN_OR_RETURN(auto session, server::TableSession::Connect(options_.connect));
  HBK_ASSIGN_OR_RETURN(
      checksums_,
      TableChecksums::Open(std::move(session), server::QuoteAccount(record_.facts.current_user)));
  return OkStatus();
}

// The backup itself has all it needs: whatever is wrong here, it is not.
Status BackupRun::RecordChecksums() {
  if (!checksums_) return OkStatus();
  reporter_.BeginPhase("record checksums");
  auto taken = checksums_->Take(reporter_, stop_);
  checksums_.reset();
  if (taken.status().code() == StatusCode::kInterrupted) return taken.status();
  if (taken.ok()) {
    record_.table_checksums = std::move(*taken);
  } else {
    record_.warnings.push_back("no checksums of tables were recorded: " + taken.status().message());
  }
  return OkStatus();
}

Status BackupRun::WriteMetadata() {
  reporter_.BeginPhase("write metadata");
  HBK_RETURN_IF_ERROR(watch_.Run([this](std::stop_token halt) { return CopyLastFiles(halt); }));
  HBK_RETURN_IF_ERROR(CopyRocksdb());
  HBK_RETURN_IF_ERROR(TellOfForeignEngines(fs_, options_.target_dir, *session_,
                                           /*has_rocksdb=*/!rocksdb_dir_.empty(), reporter_,
                                           record_));
  record_.end_time = std::time(nullptr);
  for (const auto& file : RenderMetadataFiles(record_)) {
    HBK_ASSIGN_OR_RETURN(const CopyResult written,
                         copier_->WriteBytes(file.first, AsBytes(file.second), /*replace=*/false,
                                             /*under_lock=*/true));
    record_.AddFile(file.first, datadir::FileKind::kMetadata, CopyStage::kEnd, written.size,
                    written.digest);
  }
  return OkStatus();
}

// For prepare. Into an increment nothing is laid, and its deltas have other digests. Of a sealed
// backup they would tell what is in it.
Status BackupRun::WriteChunkHashes() {
  manifest::ChunkHashes hashes = std::move(record_.chunk_hashes);
  hashes.KeepOnly(MakeManifest(record_).files);
  if (base_ || hashes.empty() || store_.data_key() != nullptr) return OkStatus();
  const std::string bytes = hashes.Render();
  return copier_
      ->WriteBytes(manifest::kChunkHashesName, AsBytes(bytes), /*replace=*/false,
                   /*under_lock=*/false)
      .status();
}

Status BackupRun::Commit() {
  reporter_.BeginPhase("sync");
  HBK_RETURN_IF_ERROR(WriteChunkHashes());
  HBK_RETURN_IF_ERROR(SyncCopies());
  for (const std::string& name : record_.databases)
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(InTarget(name)));
  HBK_RETURN_IF_ERROR(fs_.SyncDirectory(options_.target_dir));
  WarnOfDamage();
  for (const std::string& warning : record_.warnings)
    reporter_.Warning(warning);
  manifest::BackupManifest manifest = MakeManifest(record_);
  HBK_RETURN_IF_ERROR(store_.Describe(manifest));
  HBK_RETURN_IF_ERROR(
      manifest::StoreManifest(fs_, options_.target_dir, manifest, store_.data_key()));
  HBK_RETURN_IF_ERROR(fs_.Remove(InTarget(manifest::kIncompleteMarkerName)));
  HBK_RETURN_IF_ERROR(fs_.SyncDirectory(options_.target_dir));
  if (!options_.is_streamed)
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(io::DirName(options_.target_dir)));
  has_target_ = false;  // Whatever fails now, it is complete.
  HBK_RETURN_IF_ERROR(WriteExtraFiles(manifest).WithContext("the backup is complete, but"));
  return AddToHistory().WithContext("the backup is complete, but");
}

Status BackupRun::SyncCopies() {
  std::vector<std::string> names;
  std::set<std::string> synced;
  for (const auto& [name, file] : record_.files) {
    const std::string stored = StoredName(file);
    if (stored.empty()) continue;
    names.push_back(stored);
    if (record_.synced.count(name) != 0) synced.insert(stored);
  }
  HBK_RETURN_IF_ERROR(watch_.Run([this, &names, &synced](std::stop_token halt) {
    return copier_->SyncAll(names, synced, halt);
  }));
  for (const auto& entry : record_.files)
    record_.synced.insert(entry.first);
  return OkStatus();
}

// Before anything is copied: whether the list can be written to.
Status BackupRun::PrepareHistory() {
  if (!options_.history) return OkStatus();
  record_.history_name = *options_.history;
  HBK_ASSIGN_OR_RETURN(const auto client, server::ConnectSqlClient(options_.connect));
  return server::BackupHistory(*client, record_.facts.version_text).Prepare({.stop = stop_});
}

Status BackupRun::AddToHistory() {
  if (!options_.history) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto client, server::ConnectSqlClient(options_.connect));
  return server::BackupHistory(*client, record_.facts.version_text)
      .Add(MakeHistoryRow(record_), {.stop = stop_});
}

// What the next increment needs of this backup, in a place of its own.
Status BackupRun::WriteExtraFiles(const manifest::BackupManifest& manifest) {
  if (options_.extra_lsndir.empty()) return OkStatus();
  const manifest::MetadataNames names = manifest::MetadataNamesFor(record_.facts.version_text);
  for (const auto& [name, text] : RenderMetadataFiles(record_)) {
    if (name != names.checkpoints && name != names.info) continue;
    if (options_.seals_names) continue;  // they say what the manifest is sealed for
    HBK_RETURN_IF_ERROR(
        io::WriteFileAtomically(fs_, io::JoinPath(options_.extra_lsndir, name), text, 0600));
  }
  HBK_RETURN_IF_ERROR(store_.StoreKeySlots(options_.extra_lsndir));
  return manifest::StoreManifest(fs_, options_.extra_lsndir, manifest, store_.data_key());
}

Status BackupRun::BeginStage(BackupStage stage) {
  HBK_RETURN_IF_ERROR(CheckAlive());
  return stage_wait_->Begin(stage, stop_);
}

// Until the tailer has copied what is in the log now.
Status BackupRun::CatchUp(std::chrono::milliseconds timeout) {
  HBK_ASSIGN_OR_RETURN(const uint64_t lsn, WriteLog([this]() -> Result<uint64_t> {
                         HBK_ASSIGN_OR_RETURN(const server::LsnTriple now, session_->ReadLsn());
                         HBK_RETURN_IF_ERROR(session_->FlushEngineLogs());
                         return now.current;
                       }));
  return tailer_->WaitFor(lsn, stop_, timeout);
}

// Where the binlog lies; empty: there is none, or none is wanted.
Result<std::string> BackupRun::SyncCurrentBinlog() {
  if (!position_choice_.binlog) return std::string();
  HBK_ASSIGN_OR_RETURN(const auto position, session_->ReadBinlogPosition());
  if (!position) return std::string();
  std::string path = BinlogPath(record_.facts.Variable("log_bin_basename"), position->file);
  SyncBinlog(fs_, path);
  return path;
}

// `write` reads the LSN and then flushes the logs. Where the server does write with that, the
// tailer need not wait for its next flush, which may be a second away.
Result<uint64_t> BackupRun::WriteLog(const std::function<Result<uint64_t>()>& write) {
  HBK_ASSIGN_OR_RETURN(const bool writes_before, session_->DoesFlushWriteLog());
  HBK_ASSIGN_OR_RETURN(const uint64_t lsn, write());
  HBK_ASSIGN_OR_RETURN(const bool writes_after, session_->DoesFlushWriteLog());
  if (writes_before && writes_after) tailer_->NoteWritten(lsn);
  return lsn;
}

// The reasons to stop that copiers cannot see.
Status BackupRun::CheckAlive() {
  if (tailer_) HBK_RETURN_IF_ERROR(tailer_->status());
  const auto now = SteadyClock::now();
  if (!ladder_ || now - verified_at_ < kVerifyInterval) return OkStatus();
  verified_at_ = now;
  return ladder_->Verify();
}

Result<datadir::Scan> BackupRun::Scan() {
  datadir::ScanOptions options;
  options.ignore_db_dirs = SplitList(record_.facts.Variable("ignore_db_dirs"));
  if (tablespaces_) {
    options.needs_no_look = [this](const datadir::DataFile& file) {
      return NeedsNoLook(file);
    };
  }
  return datadir::ScanDatadir(fs_, record_.layout, options, std::move(scan_));
}

// What is known of such a file holds for as long as its directory does not change.
bool BackupRun::NeedsNoLook(const datadir::DataFile& file) const {
  if (file.kind == datadir::FileKind::kTablespace) return tablespaces_->HasTrustedCopyOf(file.info);
  return IsReplacedOnly(file);
}

// On a connection of its own: this is asked for by workers, and rarely.
std::string BackupRun::NameOfTable(const std::string& file_name) const {
  std::string_view name = file_name;
  if (name.ends_with(".ibd")) name.remove_suffix(4);
  auto session = server::ServerSession::Connect(options_.connect);
  if (!session.ok()) return std::string(name);
  const auto table = (*session)->DecodeTableName(name);
  return table.ok() ? table->ToString() : std::string(name);
}

void BackupRun::WarnOfDamage() {
  size_t count = 0;
  for (const auto& [name, file] : record_.damaged) {
    for (const DamagedPage& page : file.pages)
      if (++count <= kDamagedPagesShownMax) record_.warnings.push_back(page.text);
  }
  if (count == 0) return;
  record_.warnings.push_back(
      fmt::format("{} damaged pages were copied as they are; the file {} lists them", count,
                  manifest::kDamagedPagesName));
}

Status BackupRun::CopyAfterDdl(const SpaceChanges& news, const std::stop_token& halt) {
  // The session is free: who waits for this thread talks to the ladder only.
  HBK_RETURN_IF_ERROR(tablespaces_->FollowDdl(
      scan_, KnownChanges(), news, [this] { return session_->ListTablespaces(); }, halt));
  return table_files_->Settle(scan_, ddl_.changed_tables, halt);
}

Status BackupRun::CopyAtRest(const std::stop_token& halt) {
  HBK_RETURN_IF_ERROR(table_files_->CopyUnderBlockCommit(scan_, halt));
  return aria_->Settle();  // After the tables: the log repairs them.
}

Status BackupRun::CopyLastFiles(const std::stop_token& halt) {
  HBK_ASSIGN_OR_RETURN(const auto logs, aria_->CopyAll(halt));
  for (const AriaLogCopier::Copy& log : logs) {
    const auto kind = datadir::ClassifyRootFile(log.name);
    HBK_CHECK(kind.has_value());
    record_.AddFile(log.name, *kind, CopyStage::kBlockCommit, log.size, log.digest);
    // Of a server without much to do in Aria tables it is most of an increment.
    HBK_RETURN_IF_ERROR(LeaveToBase(fs_, options_.target_dir, base_.get(), log.name, record_));
  }
  HBK_RETURN_IF_ERROR(tablespaces_->CompleteAfterEnd(scan_));
  return table_files_->CopyAfterEnd(scan_, halt);
}

// Outside of the late stages: another tool may be copying its checkpoint for long. Inside of START:
// no tool that holds the checkpoint waits for that.
Status BackupRun::ReserveRocksdbCheckpoint() {
  if (rocksdb_dir_.empty()) return OkStatus();
  const server::ConnectOptions& connect = options_.connect;
  HBK_ASSIGN_OR_RETURN(rocksdb_,
                       RocksdbCheckpoint::Reserve(
                           fs_, [&connect] { return server::ServerSession::Connect(connect); },
                           rocksdb_dir_, options_.lock_wait.timeout_s, stop_));
  return OkStatus();
}

Status BackupRun::CopyRocksdb() {
  if (!rocksdb_) return OkStatus();
  reporter_.BeginPhase("copy myrocks files");
  HBK_RETURN_IF_ERROR(
      watch_.Run([this](std::stop_token halt) { return rocksdb_->Copy(*copier_, record_, halt); }));
  // Once copied, no trouble with it can harm the backup; but the server keeps files for it.
  const Status status = rocksdb_->Remove();
  if (!status.ok()) record_.warnings.push_back(status.message());
  rocksdb_.reset();
  return OkStatus();
}

void BackupRun::ReportStages() {
  report::Facts facts;
  for (const server::StageTimes& times : record_.stages) {
    facts.push_back({fmt::format("{}", server::BackupStageName(times.stage)),
                     fmt::format("{:.3f} s", static_cast<double>(times.held_ms) / 1000)});
  }
  reporter_.Info("server released", facts);
  const TablespaceSet::Counts& counts = tablespaces_->counts();
  if (counts.renamed + counts.removed + counts.copied_late + counts.left_to_redo != 0) {
    reporter_.Info("tablespaces changed by DDL during the backup",
                   {{"renamed", std::to_string(counts.renamed)},
                    {"removed", std::to_string(counts.removed)},
                    {"copied_late", std::to_string(counts.copied_late)},
                    {"left_to_redo", std::to_string(counts.left_to_redo)}});
  }
  const TableFiles::Counts& others = table_files_->counts();
  reporter_.Info("other files", {{"copied_early", std::to_string(others.early)},
                                 {"copied_under_lock", std::to_string(others.late)},
                                 {"renamed", std::to_string(others.renamed)},
                                 {"removed", std::to_string(others.removed)}});
  if (ddl_.is_known) {
    reporter_.Info("the server's list of DDL",
                   {{"statements", std::to_string(ddl_.statements)},
                    {"contradictions", std::to_string(ddl_.contradictions)}});
  }
  ReportIncrement();
  if (counts.retried_pages != 0)
    reporter_.Info("torn pages read again", {{"pages", std::to_string(counts.retried_pages)}});
}

void BackupRun::ReportIncrement() {
  if (!base_) return;
  uint64_t pages = 0;
  uint64_t bytes = 0;
  for (const auto& [name, count] : record_.increment_pages) {
    pages += count;
    bytes += record_.files.at(name).delta_size;
  }
  uint64_t replaced = 0;
  uint64_t in_base = 0;
  for (const auto& entry : record_.files) {
    replaced += entry.second.replaces_base ? 1 : 0;
    in_base += entry.second.content == manifest::FileContent::kBase ? 1 : 0;
  }
  reporter_.Info(
      fmt::format("increment: {} pages in {} tablespaces ({})", pages,
                  record_.increment_pages.size(), report::HumanBytes(bytes)),
      {{"replaced_tablespaces", std::to_string(replaced)},
       {"files_as_in_the_base", std::to_string(in_base)},
       {"tablespaces_not_read", std::to_string(tablespaces_->counts().skipped)},
       {"tablespaces_read_in_part", std::to_string(tablespaces_->counts().read_in_part)}});
}

// Best effort: the marker that is there already says enough.
void BackupRun::MarkIncomplete(const Status& status) {
  const std::string text =
      fmt::format("This backup is not complete and cannot be used: {}\n", status.message());
  (void)io::WriteFileAtomically(fs_, InTarget(manifest::kIncompleteMarkerName), text, 0600).ok();
}

}  // namespace

Result<BackupSummary> RunBackup(const BackupOptions& options, io::FileSystem& fs,
                                report::Reporter& reporter, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(const auto store, TargetStore::Make(options, fs, stop));
  BackupRun run(options, *store, reporter, std::move(stop));
  return run.Run();
}

}  // namespace hbk::backup
