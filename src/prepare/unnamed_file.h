// A temporary file without a name: it is gone when it is closed, or when the process dies.
#pragma once

#include <memory>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

// Where prepare keeps redo and first pages that do not fit into memory.
constexpr std::string_view kSpillFileName = "hbk_prepare.spill";

// `path` is its name for a moment; what is there from a killed run is replaced.
Result<std::unique_ptr<io::File>> OpenUnnamedFile(io::FileSystem& fs, const std::string& path);

}  // namespace hbk::prepare
