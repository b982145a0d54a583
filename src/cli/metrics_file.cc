#include "metrics_file.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

namespace hbk::cli {
namespace {

using report::Metric;
using report::MetricValue;

constexpr uint64_t kMetricsBytesMax = 1 << 20;
constexpr uint32_t kMetricsMode = 0644;
constexpr std::string_view kSuffix = ".prom";
constexpr std::string_view kLastSuccess = "hbk_last_success_timestamp_seconds";
constexpr double kMsPerSecond = 1000;

double UnixSeconds(std::chrono::system_clock::time_point time) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return static_cast<double>(ms) / kMsPerSecond;
}

// What is there; empty: nothing. Somebody else's file must not be lost for a mistyped path.
Result<std::string> ReadPrevious(io::FileSystem& fs, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs, path));
  if (!is_there) return std::string();
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, /*follow=*/false));
  const Status foreign = UsageError(path + " is no file of metrics that hbk has written")
                             .WithHint("--metrics-file names a file of its own, as hbk.prom");
  if (info.type != io::FileType::kRegular || info.size > kMetricsBytesMax) return foreign;
  HBK_ASSIGN_OR_RETURN(std::string text, io::ReadFile(fs, path, kMetricsBytesMax));
  if (!text.empty() && report::ParseMetrics(text).empty()) return foreign;
  return text;
}

Status WriteReadableFile(io::FileSystem& fs, const std::string& path, std::string_view text) {
  HBK_ASSIGN_OR_RETURN(const auto file,
                       fs.Open(path, {.write = true, .create = true, .mode = kMetricsMode}));
  HBK_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(text)));
  HBK_RETURN_IF_ERROR(file->SetMode(kMetricsMode));  // whatever the umask
  HBK_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

// The metrics of one run, all with the labels that tell it from others.
class MetricList {
 public:
  MetricList(std::string_view command, const std::string& label)
      : labels_({{"command", std::string(command)}, {"name", label}}) {}

  void Add(std::string_view name, double number) {
    metrics_.push_back({std::string(name), labels_, MetricValue(number)});
  }
  void AddText(std::string_view name, const std::string& number) {
    metrics_.push_back({std::string(name), labels_, number});
  }
  void Add(std::string_view name, std::string_view label, const std::string& value, double number) {
    Add(name, number);
    metrics_.back().labels.emplace_back(label, value);
  }
  std::vector<Metric> Take() { return std::move(metrics_); }

 private:
  const std::vector<std::pair<std::string, std::string>> labels_;
  std::vector<Metric> metrics_;
};

void AddBackup(const backup::BackupSummary& backup, MetricList& list) {
  for (const manifest::StageTime& stage : backup.stages) {
    list.Add("hbk_backup_stage_wait_seconds", "stage", stage.stage,
             static_cast<double>(stage.wait_ms) / kMsPerSecond);
    list.Add("hbk_backup_stage_held_seconds", "stage", stage.stage,
             static_cast<double>(stage.held_ms) / kMsPerSecond);
  }
  list.AddText("hbk_backup_last_lsn", std::to_string(backup.last_lsn));
  list.AddText("hbk_backup_redo_bytes", std::to_string(backup.redo_bytes));
  list.AddText("hbk_backup_redo_margin_bytes", std::to_string(backup.redo_margin_bytes));
  list.Add("hbk_backup_redo_margin_ratio", backup.redo_margin);
}

}  // namespace

std::vector<Metric> MakeMetrics(std::string_view command, const std::string& label, int exit_code,
                                const report::RunRecord& record, const RunFigures& figures) {
  MetricList list(command, label);
  if (record.status.ok()) list.Add(kLastSuccess, UnixSeconds(record.end));
  list.Add("hbk_last_run_timestamp_seconds", UnixSeconds(record.end));
  list.Add("hbk_last_run_exit_code", exit_code);
  list.Add("hbk_last_run_duration_seconds", record.seconds);
  list.AddText("hbk_last_run_warnings", std::to_string(record.warning_count));
  for (const report::Fact& fact : record.facts) {
    if (fact.name == "file_count") list.AddText("hbk_last_run_files", fact.value);
    if (fact.name == "bytes") list.AddText("hbk_last_run_bytes", fact.value);
  }
  for (const report::PhaseTime& phase : record.phases)
    list.Add("hbk_last_run_phase_seconds", "phase", phase.name, phase.seconds);
  if (figures.backup) AddBackup(*figures.backup, list);
  if (figures.stored_bytes)
    list.AddText("hbk_backup_stored_bytes", std::to_string(*figures.stored_bytes));
  return list.Take();
}

std::string MetricsLabel(std::string_view path) {
  std::string_view name = io::BaseName(path);
  if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
  return std::string(name);
}

Status CheckMetricsFile(io::FileSystem& fs, const std::string& path) {
  const std::string dir = io::DirName(path);
  const auto info = fs.Stat(dir, /*follow=*/true);
  if (!info.ok()) return info.status().WithContext("--metrics-file=" + path);
  if (info->type != io::FileType::kDirectory) {
    return UsageError(fmt::format("--metrics-file={}: {} is no directory", path, dir));
  }
  return ReadPrevious(fs, path).status();
}

Status StoreMetrics(io::FileSystem& fs, const std::string& path, std::vector<Metric> metrics) {
  HBK_ASSIGN_OR_RETURN(const std::string previous, ReadPrevious(fs, path));
  const std::string command = metrics.empty() ? "" : metrics.front().Label("command");
  const bool is_success = std::any_of(metrics.begin(), metrics.end(), [](const Metric& metric) {
    return metric.name == kLastSuccess;
  });
  for (Metric& metric : report::ParseMetrics(previous)) {
    const bool is_other = metric.Label("command") != command;
    if (is_other || (metric.name == kLastSuccess && !is_success))
      metrics.push_back(std::move(metric));
  }
  // Another run may write at the same time; and not the name that the exporter looks for.
  const std::string beside = fmt::format("{}.{}.tmp", path, getpid());
  (void)fs.Remove(beside).ok();
  Status written = WriteReadableFile(fs, beside, report::RenderMetrics(metrics));
  if (written.ok()) written = fs.Rename(beside, path);
  if (!written.ok()) (void)fs.Remove(beside).ok();
  return written;
}

}  // namespace hbk::cli
