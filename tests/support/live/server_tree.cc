#include "tests/support/live/server_tree.h"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

namespace hbk::testing {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace

std::string ServerTree::Program(const std::string& name) const {
  return dir.empty() ? name : dir + "/bin/" + name;
}

bool ServerTree::HasPlugin(const std::string& name) const {
  return Exists(fs::path(dir) / "root/usr/lib/mysql/plugin" / (name + ".so"));
}

Result<ServerTree> FindServerTree(const std::string& series) {
  if (series.empty()) return ServerTree();
  const char* root = std::getenv("HBK_MARIADB_TREES");  // NOLINT(concurrency-mt-unsafe)
  if (root == nullptr || *root == '\0') {
    return NotFoundError(
        fmt::format("no MariaDB {}: HBK_MARIADB_TREES names no directory of servers", series));
  }
  const fs::path dir = fs::path(root) / series;
  if (!Exists(dir / "bin/mariadbd")) {
    return NotFoundError(fmt::format("no MariaDB {} in HBK_MARIADB_TREES={}", series, root));
  }
  return ServerTree{.series = series, .dir = dir.string()};
}

std::vector<std::string> PluginOptions(const ServerTree& tree,
                                       const std::vector<std::string>& plugins) {
  std::vector<std::string> options;
  for (const std::string& plugin : plugins) {
    if (tree.HasPlugin(plugin)) options.push_back("--plugin-load-add=" + plugin + ".so");
  }
  return options;
}

}  // namespace hbk::testing
