// Names in the target change: copies follow the renames of the server.
//
// Errors   Those of the file system.
// Threads  One at a time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

// All as one step: names may be swapped or go around. No name that is not itself renamed may be in
// the way. Missing directories are made.
Status RenameInTarget(io::FileSystem& fs, const std::string& target_dir,
                      const std::vector<std::pair<std::string, std::string>>& renames);

// Moves the entries of a map by name in the same way.
template <typename Map>
void RenameKeys(const std::vector<std::pair<std::string, std::string>>& renames, Map& map) {
  std::vector<typename Map::node_type> nodes;
  for (const auto& [from, to] : renames) {
    auto node = map.extract(from);
    if (node.empty()) continue;
    node.key() = to;
    nodes.push_back(std::move(node));
  }
  for (auto& node : nodes)
    HBK_CHECK(map.insert(std::move(node)).inserted);
}

}  // namespace hbk::backup
