// aria_log_control: where Aria's recovery starts, and which log file is the last.
//
// Format   docs/format/aria.md: 52 bytes, two CRC-32.
// Source   Files of MariaDB 10.11.19; both checksums computed again.
// Errors   kCorruption: not such a file, or a checksum that does not fit.
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hbk/base/status.h"

namespace hbk::aria {

constexpr std::string_view kControlFileName = "aria_log_control";
// More than any version has.
constexpr uint64_t kControlFileBytesMax = 512;

struct ControlFile {
  std::string bytes;
  uint32_t block_size = 0;
  uint32_t checkpoint_log = 0;  // recovery starts in this log file
  uint32_t last_log = 0;
};

Result<ControlFile> ParseControlFile(std::string_view bytes);
// The same with another last log number, and the checksum that belongs to it.
std::string RenderControlFile(const ControlFile& control, uint32_t last_log);

// "aria_log.00000001".
std::string LogFileName(uint32_t number);

}  // namespace hbk::aria
