#include "run_outlets.h"

#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "hbk/base/version.h"
#include "hbk/io/file_system.h"

#include "exit_code.h"
#include "failure_command.h"

namespace hbk::cli {

RunOutlets::RunOutlets(OutletOptions options)
    : options_(std::move(options)), main_(report::MakeReporter(options_.reporter)) {
  if (!options_.metrics_file.empty()) {
    recorder_ = std::make_unique<report::RunRecorder>(
        [this](const report::RunRecord& record) { WriteMetrics(record); });
  }
  Gather();
}

// The main one last: what the others cannot do when they finish, it says.
void RunOutlets::Gather() {
  std::vector<report::Reporter*> reporters;
  if (log_) reporters.push_back(log_.get());
  if (recorder_) reporters.push_back(recorder_.get());
  reporters.push_back(main_.get());
  all_ = std::make_unique<report::FanOutReporter>(std::move(reporters));
}

Status RunOutlets::Open() {
  if (!options_.metrics_file.empty()) {
    HBK_RETURN_IF_ERROR(CheckMetricsFile(io::PosixFileSystem(), options_.metrics_file));
    has_metrics_file_ = true;
  }
  return options_.log_file.empty() ? OkStatus() : OpenLog();
}

Status RunOutlets::OpenLog() {
  auto file = io::OpenLogAppender(options_.log_file);
  HBK_RETURN_IF_ERROR(file.status().WithContext("--log-file"));
  log_file_ = std::move(*file);
  log_ =
      report::MakeLogReporter({.format = options_.log_format, .verbose = options_.reporter.verbose},
                              [this](std::string_view lines) { WriteLog(lines); });
  Gather();
  log_->Info(fmt::format("hbk {} {} {}", kVersion, options_.command, options_.recorded_options),
             {{"pid", std::to_string(getpid())}});
  return OkStatus();
}

// Said once; a backup does not fail for its log.
void RunOutlets::WriteLog(std::string_view lines) {
  const Status written = log_file_->Append(lines);
  if (written.ok() || is_log_broken_) return;
  is_log_broken_ = true;
  main_->Warning(fmt::format("--log-file lacks lines: {}", written.message()));
}

void RunOutlets::WriteMetrics(const report::RunRecord& record) {
  if (!has_metrics_file_) return;
  const int exit_code = ExitCodeFor(record.status.code(), main_->warning_count(), signal_number_);
  const Status stored =
      StoreMetrics(io::PosixFileSystem(), options_.metrics_file,
                   MakeMetrics(options_.command, MetricsLabel(options_.metrics_file), exit_code,
                               record, figures_));
  if (!stored.ok()) main_->Warning(fmt::format("--metrics-file: {}", stored.message()));
}

int RunOutlets::Finish(const Status& status, const report::Facts& facts, int signal_number) {
  signal_number_ = signal_number;
  if (!status.ok() && !options_.on_failure.empty()) {
    const Status told = RunFailureCommand(
        options_.on_failure, {.command = options_.command,
                              .exit_code = ExitCodeFor(status.code(), 0, signal_number),
                              .message = status.message(),
                              .target_dir = options_.target_dir});
    if (!told.ok()) reporter().Warning(told.message());
  }
  reporter().Finish(status, facts);
  return ExitCodeFor(status.code(), main_->warning_count(), signal_number);
}

}  // namespace hbk::cli
