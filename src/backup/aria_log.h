// Aria's log, and the control file that says where its recovery starts.
//
// The control file is read before any Aria table is touched, and the end of the logs after the last
// one: replaying them from that checkpoint then repairs every table that was copied in between.
// A log only grows, but for its first page and the end: these are read under the lock, all the rest
// when nobody waits.
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
  // A file in the target.
  struct Copy {
    std::string name;
    uint64_t size = 0;
    std::string digest;
  };

  AriaLogCopier(io::FileSystem& fs, std::string log_dir, std::string target_dir);

  // Reads the control file and opens the logs: an open log stays readable if it is purged.
  Status Begin();
  // Those that have come since. To be called now and then: a log may be purged before it is opened.
  Status OpenNewLogs();
  // Under BLOCK_COMMIT: remembers how far the logs go, and of each what may still change.
  Status Settle();
  // After that, in any stage or none: copies the logs as they were then, and writes the control
  // file. Nothing is synced.
  Result<std::vector<Copy>> CopyAll(std::stop_token stop);

  [[nodiscard]] const aria::ControlFile& control() const { return control_; }

 private:
  struct Log {
    uint32_t number = 0;
    std::unique_ptr<io::File> source;
    uint64_t size = 0;          // when it was settled
    uint64_t tail_offset = 0;   // what is before it does not change any more, page 0 excepted
    std::vector<uint8_t> head;  // page 0
    std::vector<uint8_t> tail;
  };

  Status OpenLogs(uint32_t first);
  [[nodiscard]] Status CheckNoGap() const;
  Result<Copy> CopyLog(const Log& log, const std::stop_token& stop) const;
  Result<Copy> WriteControlFile() const;

  io::FileSystem& fs_;
  std::string log_dir_;
  std::string target_dir_;
  aria::ControlFile control_;
  std::vector<Log> logs_;
};

}  // namespace hbk::backup
