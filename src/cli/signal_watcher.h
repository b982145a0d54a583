// SIGINT, SIGTERM and SIGHUP: the first one asks the run to stop, the second ends the process.
//
// The signals are blocked in the thread that constructs the watcher, and so in all threads it
// starts later; one thread waits for them. What was ignored when hbk started (nohup, background
// jobs of a shell) stays ignored. SIGPIPE is ignored: a write then fails with EPIPE.
//
// Threads  Construct it in main before any other thread. signal_number: any.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

#include "hbk/base/status.h"

namespace hbk::cli {

class SignalWatcher {
 public:
  // Without the watching thread yet; `stop` must outlive the watcher.
  explicit SignalWatcher(std::stop_source& stop) : stop_(stop) {}
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  Status Start();

  // The first signal that came; 0: none yet.
  [[nodiscard]] int signal_number() const { return signal_number_.load(); }

 private:
  void Watch();

  std::stop_source& stop_;
  std::atomic<int> signal_number_ = 0;
  int signal_fd_ = -1;
  int wake_fd_ = -1;  // written to when the watcher goes
  std::thread thread_;
};

}  // namespace hbk::cli
