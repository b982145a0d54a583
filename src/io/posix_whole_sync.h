// WholeSync by syncfs().
#pragma once

#include <memory>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::io {

// Null on kernels whose syncfs() does not tell of what could not be written.
Result<std::unique_ptr<WholeSync>> BeginPosixWholeSync(const std::string& directory);

}  // namespace hbk::io
