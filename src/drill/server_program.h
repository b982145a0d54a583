// Which mariadbd a drill starts: where it is, its version, where its plugins are.
//
// Errors   kNotFound: there is none; kUnsupported: it cannot be run, or says no version of MariaDB,
//          or is older than the server of the backup.
// Threads  One at a time.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/server/server_facts.h"

namespace hbk::drill {

struct ServerProgram {
  std::string path;
  std::string version_text;  // "10.11.19-MariaDB-0+deb12u1"
  server::ServerVersion version;
  std::string plugin_dir;  // empty: it does not say
};

// `said` is a path, a name, or empty; `search_path` is as PATH, and the usual places of servers
// come after it.
Result<std::string> FindProgram(io::FileSystem& fs, const std::string& said,
                                std::string_view search_path);
Result<ServerProgram> AskServerProgram(const std::string& path, const std::stop_token& stop);
// The client program mariadb: beside the server, where packages put it, or in PATH.
Result<std::string> FindClientProgram(io::FileSystem& fs, const std::string& server_path,
                                      std::string_view search_path);

// From "mariadbd  Ver 10.11.19-MariaDB for debian-linux-gnu on x86_64".
std::optional<std::string> ParseVersionLine(std::string_view text);
// From the list of variables of --help --verbose.
std::string ParsePluginDir(std::string_view text);
// Of the same series, or a newer one. `backup_version` that is unknown is not judged.
Status CheckFits(const ServerProgram& program, std::string_view backup_version);
bool IsSameSeries(const server::ServerVersion& a, const server::ServerVersion& b);

}  // namespace hbk::drill
