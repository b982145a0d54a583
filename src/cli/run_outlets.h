// Where a run says what becomes of it: terminal, log file, metrics, and a command for failures.
//
// What they cannot do is a warning of the run, never its failure; but a log or metrics file that
// cannot be used is an error before anything is done.
//
// Threads  The reporter: any. Everything else from one thread.
#pragma once

#include <memory>
#include <string>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/io/log_appender.h"
#include "hbk/report/fan_out_reporter.h"
#include "hbk/report/reporter.h"
#include "hbk/report/run_recorder.h"

#include "metrics_file.h"

namespace hbk::cli {

struct OutletOptions {
  std::string command;  // "backup"
  report::ReporterOptions reporter;
  std::string log_file;  // empty: none, likewise
  report::OutputFormat log_format = report::OutputFormat::kText;
  std::string metrics_file;
  Secret on_failure;
  std::string target_dir;        // for the command
  std::string recorded_options;  // for the log; without secrets
};

class RunOutlets {
 public:
  explicit RunOutlets(OutletOptions options);

  // The log and the metrics file. After a failure Finish still uses what there is.
  Status Open();

  // All of them at once.
  [[nodiscard]] report::Reporter& reporter() { return *all_; }
  [[nodiscard]] RunFigures& figures() { return figures_; }
  // Whether anybody wants figures that are told in metrics only.
  [[nodiscard]] bool has_metrics() const { return has_metrics_file_; }

  // The last word, everywhere. Returns the exit code. Not to be called with secrets left in the
  // environment, which the command for failures inherits.
  int Finish(const Status& status, const report::Facts& facts, int signal_number);

 private:
  Status OpenLog();
  void Gather();
  void WriteLog(std::string_view lines);
  void WriteMetrics(const report::RunRecord& record);

  const OutletOptions options_;
  const std::unique_ptr<report::Reporter> main_;
  RunFigures figures_;
  int signal_number_ = 0;
  std::unique_ptr<io::LogAppender> log_file_;
  bool is_log_broken_ = false;
  bool has_metrics_file_ = false;  // that may be replaced
  std::unique_ptr<report::Reporter> log_;
  std::unique_ptr<report::RunRecorder> recorder_;
  std::unique_ptr<report::FanOutReporter> all_;
};

}  // namespace hbk::cli
