// Whether a read that gave less than was asked for ended where the file does.
//
// A tablespace whose first page is not read is no tablespace to us, and a page that is not read is
// zeros: a read that ends early must not be taken for a file that does.
//
// Errors   kFailed: the file is longer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

// `size` bytes of `wanted` were read at `offset`.
Status CheckReadToEnd(io::File& file, uint64_t offset, size_t size, size_t wanted);

}  // namespace hbk::prepare
