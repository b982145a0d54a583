// MakeReporter, MakeLogReporter: which rendering, and the real world around it.
#include "hbk/report/reporter.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "renderings.h"

namespace hbk::report {
namespace {

// A log that cannot be written must not end a backup; nobody could be told anyway.
std::function<void(std::string_view)> WriterTo(std::FILE* stream) {
  return [stream](std::string_view text) {
    (void)std::fwrite(text.data(), 1, text.size(), stream);
    (void)std::fflush(stream);
  };
}

// A dumb terminal cannot erase a line.
bool HasTerminal(int fd) {
  if (isatty(fd) == 0) return false;
  const char* term = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
  return term != nullptr && std::string_view(term) != "dumb";
}

size_t TerminalColumns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

Surroundings WithClocks() {
  Surroundings around;
  around.now = [] {
    return std::chrono::steady_clock::now();
  };
  around.time = [] {
    return std::chrono::system_clock::now();
  };
  return around;
}

}  // namespace

std::unique_ptr<Reporter> MakeReporter(const ReporterOptions& options) {
  Surroundings around = WithClocks();
  if (options.format == OutputFormat::kJson) {
    around.write = WriterTo(options.stdout_is_data ? stderr : stdout);
    return MakeJsonReporter(options, around);
  }
  around.write = WriterTo(stderr);
  around.has_terminal = HasTerminal(STDERR_FILENO);
  around.terminal_columns = TerminalColumns;
  return MakeTextReporter(options, around);
}

std::unique_ptr<Reporter> MakeLogReporter(const ReporterOptions& options,
                                          std::function<void(std::string_view)> write) {
  Surroundings around = WithClocks();
  around.write = std::move(write);
  around.is_log = true;
  // A log is for whoever asks later what happened, also where nobody wanted to be told at once.
  const ReporterOptions all = {.format = options.format, .verbose = options.verbose};
  return options.format == OutputFormat::kJson ? MakeJsonReporter(all, around)
                                               : MakeTextReporter(all, around);
}

}  // namespace hbk::report
