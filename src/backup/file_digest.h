// The digest of a file that lies in the backup already.
#pragma once

#include <cstdint>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

// Reads the file once, past the page cache. kFailed if it has not `size` bytes.
Result<std::string> DigestOfFile(io::FileSystem& fs, const std::string& path, uint64_t size);

}  // namespace hbk::backup
