// Whether the files of an archive that has no end mark are all of a backup: an mbstream that was
// cut off between two files looks like a shorter one.
//
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "hbk/base/status.h"

namespace hbk::extract {

// When a file gets its name: those that make a directory a backup come last.
enum class NameTurn { kContent, kMetadata, kManifest };
NameTurn TurnOf(std::string_view path);

// kCorruption: what is written last is not there. Names of a backup of mariadb-backup, or of hbk.
Status CheckComplete(const std::map<std::string, uint64_t>& files);

}  // namespace hbk::extract
