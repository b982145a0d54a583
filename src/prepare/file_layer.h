// Gives a base the files, names and directories that the last increment lists.
//
// Two steps with a mark between them: names of tablespaces, which are known by the ids in their
// first pages, before any page is written; then all other files. Each can be repeated after a kill.
//
// Threads  One; it starts workers.
#pragma once

#include "delta_layer.h"

namespace hbk::prepare {

// The files of a base directory, with the ids of the tablespaces.
Result<std::vector<BaseFile>> ListBaseFiles(io::FileSystem& fs, const BackupSet& set);

// Removes the tablespaces of the base that do not count any more, and renames the others.
Status LayNames(const LayInput& input);

// Removes, replaces and makes all other files and directories. Adds what is not synced to
// `changed_files`. Returns directories that should be gone and hold something unknown.
Result<std::vector<std::string>> LayFiles(const LayInput& input,
                                          std::set<std::string>& changed_files);

}  // namespace hbk::prepare
