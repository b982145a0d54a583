// Whether a file is still the one that was copied, judged by what stat() says of it.
//
// A write changes a file's times; but times are coarse, so a write that follows another one at once
// may not show. A copy is therefore believed only if the file had been at rest for a while when its
// copying began. It does not hold for what is written through a memory map.
//
// Units    Nanoseconds of the system's clock, which is that of file times.
// Threads  Pure functions.
#pragma once

#include <cstdint>

#include "hbk/io/file_system.h"

namespace hbk::io {

struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_ns = 0;  // tells apart the owners of an inode number; 0: not known
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};

FileIdentity IdentityOf(const FileInfo& info);

// The same inode, whatever was written to it since. Where births are not known its number may have
// been used again.
bool IsSameInode(const FileIdentity& a, const FileIdentity& b);

// The same content under another name: renaming changes ctime, and nothing else. False where births
// are not known.
bool IsRenamed(const FileIdentity& a, const FileIdentity& b);

// How long ago a file must have been changed for its next change to show: clocks of the kernel
// tick 100 times a second or more, some file systems keep whole seconds only.
int64_t TimeGranularity(const FileIdentity& file);

// True if the file was at rest at `time_ns`: a change after that will show.
bool IsAtRest(const FileIdentity& file, int64_t time_ns);

// Now, in the clock of file times.
int64_t FileClockNow();

}  // namespace hbk::io
