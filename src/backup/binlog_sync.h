// Has the operating system write the server's binlog before commits wait for it.
//
// Under BLOCK_COMMIT the server syncs its binlog. With sync_binlog=0, its default, that can be all
// that was committed in the last half minute, and every commit waits until it is on disk. Whoever
// syncs the file before leaves it little to do.
//
// Errors   None: where it cannot be done, the server does it as ever.
// Threads  Any.
#pragma once

#include <string>
#include <string_view>

#include "hbk/io/file_system.h"

namespace hbk::backup {

// Of the binlog that the server calls `file`. `basename` is @@log_bin_basename; empty gives "".
std::string BinlogPath(std::string_view basename, std::string_view file);

// Returns when all that was written to the file so far is on disk. It is only read.
void SyncBinlog(io::FileSystem& fs, const std::string& path);

}  // namespace hbk::backup
