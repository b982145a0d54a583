// A log that other programs may append to, and may rename away, at any time.
//
// Each text is one write at the end of the file, so that lines of two processes do not mix. Before
// it, the name is looked up again: if somebody has renamed or removed the file (logrotate), a new
// one is made. What cannot be made anew goes on into the old one.
//
// Errors   As ErrnoStatus() maps them, with the path. kFailed: a symlink, or no regular file.
// Threads  One at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hbk/base/status.h"

namespace hbk::io {

class LogAppender {
 public:
  LogAppender() = default;
  virtual ~LogAppender() = default;
  LogAppender(const LogAppender&) = delete;
  LogAppender& operator=(const LogAppender&) = delete;

  virtual Status Append(std::string_view text) = 0;
};

// An existing file keeps what is in it, and its mode; a new one can be read by its owner only.
Result<std::unique_ptr<LogAppender>> OpenLogAppender(const std::string& path);

}  // namespace hbk::io
