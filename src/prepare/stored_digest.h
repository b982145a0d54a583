// Size and digest of a file as it is.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

struct FileDigest {
  uint64_t size = 0;
  std::string digest;  // filter::TreeDigest
};

// What lies in holes is not read. kInterrupted.
Result<FileDigest> DigestFile(io::FileSystem& fs, const std::string& path,
                              const std::stop_token& stop);

}  // namespace hbk::prepare
