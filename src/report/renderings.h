// The renderings of Reporter, with the world around them passed in: where text goes, the clocks,
// the width of the terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "hbk/report/reporter.h"

namespace hbk::report {

struct Surroundings {
  // Takes one or more whole lines, or what redraws the progress line. Never called by two threads
  // at once.
  std::function<void(std::string_view)> write;
  std::function<std::chrono::steady_clock::time_point()> now;   // for rates
  std::function<std::chrono::system_clock::time_point()> time;  // for time stamps
  std::function<size_t()> terminal_columns = [] {
    return 80;
  };  // asked at every redraw
  bool has_terminal = false;
  // A log: every line of text has its time, and JSON has no progress lines.
  bool is_log = false;
};

std::unique_ptr<Reporter> MakeTextReporter(const ReporterOptions& options,
                                           const Surroundings& surroundings);
std::unique_ptr<Reporter> MakeJsonReporter(const ReporterOptions& options,
                                           const Surroundings& surroundings);

// A fact whose name ends in a unit is a number: "bytes", "target_bytes", "copy_s", "file_count",
// "end_lsn". The rule is by name, so that a member of a JSON line never changes its type.
enum class FactUnit { kNone, kBytes, kSeconds, kNumber };
FactUnit UnitOf(std::string_view name);

}  // namespace hbk::report
