// WholeSync by syncfs().
#pragma once

#include <memory>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "write_behind.h"

namespace hbk::io {

// Null on kernels whose syncfs() does not tell of what could not be written. The queue, borrowed,
// is empty after Sync: what was written behind has left the page cache.
Result<std::unique_ptr<WholeSync>> BeginPosixWholeSync(const std::string& directory,
                                                       WriteBehindQueue& queue);

}  // namespace hbk::io
