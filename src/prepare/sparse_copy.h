// Copies a file, holes as holes.
//
// An encoded file has none: there, stretches of zeros become holes.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

// Of a file that lives from its holes see HoleBytesOf().
constexpr size_t kUsualHoleBytes = 64 << 10;

// The first `bytes_max` bytes of `from` become `to`, whatever was there. Not synced. `hole_bytes`:
// from how many zeros on, at multiples of that, a hole is made of them. kInterrupted.
Status CopySparse(io::FileSystem& fs, const std::string& from, const std::string& to,
                  uint64_t bytes_max, const std::stop_token& stop,
                  size_t hole_bytes = kUsualHoleBytes);

}  // namespace hbk::prepare
