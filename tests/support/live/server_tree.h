// Which MariaDB a test runs: the installed one, or one of the series that lie side by side.
//
// Trees are directories <root>/10.5, <root>/10.11, <root>/11.8 with bin/mariadbd,
// bin/mariadb-install-db and bin/mariadb-backup and all plugins; the root is HBK_MARIADB_TREES.
// tests/run.sh fills it. A test that needs a tree which is not there skips itself.
#pragma once

#include <string>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::testing {

struct ServerTree {
  std::string series = {};  // "10.11"; empty: the installed server
  std::string dir = {};     // empty: programs are looked up in PATH

  // What to run for "mariadbd", "mariadb-install-db" or "mariadb-backup".
  [[nodiscard]] std::string Program(const std::string& name) const;
  // Plugins that this server has as files of their own: 10.5 has its page codecs inside, or not at
  // all.
  [[nodiscard]] bool HasPlugin(const std::string& name) const;
  // Series before 10.8 know neither the redo format nor some options of the later ones.
  [[nodiscard]] bool is_10_5() const { return series == "10.5"; }
};

// Empty series: the installed server. kNotFound says what to do about it.
Result<ServerTree> FindServerTree(const std::string& series);

// Options that make this server load them, those that it has.
std::vector<std::string> PluginOptions(const ServerTree& tree,
                                       const std::vector<std::string>& plugins);

}  // namespace hbk::testing

// In a test: `tree` or a skip that says why.
#define HBK_TREE_OR_SKIP(tree, series)                                     \
  const auto tree##_found = ::hbk::testing::FindServerTree(series);        \
  if (!tree##_found.ok()) GTEST_SKIP() << tree##_found.status().message(); \
  const ::hbk::testing::ServerTree& tree = tree##_found.value()
