// What of the files of a backup lies in the target, under which names; and how copies follow the
// renames and drops of the server.
//
// Of an increment a file may be there whole, as a delta, or not at all.
//
// Errors   Those of the file system.
// Threads  One at a time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/base/check.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"

namespace hbk::backup {

struct BackupRecord;
class IncrementBase;

// The name in the target of what there is of the file; empty: nothing.
std::string StoredName(const manifest::ManifestFile& file);

// The copy of that name, which must be in the record, leaves both.
Status RemoveCopy(io::FileSystem& fs, const std::string& target_dir, const std::string& name,
                  BackupRecord& record);

// What is in the target as a whole file, and turns out to be what the base of an increment has, is
// left to that. `base` may be null.
Status LeaveToBase(io::FileSystem& fs, const std::string& target_dir, const IncrementBase* base,
                   const std::string& name, BackupRecord& record);

// In target and record, all as one step: names may be swapped or go around. No name that is not
// itself renamed may be in the way. Missing directories are made.
Status RenameCopies(io::FileSystem& fs, const std::string& target_dir,
                    const std::vector<std::pair<std::string, std::string>>& renames,
                    BackupRecord& record);

// Moves the entries of a map by name, or set of names, in the same way.
template <typename Map>
void RenameKeys(const std::vector<std::pair<std::string, std::string>>& renames, Map& map) {
  std::vector<typename Map::node_type> nodes;
  for (const auto& [from, to] : renames) {
    auto node = map.extract(from);
    if (node.empty()) continue;
    if constexpr (requires { node.key(); }) {
      node.key() = to;
    } else {
      node.value() = to;
    }
    nodes.push_back(std::move(node));
  }
  for (auto& node : nodes)
    HBK_CHECK(map.insert(std::move(node)).inserted);
}

}  // namespace hbk::backup
