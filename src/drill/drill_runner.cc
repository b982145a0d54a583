#include "hbk/drill/drill_runner.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "hbk/base/version.h"
#include "hbk/datadir/layout.h"
#include "hbk/manifest/drill_record.h"
#include "hbk/manifest/mariadb_backup_files.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/prepare/prepare_runner.h"

#include "drill_report.h"
#include "drill_subject.h"
#include "html_report.h"
#include "phase_clock.h"
#include "private_server.h"
#include "scratch_place.h"
#include "server_config.h"
#include "server_program.h"
#include "table_inspection.h"
#include "table_sample.h"
#include "user_sql.h"

namespace hbk::drill {
namespace {

constexpr std::string_view kScratchSuffix = ".drill";
constexpr uint64_t kErrorLogBytesShown = 16 << 10;
constexpr uint64_t kErrorLogBytesRead = 4 << 20;
constexpr size_t kErrorLinesMax = 20;
constexpr size_t kSlowTablesShown = 10;
constexpr uint64_t kTokenBytesMax = 64 << 10;
constexpr uint32_t kReportMode = 0600;
constexpr uint32_t kFoundShownMax = 3;

std::string UtcTime(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// Relative paths are relative to where hbk works, and the server works elsewhere.
Result<std::string> Absolute(const std::string& path) {
  datadir::LayoutOptions options;
  options.datadir = path;
  HBK_ASSIGN_OR_RETURN(const datadir::Layout layout, datadir::MakeLayout(options));
  return layout.datadir;
}

// What of a failed prepare is a fact about the backup, and what about this machine or this moment.
bool IsAboutBackup(StatusCode code) {
  switch (code) {
    case StatusCode::kInterrupted:
    case StatusCode::kNoSpace:
    case StatusCode::kNotFound:
    case StatusCode::kMissingPrivilege:
    case StatusCode::kAlreadyExists:
    case StatusCode::kTargetInUse:
    case StatusCode::kUsage: return false;
    default: return true;
  }
}

std::string_view DepthName(const std::optional<server::CheckDepth>& depth) {
  if (!depth) return "none";
  switch (*depth) {
    case server::CheckDepth::kQuick: return "quick";
    case server::CheckDepth::kMedium: return "medium";
    case server::CheckDepth::kExtended: return "extended";
  }
  return "";
}

std::string WithHintOf(const Status& status) {
  return status.hint().empty() ? status.message()
                               : fmt::format("{} ({})", status.message(), status.hint());
}

// One drill. Steps that end with an error of another code than kDrillFailed end it without a
// report; what is wrong with the backup is noted in the report, and ends the steps, too.
class DrillRun {
 public:
  DrillRun(const DrillOptions& options, io::FileSystem& fs, report::Reporter& reporter,
           std::stop_token stop)
      : options_(options),
        fs_(fs),
        clock_(reporter),
        stop_(std::move(stop)),
        keys_(options.sealing_keys, fs, stop_) {}

  Result<DrillSummary> Run();

 private:
  Status CheckBeforehand();
  Status CheckOtherServer();
  Status FindServer();
  Status Restore();
  Status LookAtRestored();
  Status StartServer();
  Status InspectServer();
  Status AwaitRollback();
  Result<std::vector<TableJob>> MakeJobs(const std::vector<server::ListedTable>& tables);
  Status CompareWithServer(std::vector<TableJob>& jobs);
  void CompareWithBackup(std::vector<TableJob>& jobs);
  void NoteMissingTables(const std::vector<server::ListedTable>& tables);
  Status Inspect(const std::vector<TableJob>& jobs);
  Status RunSql();
  Status StopServer();
  Status AsFinding(std::string_view phase, const Status& status);
  void NoteErrorLog();
  void NoteServerProblem(const Status& status);

  Result<std::vector<std::string>> ChoosePlugins(const CopyFacts& copy,
                                                 const keys::KeyOptions& keys);
  Result<keys::KeyOptions> ChooseKeys();
  [[nodiscard]] bool HasPlugin(const std::string& library);
  [[nodiscard]] bool IsSameSeriesAsBackup() const;
  [[nodiscard]] bool HasTurn(const server::ListedTable& table) const {
    return HasItsTurn(table, PartCount(options_.sample_percent), report_.sample_turn);
  }
  [[nodiscard]] const std::string& last_backup() const {
    return incremental_dirs_.empty() ? target_dir_ : incremental_dirs_.back();
  }
  void FillReport();
  Status WriteReports();
  void WriteRecord();
  Status Verdict() const;

  const DrillOptions& options_;
  io::FileSystem& fs_;
  PhaseClock clock_;
  const std::stop_token stop_;
  manifest::SealingKeyRing keys_;

  std::string target_dir_;
  std::vector<std::string> incremental_dirs_;
  std::string sql_file_;
  std::string client_;
  std::time_t started_ = std::time(nullptr);
  DrillSubject backup_;
  ServerProgram program_;
  CopyFacts copy_;
  DrillReport report_;
  std::unique_ptr<ScratchPlace> place_;
  std::unique_ptr<PrivateServer> server_;  // before the place, which it works in, is removed
};

Result<DrillSummary> DrillRun::Run() {
  Status status = CheckBeforehand();
  if (status.ok()) status = FindServer();
  if (status.ok()) status = Restore();
  if (status.ok()) status = LookAtRestored();
  if (status.ok()) status = StartServer();
  if (status.ok()) status = InspectServer();
  if (status.ok()) status = StopServer();
  // However it ended; the log is read when nobody writes it any more.
  if (server_) server_->Kill();
  if (!status.ok() && status.code() != StatusCode::kDrillFailed) return status;
  NoteErrorLog();
  FillReport();
  const Status removed = place_ ? place_->Remove() : OkStatus();
  if (!removed.ok()) clock_.Warning("removing the scratch directory: " + removed.message());
  HBK_RETURN_IF_ERROR(WriteReports());
  WriteRecord();
  HBK_RETURN_IF_ERROR(Verdict());
  return DrillSummary{.table_count = report_.table_count,
                      .checked_count = report_.checked_count,
                      .compared_count = report_.compared_count,
                      .restore_seconds = report_.restore_seconds,
                      .server_version = report_.server_version};
}

// What is wrong here is said before time goes into a copy.
Status DrillRun::CheckBeforehand() {
  clock_.BeginPhase("check");
  HBK_ASSIGN_OR_RETURN(target_dir_, Absolute(options_.target_dir));
  for (const std::string& dir : options_.incremental_dirs) {
    HBK_ASSIGN_OR_RETURN(std::string absolute, Absolute(dir));
    incremental_dirs_.push_back(std::move(absolute));
  }
  if (!options_.sql_file.empty()) {
    HBK_ASSIGN_OR_RETURN(sql_file_, Absolute(options_.sql_file));
    HBK_RETURN_IF_ERROR(fs_.Open(sql_file_, {.follow = true}).status().WithContext("--sql-file"));
  }
  HBK_RETURN_IF_ERROR(CheckOtherServer());
  report_.hbk_version = kVersion;
  report_.drilled_at = UtcTime(started_);
  report_.backup_dir = target_dir_;
  report_.incremental_dirs = incremental_dirs_;
  report_.check_depth = DepthName(options_.check);
  report_.sample_percent = options_.sample_percent;
  report_.sql_file = options_.sql_file;
  auto facts = LoadBackupFacts(fs_, last_backup(), keys_);
  if (facts.status().code() == StatusCode::kNotFound) return facts.status();
  HBK_ASSIGN_OR_RETURN(report_.manifest_digest,
                       manifest::DigestOfStoredManifest(fs_, last_backup()));
  const auto last = manifest::LoadDrilledRecord(fs_, last_backup());
  report_.sample_turn =
      NextTurn(last.ok() ? std::optional<manifest::DrilledRecord>(*last) : std::nullopt, started_);
  HBK_ASSIGN_OR_RETURN(report_.stored_bytes, StoredBytes(fs_, target_dir_));
  for (const std::string& dir : incremental_dirs_) {
    HBK_ASSIGN_OR_RETURN(const uint64_t bytes, StoredBytes(fs_, dir));
    report_.stored_bytes += bytes;
  }
  if (!facts.ok()) return AsFinding("check", facts.status());
  backup_ = std::move(*facts);
  report_.backup_uuid = backup_.uuid;
  report_.backup_time = backup_.end_time;
  report_.backup_server_version = backup_.server_version;
  return OkStatus();
}

Status DrillRun::CheckOtherServer() {
  if (!options_.compare_with) return OkStatus();
  const auto other = server::TableSession::Connect(*options_.compare_with);
  HBK_RETURN_IF_ERROR(other.status().WithContext("--compare-with"));
  return (*other)
      ->ProbeReading()
      .WithContext("--compare-with")
      .WithHint("the user needs SELECT on all tables");
}

// As a problem of the backup, if it is one.
Status DrillRun::AsFinding(std::string_view phase, const Status& status) {
  if (status.ok() || !IsAboutBackup(status.code())) return status;
  report_.AddProblem(std::string(phase), "", WithHintOf(status));
  return {StatusCode::kDrillFailed, status.message()};
}

Status DrillRun::FindServer() {
  HBK_ASSIGN_OR_RETURN(const std::string path,
                       FindProgram(fs_, options_.mariadbd, options_.search_path));
  HBK_ASSIGN_OR_RETURN(program_, AskServerProgram(path, stop_));
  HBK_RETURN_IF_ERROR(CheckFits(program_, backup_.server_version));
  report_.server_program = program_.path;
  report_.server_version = program_.version_text;
  if (!sql_file_.empty()) {
    HBK_ASSIGN_OR_RETURN(client_, FindClientProgram(fs_, path, options_.search_path));
  }
  HBK_ASSIGN_OR_RETURN(
      const std::string scratch,
      Absolute(options_.scratch_dir.empty() ? target_dir_ + std::string(kScratchSuffix)
                                            : options_.scratch_dir));
  std::vector<std::string> backups = incremental_dirs_;
  backups.push_back(target_dir_);
  HBK_ASSIGN_OR_RETURN(place_, ScratchPlace::Make(fs_, {.dir = scratch,
                                                        .backups = std::move(backups),
                                                        .is_kept = options_.keeps_scratch}));
  clock_.Info("the server of the drill",
              {{"program", program_.path}, {"version", program_.version_text}});
  return OkStatus();
}

Status DrillRun::Restore() {
  const prepare::PrepareOptions prepare{.target_dir = target_dir_,
                                        .incremental_dirs = incremental_dirs_,
                                        .output_dir = place_->data_dir(),
                                        .use_memory_bytes = options_.use_memory_bytes,
                                        .parallel = options_.parallel,
                                        .keys = options_.keys,
                                        .sealing_keys = options_.sealing_keys};
  return AsFinding("prepare", prepare::RunPrepare(prepare, fs_, clock_, stop_).status());
}

Status DrillRun::LookAtRestored() {
  clock_.BeginPhase("look at the copy");
  HBK_ASSIGN_OR_RETURN(copy_, LookAtCopy(fs_, place_->data_dir()));
  report_.restored_bytes = copy_.bytes;
  report_.databases = copy_.databases;
  const auto links = RemoveTablespaceLinks(fs_, place_->data_dir());
  // That one of them leads somewhere is about this machine.
  if (links.status().code() == StatusCode::kUnsupported) return links.status();
  if (!links.ok()) return AsFinding("restore", links.status());
  if (*links != 0) {
    report_.AddRemark("restore", "",
                      fmt::format("{} tables with DATA DIRECTORY were restored into the data "
                                  "directory of the drill",
                                  *links));
  }
  return OkStatus();
}

bool DrillRun::HasPlugin(const std::string& library) {
  if (program_.plugin_dir.empty()) return false;
  const auto found = io::Exists(fs_, io::JoinPath(program_.plugin_dir, library + ".so"));
  return found.ok() && *found;
}

Result<keys::KeyOptions> DrillRun::ChooseKeys() {
  HBK_ASSIGN_OR_RETURN(keys::KeyOptions keys,
                       keys::ChooseKeyOptions(options_.keys, backup_.settings));
  if (keys.vault_token.empty() && !keys.vault_token_file.empty()) {
    HBK_ASSIGN_OR_RETURN(const std::string text,
                         io::ReadFile(fs_, keys.vault_token_file, kTokenBytesMax));
    keys.vault_token = Secret(text.substr(0, text.find_first_of("\r\n")));
  }
  return keys;
}

// Those that the backup cannot do without, as far as this server has them as files of their own:
// codecs and engines may also be built in, and if not, the tables that need them say so.
Result<std::vector<std::string>> DrillRun::ChoosePlugins(const CopyFacts& copy,
                                                         const keys::KeyOptions& keys) {
  std::vector<std::string> wanted;
  const auto set = manifest::LoadMariadbBackupSet(fs_, place_->data_dir());
  if (set.ok()) wanted = LibrariesToLoad(set->config.plugin_load);
  if (!keys.plugin.empty()) {
    const std::string of_keys =
        keys.vault_url.empty() ? "file_key_management" : "hashicorp_key_management";
    if (!HasPlugin(of_keys)) {
      return UnsupportedError(fmt::format("the backup is of an encrypted server, and {} has no "
                                          "plugin {}.so in {}",
                                          program_.path, of_keys, program_.plugin_dir))
          .WithHint("install the plugin, or name another server with --mariadbd");
    }
    // What the server had may be another one, of which there is no source here.
    std::erase_if(wanted, [](const std::string& name) { return name.ends_with("_management"); });
    wanted.push_back(of_keys);
  }
  for (std::string& library : LibrariesOfEngines(copy.engines, copy.has_rocksdb_files))
    wanted.push_back(std::move(library));
  std::vector<std::string> there;
  for (std::string& library : wanted) {
    if (HasPlugin(library)) {
      there.push_back(std::move(library));
    } else {
      report_.AddRemark("start server", "",
                        fmt::format("the server has no plugin {}.so; if it has that built in, all "
                                    "is well",
                                    library));
    }
  }
  return there;
}

Status DrillRun::StartServer() {
  clock_.BeginPhase("start server");
  HBK_ASSIGN_OR_RETURN(const keys::KeyOptions keys, ChooseKeys());
  ServerConfig config;
  config.paths = {.data_dir = place_->data_dir(),
                  .tmp_dir = place_->tmp_dir(),
                  .socket = place_->socket_path(),
                  .pid = place_->pid_path(),
                  .error_log = place_->error_log()};
  config.is_root = geteuid() == 0;
  config.buffer_pool_bytes = options_.use_memory_bytes;
  HBK_ASSIGN_OR_RETURN(config.plugin_files, ChoosePlugins(copy_, keys));
  HBK_ASSIGN_OR_RETURN(Secret text, RenderServerConfig(config, backup_, keys));
  auto started = PrivateServer::Start(fs_, {.program = program_.path,
                                            .config_path = place_->config_path(),
                                            .config = std::move(text),
                                            .socket = place_->socket_path(),
                                            .error_log = place_->error_log(),
                                            .writable = place_->writable(),
                                            .start_timeout_s = options_.start_timeout_s,
                                            .answer_timeout_s = options_.answer_timeout_s});
  HBK_RETURN_IF_ERROR(started.status());
  server_ = std::move(*started);
  report_.is_confined = server_->is_confined();
  const Status answers = server_->AwaitAnswer(stop_);
  if (answers.ok()) {
    report_.restore_seconds = clock_.seconds();
  } else {
    NoteServerProblem(answers);
  }
  return answers;
}

// A lost connection is explained; all else that the server says ends up as it is.
void DrillRun::NoteServerProblem(const Status& status) {
  if (status.code() == StatusCode::kInterrupted) return;
  report_.AddProblem(clock_.current(), "", WithHintOf(status));
}

Status DrillRun::InspectServer() {
  const auto inspect = [this]() -> Status {
    HBK_RETURN_IF_ERROR(AwaitRollback());
    clock_.BeginPhase("check tables");
    HBK_ASSIGN_OR_RETURN(const auto session, server_->Connect(stop_));
    report_.server_version = session->server_version();
    HBK_ASSIGN_OR_RETURN(const auto tables, session->ListTables());
    report_.table_count = tables.size();
    HBK_ASSIGN_OR_RETURN(std::vector<TableJob> jobs, MakeJobs(tables));
    if (options_.compare_with) {
      HBK_RETURN_IF_ERROR(CompareWithServer(jobs));
    } else {
      CompareWithBackup(jobs);
      NoteMissingTables(tables);
    }
    HBK_RETURN_IF_ERROR(Inspect(jobs));
    return RunSql();
  };
  const Status status = inspect();
  if (status.ok() || status.code() == StatusCode::kInterrupted) return status;
  // Of the other server, the one to compare with, nothing is known that would be about the backup.
  if (status.code() == StatusCode::kMissingPrivilege) return status;
  const Status explained = server_->Explain(status);
  NoteServerProblem(explained);
  return {StatusCode::kDrillFailed, explained.message()};
}

Status DrillRun::AwaitRollback() {
  clock_.BeginPhase("roll back");
  HBK_ASSIGN_OR_RETURN(report_.rolled_back_count, server_->AwaitRollback(stop_));
  HBK_ASSIGN_OR_RETURN(const auto session, server_->Connect(stop_));
  HBK_ASSIGN_OR_RETURN(const uint64_t prepared, session->CountPreparedTransactions());
  if (prepared != 0) {
    report_.AddRemark("roll back", "",
                      fmt::format("{} transactions are prepared (XA): their locks stay until "
                                  "somebody commits them or rolls them back",
                                  prepared));
  }
  return OkStatus();
}

// Those of the sample, and of engines that can be asked without harm.
Result<std::vector<TableJob>> DrillRun::MakeJobs(const std::vector<server::ListedTable>& tables) {
  std::vector<TableJob> jobs;
  for (const server::ListedTable& table : tables) {
    if (!HasTurn(table)) continue;
    if (!table.engine.empty() && !IsRestoredEngine(table.engine)) {
      report_.AddRemark("check tables", table.ToString(),
                        fmt::format("not checked: the rows of {} are in no backup", table.engine));
      continue;
    }
    jobs.push_back({.table = table, .expected = std::nullopt});
  }
  if (jobs.empty() && !tables.empty()) {
    report_.AddRemark("check tables", "", "no table of the backup has its turn in this sample");
  }
  return jobs;
}

bool DrillRun::IsSameSeriesAsBackup() const {
  const auto backup = server::ParseServerVersion(backup_.server_version);
  return backup && IsSameSeries(*backup, program_.version);
}

void DrillRun::CompareWithBackup(std::vector<TableJob>& jobs) {
  if (backup_.table_checksums.empty()) return;
  report_.compared_with = "what hbk backup --record-checksums took";
  const bool is_comparable = IsSameSeriesAsBackup();
  if (!is_comparable) {
    report_.AddRemark("check tables", "",
                      "checksums of servers of different series may differ: rows are counted only");
  }
  for (TableJob& job : jobs) {
    const auto of_table =
        std::find_if(backup_.table_checksums.begin(), backup_.table_checksums.end(),
                     [&job](const manifest::TableChecksum& one) {
                       return one.database == job.table.database && one.table == job.table.table;
                     });
    if (of_table == backup_.table_checksums.end()) continue;
    job.expected = server::TableSum{of_table->row_count, of_table->checksum};
    job.is_checksum_comparable = is_comparable;
  }
}

void DrillRun::NoteMissingTables(const std::vector<server::ListedTable>& tables) {
  for (const manifest::TableChecksum& one : backup_.table_checksums) {
    const bool is_there =
        std::any_of(tables.begin(), tables.end(), [&one](const server::ListedTable& table) {
          return one.database == table.database && one.table == table.table;
        });
    const server::ListedTable table{one.database, one.table, "", false};
    if (!is_there) {
      report_.AddProblem(
          "check tables", table.ToString(),
          fmt::format("it is missing; the backup recorded its {} rows", one.row_count));
    }
  }
}

// The other server is asked first, one table after another: it has work of its own.
Status DrillRun::CompareWithServer(std::vector<TableJob>& jobs) {
  const auto failed = [](const Status& status) {
    // Not a fact about the backup, whatever it is.
    return Status(StatusCode::kFailed, "--compare-with: " + status.message());
  };
  auto other = server::TableSession::Connect(*options_.compare_with);
  if (!other.ok()) return failed(other.status());
  (*other)->SetWait({.stop = stop_, .bound = std::chrono::seconds(options_.answer_timeout_s)});
  const auto version = server::ParseServerVersion((*other)->server_version());
  const bool is_comparable = version && IsSameSeries(*version, program_.version);
  report_.compared_with = "a live server, " + (*other)->server_version();
  for (TableJob& job : jobs) {
    // The server's own tables differ in any case.
    if (job.table.database == "mysql" || job.table.database == "sys" || job.table.is_sequence)
      continue;
    std::string why;
    const auto sum = (*other)->Sum(job.table, why);
    if (sum.status().code() == StatusCode::kInterrupted) return sum.status();
    if (!sum.ok()) return failed(sum.status());
    if (!*sum) {
      report_.AddRemark("check tables", job.table.ToString(), "not compared: " + why);
      continue;
    }
    job.expected = **sum;
    job.is_checksum_comparable = is_comparable;
  }
  return OkStatus();
}

Status DrillRun::Inspect(const std::vector<TableJob>& jobs) {
  Status lost;
  const InspectionPlan plan{
      .check = options_.check, .session_count = options_.parallel, .connect = [this] {
        return server_->Connect(stop_);
      }};
  const auto outcomes = InspectTables(jobs, plan, clock_, stop_, lost);
  for (size_t i = 0; i < jobs.size(); ++i) {
    const TableOutcome& outcome = outcomes[i];
    report_.checked_count += outcome.is_checked ? 1 : 0;
    report_.compared_count += outcome.is_compared ? 1 : 0;
    report_.findings.insert(report_.findings.end(), outcome.findings.begin(),
                            outcome.findings.end());
    if (outcome.seconds > 0)
      report_.slowest_tables.push_back({jobs[i].table.ToString(), outcome.seconds});
  }
  std::stable_sort(report_.slowest_tables.begin(), report_.slowest_tables.end(),
                   [](const SlowTable& a, const SlowTable& b) { return a.seconds > b.seconds; });
  if (report_.slowest_tables.size() > kSlowTablesShown)
    report_.slowest_tables.resize(kSlowTablesShown);
  return lost;
}

Status DrillRun::RunSql() {
  if (sql_file_.empty()) return OkStatus();
  clock_.BeginPhase("run sql");
  HBK_ASSIGN_OR_RETURN(UserSqlOutcome outcome,
                       RunUserSql(fs_,
                                  {.client = client_,
                                   .socket = place_->socket_path(),
                                   .sql_file = sql_file_,
                                   .output_path = io::JoinPath(place_->dir(), "sql.out"),
                                   .timeout_s = options_.answer_timeout_s},
                                  stop_));
  report_.sql_output = std::move(outcome.output);
  for (std::string& error : outcome.errors)
    report_.AddProblem("run sql", "", std::move(error));
  return OkStatus();
}

Status DrillRun::StopServer() {
  clock_.BeginPhase("stop server");
  const Status stopped = server_->Stop();
  if (!stopped.ok()) NoteServerProblem(stopped);
  return stopped;
}

// A newer server may complain of system tables that it would upgrade.
void DrillRun::NoteErrorLog() {
  if (!server_) return;
  const std::string log = WithoutPageDumps(TailOf(fs_, place_->error_log(), kErrorLogBytesRead));
  report_.error_log = log;
  if (log.size() > kErrorLogBytesShown) {
    const size_t begin = log.find('\n', log.size() - kErrorLogBytesShown);
    report_.error_log = log.substr(begin == std::string::npos ? 0 : begin + 1);
  }
  for (std::string& line : ErrorLines(log, kErrorLinesMax)) {
    std::string text = "the server's error log: " + std::move(line);
    if (IsSameSeriesAsBackup()) {
      report_.AddProblem("error log", "", std::move(text));
    } else {
      report_.AddRemark("error log", "", std::move(text));
    }
  }
}

void DrillRun::FillReport() {
  for (std::string& warning : clock_.warnings())
    report_.AddRemark("warnings", "", std::move(warning));
  report_.phases = clock_.times();
  report_.total_seconds = clock_.seconds();
}

Status DrillRun::WriteReports() {
  if (!options_.report_json.empty()) {
    HBK_RETURN_IF_ERROR(
        io::WriteFileAtomically(fs_, options_.report_json, RenderJson(report_), kReportMode));
  }
  if (!options_.report_html.empty()) {
    HBK_RETURN_IF_ERROR(
        io::WriteFileAtomically(fs_, options_.report_html, RenderHtml(report_), kReportMode));
  }
  return OkStatus();
}

// A backup that may not be written to is as good as any.
void DrillRun::WriteRecord() {
  const Status stored = manifest::StoreDrilledRecord(fs_, last_backup(),
                                                     {.drilled_at = report_.drilled_at,
                                                      .ok = report_.is_ok(),
                                                      .restore_seconds = report_.restore_seconds,
                                                      .server_version = report_.server_version,
                                                      .manifest_digest = report_.manifest_digest,
                                                      .sample_turn = report_.sample_turn});
  if (!stored.ok()) clock_.Info("the drill is not recorded in the backup: " + stored.message());
}

Status DrillRun::Verdict() const {
  const uint64_t count = report_.problem_count();
  if (count == 0) return OkStatus();
  std::string text = fmt::format("the drill found {} problem{}", count, count == 1 ? "" : "s");
  uint32_t shown = 0;
  for (const Finding& finding : report_.findings) {
    if (finding.severity != Severity::kProblem) continue;
    if (++shown > kFoundShownMax) {
      text += "; ...";
      break;
    }
    text += fmt::format("{} {}{}{}", shown == 1 ? ":" : ";", finding.table,
                        finding.table.empty() ? "" : ": ", finding.text);
  }
  return Status(StatusCode::kDrillFailed, text)
      .WithHint("--report-json and --report-html tell all, with the end of the server's error log");
}

}  // namespace

Result<DrillSummary> RunDrill(const DrillOptions& options, io::FileSystem& fs,
                              report::Reporter& reporter, std::stop_token stop) {
  return DrillRun(options, fs, reporter, std::move(stop)).Run();
}

}  // namespace hbk::drill
