// Aria's log, and the control file that says where its recovery starts.
//
// The control file is read before any Aria table is touched, the logs are copied after the last
// one: replaying them from that checkpoint then repairs every table that was copied in between.
// A server ignores logs beyond the number in the control file, so the copy gets the highest one.
//
// Format   docs/format/aria.md: hbk/aria/control_file.h, log files of 8 KiB pages.
// Errors   kCorruption: a control file that stays wrong; a gap in the log files.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/aria/control_file.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

class AriaLogCopier {
 public:
  AriaLogCopier(io::FileSystem& fs, std::string log_dir, std::string target_dir);

  // Reads the control file and opens the logs: an open log stays readable if it is purged.
  Status Begin();
  // Copies what will not change any more, so that little is left for Finish.
  Status CopyAhead(std::stop_token stop);
  // Under BLOCK_COMMIT: copies the rest and writes the control file. Nothing is synced.
  Status Finish(std::stop_token stop);

  [[nodiscard]] const aria::ControlFile& control() const { return control_; }
  // Files written so far, by name.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Log {
    uint32_t number = 0;
    std::unique_ptr<io::File> source;
    std::unique_ptr<io::File> target;
    uint64_t copied = 0;  // all before this offset is final, page 0 excepted
  };

  Status OpenLogs(uint32_t first);
  Status CopyUpTo(Log& log, uint64_t end, const std::stop_token& stop);
  Status CopyRest(Log& log, const std::stop_token& stop);
  Status CopySettled(Log& log, uint64_t offset, uint64_t end);

  io::FileSystem& fs_;
  std::string log_dir_;
  std::string target_dir_;
  aria::ControlFile control_;
  std::vector<Log> logs_;
  bool has_control_copy_ = false;
};

}  // namespace hbk::backup
