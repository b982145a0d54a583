// Keeps an eye on what can end a backup while its files are being copied.
//
// The work runs on a thread of its own; the calling thread, which owns the SQL connections, looks
// several times a second whether there is a reason to stop: a signal, an overrun of the redo log,
// a lost connection.
//
// Errors   The first error wins: a reason to stop found by the watch goes before what the work
//          answers to being stopped.
// Threads  Run from one thread at a time.
#pragma once

#include <functional>
#include <stop_token>
#include <utility>

#include "hbk/base/status.h"

namespace hbk::backup {

class RunWatch {
 public:
  // `check` says whether the run may go on. It is called on the thread that calls Run.
  RunWatch(std::stop_token stop, std::function<Status()> check)
      : stop_(std::move(stop)), check_(std::move(check)) {}

  // Returns when `work` has.
  Status Run(const std::function<Status(std::stop_token)>& work);

 private:
  Status Check();

  std::stop_token stop_;
  std::function<Status()> check_;
};

}  // namespace hbk::backup
