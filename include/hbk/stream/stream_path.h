// Names of files in an archive: what is allowed to become a file below some directory.
//
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hbk/base/status.h"

namespace hbk::stream {

// Of mbstream, which refuses longer ones.
constexpr size_t kMbstreamPathBytesMax = 511;
constexpr size_t kPathBytesMax = 4095;
// No file may be larger: what a tablespace of 2^32 pages of 64 KiB has, four times.
constexpr uint64_t kFileBytesMax = uint64_t{1} << 50;

// kCorruption unless it is relative, of at most `bytes_max` bytes, and made of names without "."
// and
// "..", each at most 255 bytes, none empty, without control characters.
Status CheckStreamPath(std::string_view path, size_t bytes_max);

// For a message: in quotes, control characters as \x01, cut if it is long.
std::string QuotedPath(std::string_view path);

}  // namespace hbk::stream
