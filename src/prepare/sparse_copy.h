// Copies a file, holes as holes.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

// The first `bytes_max` bytes of `from` become `to`, whatever was there. Not synced. kInterrupted.
Status CopySparse(io::FileSystem& fs, const std::string& from, const std::string& to,
                  uint64_t bytes_max, const std::stop_token& stop);

}  // namespace hbk::prepare
