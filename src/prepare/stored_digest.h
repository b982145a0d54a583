// Size and digest of a file as it is.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "chunk_reuse.h"

namespace hbk::prepare {

struct FileDigest {
  uint64_t size = 0;
  std::string digest;  // filter::TreeDigest
  std::vector<uint8_t> chunk_hashes;
};

// What lies in holes is not read, nor are chunks of which `known` has the hash. kInterrupted.
Result<FileDigest> DigestFile(io::FileSystem& fs, const std::string& path,
                              const std::stop_token& stop, const KnownChunks& known = {});

}  // namespace hbk::prepare
