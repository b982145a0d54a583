// How a run speaks: phases, progress, messages. Operations tell a Reporter; renderings decide.
//
// Three renderings (MakeReporter): text on a terminal (one progress line with ETA, redrawn), text
// elsewhere (a line a phase, nothing in between), JSON lines. Text goes to stderr, JSON to stdout
// unless that is data. Two of them can go to a log as well (MakeLogReporter). Who wants several at
// once: fan_out_reporter.h.
// Layers below the operations do not report: they return.
//
// Threads  Every call from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::report {

enum class OutputFormat { kText, kJson };

// A named fact: a member of the JSON line, and what stands in brackets after the text. A name that
// ends in a unit (bytes, s, count, lsn: "copied_bytes", "flush_s") has a number as its value.
struct Fact {
  std::string name;
  std::string value;
};
using Facts = std::vector<Fact>;

class Reporter {
 public:
  Reporter() = default;
  virtual ~Reporter() = default;
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // A phase begins; the one before is over. `name` is stable, lower case: "copy innodb files".
  virtual void BeginPhase(std::string_view name, const Facts& facts) = 0;
  // How far the phase is. total 0: not known. Cheap enough to call for every buffer.
  virtual void Progress(uint64_t done_bytes, uint64_t total_bytes) = 0;
  virtual void Info(std::string_view message, const Facts& facts) = 0;
  virtual void Warning(std::string_view message, const Facts& facts) = 0;
  // For --verbose only: what a developer wants to know.
  virtual void Detail(std::string_view /*message*/, const Facts& /*facts*/) {}
  // The last word of a run, said once; what comes after it is not shown. Text then has
  // "completed OK!" only if status is ok; always, unless quiet.
  virtual void Finish(const Status& status, const Facts& facts) = 0;

  // How many warnings there were: they make exit code 3.
  [[nodiscard]] virtual uint64_t warning_count() const = 0;

  void Info(std::string_view message) { Info(message, {}); }
  void Warning(std::string_view message) { Warning(message, {}); }
  void BeginPhase(std::string_view name) { BeginPhase(name, {}); }
};

struct ReporterOptions {
  OutputFormat format = OutputFormat::kText;
  // Warnings, and of text the error in one line; nothing where all went well. JSON always has its
  // last line.
  bool quiet = false;
  bool verbose = false;         // also details
  bool stdout_is_data = false;  // JSON goes to stderr then
};

std::unique_ptr<Reporter> MakeReporter(const ReporterOptions& options);

// For a file that many runs append to: each line of text has its time, there are no progress lines.
// `write` takes whole lines, and is never called by two threads at once. Of `options` format and
// verbose count.
std::unique_ptr<Reporter> MakeLogReporter(const ReporterOptions& options,
                                          std::function<void(std::string_view)> write);

// "1.5 GiB", "12 MiB", "831 B"; "2 h 05 min", "3.2 s".
std::string HumanBytes(uint64_t bytes);
std::string HumanSeconds(double seconds);

}  // namespace hbk::report
