// The server of a drill: from its start until it is known to be dead.
//
// Units    Seconds.
// Errors   kDrillFailed: it ended, or did not answer in time; the message says how. kInterrupted.
// Threads  Start and Stop on the main thread; Connect and HowItEnded on any.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/io/background_process.h"
#include "hbk/io/file_system.h"
#include "hbk/server/table_session.h"

namespace hbk::drill {

struct PrivateServerPlan {
  std::string program;
  std::string config_path;
  Secret config;  // written there
  std::string socket;
  std::string error_log;
  std::vector<std::string> writable;
  uint32_t start_timeout_s = 0;
  uint32_t answer_timeout_s = 0;
};

class PrivateServer {
 public:
  static Result<std::unique_ptr<PrivateServer>> Start(io::FileSystem& fs, PrivateServerPlan plan);

  // Until it answers.
  Status AwaitAnswer(const std::stop_token& stop);
  // Until what was open when the backup was taken is rolled back. How many transactions that were
  // at least; those that are gone by the first look are not counted.
  Result<uint64_t> AwaitRollback(const std::stop_token& stop);
  Result<std::unique_ptr<server::TableSession>> Connect(const std::stop_token& stop) const;
  // Nothing while it runs.
  [[nodiscard]] std::optional<io::ProcessEnd> HowItEnded() const { return process_->HasEnded(); }
  [[nodiscard]] bool is_confined() const { return process_->is_confined(); }
  // As Status of what a lost connection means: that it crashed, or that it hangs.
  [[nodiscard]] Status Explain(const Status& lost) const;
  // A clean shutdown; kDrillFailed, and it is killed, if it does not come to that.
  Status Stop();
  // Without asking.
  void Kill() { (void)process_->Kill(); }

 private:
  PrivateServer(PrivateServerPlan plan, std::unique_ptr<io::BackgroundProcess> process)
      : plan_(std::move(plan)), process_(std::move(process)) {}
  Status CheckRuns(std::string_view when) const;

  const PrivateServerPlan plan_;
  std::unique_ptr<io::BackgroundProcess> process_;
};

// The end of a file, as text: as many of its last bytes as are allowed, from the begin of a line.
std::string TailOf(io::FileSystem& fs, const std::string& path, uint64_t bytes_max);
// Without the lines in hex that InnoDB prints of damaged pages: they say nothing to readers, fill
// the log, and hold rows.
std::string WithoutPageDumps(std::string_view log);
// Lines that the server marks as errors, each once and without its time.
std::vector<std::string> ErrorLines(std::string_view log, size_t count_max);

}  // namespace hbk::drill
