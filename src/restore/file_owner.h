// Who is to own the restored files.
//
// Errors   kUsage: no such user or group, or text that is neither a name nor a number.
#pragma once

#include <cstdint>
#include <string_view>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::restore {

struct FileOwner {
  uint32_t uid = 0;
  uint32_t gid = 0;
  bool operator==(const FileOwner&) const = default;
};

// "user", "user:group" or numbers. A user alone brings the group of the login; a number alone that
// is no known user keeps `fallback`'s group.
Result<FileOwner> ParseOwner(std::string_view text, FileOwner fallback);

// Gives `path` to the owner unless it is theirs. kMissingPrivilege with a hint if we may not.
Status GiveTo(io::FileSystem& fs, const std::string& path, FileOwner owner);
Status GiveTo(io::File& file, FileOwner owner);

}  // namespace hbk::restore
