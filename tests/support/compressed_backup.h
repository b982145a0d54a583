// Makes a plain backup one that was made with --compress.
#pragma once

#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::testing {

// `dir` must have a manifest.
Status CompressBackup(io::FileSystem& fs, const std::string& dir);

}  // namespace hbk::testing
