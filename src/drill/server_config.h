// The option file of a drill's server: the only one that it reads.
//
// Secrets stand there (mode 0600), not on the command line, which everybody can read.
//
// Errors   kUnsupported: keys come from a command, which no plugin of the server can ask; a text
//          with a line break.
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/keys/key_options.h"

#include "drill_subject.h"

namespace hbk::drill {

struct ServerPaths {
  std::string data_dir, tmp_dir, socket, pid, error_log;
};

struct ServerConfig {
  ServerPaths paths;
  bool is_root = false;  // hbk runs as root, and so will the server
  uint64_t buffer_pool_bytes = 0;
  std::vector<std::string> plugin_files{};  // "ha_rocksdb", without ".so"
};

// The text may hold a secret.
Result<Secret> RenderServerConfig(const ServerConfig& config, const DrillSubject& facts,
                                  const keys::KeyOptions& keys);

// Of plugin_load in backup-my.cnf, "name=library;name=library": the libraries that manage keys and
// undo compression. Others are not loaded, whatever a backup says.
std::vector<std::string> LibrariesToLoad(std::string_view plugin_load);
// Of engines whose rows are in the backup and that are no part of the server. Engines that would
// reach for other machines are never loaded.
std::vector<std::string> LibrariesOfEngines(const std::set<std::string>& engines,
                                            bool has_rocksdb_files);
// Tables of these are checked.
bool IsRestoredEngine(std::string_view engine);

// As a value in an option file.
Result<std::string> QuoteOption(std::string_view name, std::string_view value);

}  // namespace hbk::drill
