// The SQL threads of a replica, stopped while a backup runs (--safe-slave-backup).
//
// Statements of a source may use temporary tables that earlier ones have made, and temporary tables
// are in no backup: a copy that was taken between the two could not go on. So the threads are
// stopped at a moment at which there are none. Of every connection, those threads are stopped that
// run, and those are started again, whatever way the backup ends.
//
// Errors   kLockWaitTimeout: there was no such moment in time, or a thread did not stop; the
//          threads run again. kInterrupted: stop was requested.
// Threads  One at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/report/reporter.h"
#include "hbk/server/server_session.h"

namespace hbk::backup {

struct ReplicaPauseOptions {
  // Called for the first session, and for another if that one is lost.
  std::function<Result<std::unique_ptr<server::ServerSession>>()> connect;
  std::chrono::seconds timeout{300};
  // How long the threads run until they are stopped again, if temporary tables do not go before.
  std::chrono::milliseconds run_time{3'000};
  std::chrono::milliseconds poll_interval{100};
  std::chrono::milliseconds start_pause{500};  // before a start that failed is tried again
};

class ReplicaPause {
 public:
  // `reporter` outlives the pause.
  ReplicaPause(ReplicaPauseOptions options, report::Reporter& reporter);
  ~ReplicaPause();  // as Resume()
  ReplicaPause(const ReplicaPause&) = delete;
  ReplicaPause& operator=(const ReplicaPause&) = delete;

  Status Begin(const std::stop_token& stop);
  // Starts again what was stopped, on a new session if need be. What cannot be started is a
  // warning: the backup is none the worse for it. Once; has no effect later.
  void Resume();

 private:
  using Clock = std::chrono::steady_clock;

  Status StopAll(const std::vector<std::string>& names, Clock::time_point deadline);
  // Nothing is left in `stopped_` if that went well.
  Status StartAll();
  Status StartStopped();
  Status Reconnect();
  Status AwaitNoTables(Clock::time_point until, const std::stop_token& stop);

  ReplicaPauseOptions options_;
  report::Reporter& reporter_;
  std::unique_ptr<server::ServerSession> session_;
  uint64_t session_id_ = 0;
  // Of these the thread ran, and was stopped, or may be stopped any moment.
  std::vector<std::string> stopped_;
};

}  // namespace hbk::backup
