// Child processes of tests: started, watched, killed at a chosen moment, and never left behind.
//
// A child gets SIGKILL when the thread that started it ends (PR_SET_PDEATHSIG), so that neither a
// crash nor Ctrl-C of a test leaves a server running: start long-lived children from the main
// thread.
//
// Threads  One Process belongs to one thread; Signal() may be called from any.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "hbk/base/status.h"

namespace hbk::testing {

using std::chrono::milliseconds;

struct ProcessOptions {
  std::string output_path;       // gets stdout and stderr; replaced if it exists
  std::string stdout_path = {};  // not empty: stdout goes there, and only stderr to output_path
  std::string working_dir = {};
  std::vector<std::string> environment = {};  // NAME=value, on top of the test's own
};

// How a process ended, and what it used.
struct ProcessEnd {
  int exit_code = -1;    // -1: it was killed by a signal
  int signal = 0;        // that signal
  bool is_late = false;  // it was still running at the time limit, and got SIGKILL
  double seconds = 0;
  double cpu_seconds = 0;
  uint64_t peak_memory_bytes = 0;
  std::string output;  // of output_path

  [[nodiscard]] bool succeeded() const { return exit_code == 0; }
  // "exit code 3" or "killed by signal 9", and the last lines of the output.
  [[nodiscard]] std::string Describe() const;
};

class Process {
 public:
  // argv[0] without a slash is looked up in PATH, then in the sbin directories.
  static Result<std::unique_ptr<Process>> Start(const std::vector<std::string>& argv,
                                                const ProcessOptions& options);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // SIGKILL, if it is still running

  [[nodiscard]] pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // True if it ended within `limit`; its end is then known to Wait().
  bool HasEndedWithin(milliseconds limit);
  // Waits for the end; at the time limit it is made to end.
  ProcessEnd Wait(milliseconds limit);

 private:
  Process(pid_t pid, int pid_fd, std::string output_path);

  void Reap(bool is_late);

  pid_t pid_;
  int pid_fd_;  // readable when the process has ended
  std::string output_path_;
  std::chrono::steady_clock::time_point start_;
  std::optional<ProcessEnd> end_;
};

constexpr milliseconds kUsualTimeLimit{180'000};

// Start and Wait in one.
Result<ProcessEnd> RunProcess(const std::vector<std::string>& argv, const ProcessOptions& options,
                              milliseconds limit = kUsualTimeLimit);

// Full path of a program; `name` itself if there is none.
std::string FindProgram(const std::string& name);

}  // namespace hbk::testing
