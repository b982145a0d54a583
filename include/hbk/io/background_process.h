// A program that runs beside hbk, and never longer than it.
//
// It is the first of a process group of its own, which ends with it, with /dev/null as its input,
// no open files of hbk, no blocked signals, and its output in a file. The kernel kills it when the
// thread that started it ends, however that ends. Variables by which a service manager talks to hbk
// are not handed on.
//
// Where the kernel can (Landlock), it is kept from changing files elsewhere than in `writable`.
//
// Units    Milliseconds.
// Errors   kFailed: it cannot be started; the message names the program.
// Threads  One at a time; start it from the main thread. HasEnded may be called from any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"

namespace hbk::io {

struct BackgroundPlan {
  std::vector<std::string> words;  // [0] is the path of the program
  std::string output_path;         // gets what it prints; made, or gone on with
  // Directories in which it may make, write and remove files; empty: everywhere.
  std::vector<std::string> writable{};
};

// How it ended.
struct ProcessEnd {
  int exit_code = 0;
  int signal_number = 0;  // not 0: that signal ended it

  // "ended with exit code 1", "was ended by signal 11 (Segmentation fault)".
  [[nodiscard]] std::string ToString() const;
};

class BackgroundProcess {
 public:
  static Result<std::unique_ptr<BackgroundProcess>> Start(const BackgroundPlan& plan);
  // Kills it, with all of its group.
  ~BackgroundProcess();
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // False: this kernel cannot, or everything was allowed.
  [[nodiscard]] bool is_confined() const { return is_confined_; }
  // Nothing while it runs.
  std::optional<ProcessEnd> HasEnded();
  // Asks it to end, and waits; nothing if it runs on after that time.
  std::optional<ProcessEnd> Stop(uint64_t wait_ms);
  // SIGKILL to all of the group. How it ended, which may have been before.
  ProcessEnd Kill();

 private:
  BackgroundProcess(pid_t pid, bool is_confined) : pid_(pid), is_confined_(is_confined) {}

  const pid_t pid_;
  const bool is_confined_;
  // Of a process that has ended the pid may be somebody else's: it is not used any more.
  std::optional<ProcessEnd> Reap(bool waits) HBK_REQUIRES(mutex_);

  Mutex mutex_;
  std::optional<ProcessEnd> end_ HBK_GUARDED_BY(mutex_);
};

// How many levels of Landlock this kernel has; 0: none.
int LandlockLevel();

}  // namespace hbk::io
