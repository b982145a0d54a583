// Which option files are read, in which order, and which of their settings count for hbk.
//
// Order    /etc/my.cnf, /etc/mysql/my.cnf, my.cnf in $MARIADB_HOME (else $MYSQL_HOME), the extra
//          file, ~/.my.cnf: the client's order, so that hbk and mariadb agree on a machine.
// Errors   kUsage: a named file that is not there, bad grammar, an unknown option in a group made
//          for a backup tool, a bad value. World-writable files are skipped with a warning.
// Threads  One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "command_line.h"
#include "option_file.h"
#include "option_table.h"
#include "option_values.h"

namespace hbk::cli {

// What a group is for; nullopt: a group hbk does not read.
struct GroupRole {
  enum class Kind { kServer, kClient, kServerAndClient, kBackupTool, kHbk };
  Kind kind = Kind::kServer;
  std::string series;  // "10.11" of [mariadb-10.11]; else empty
};
std::optional<GroupRole> RoleOfGroup(std::string_view group, std::string_view suffix,
                                     Command command);

struct FileSetting {
  std::string file;
  OptionFileLine line;
};

struct OptionFileSet {
  std::vector<FileSetting> settings;  // in the order in which they count
  std::vector<std::string> read_files;
  std::vector<std::string> warnings;  // a file that was left out although it says something
  std::vector<std::string> remarks;   // harmless: an unreadable or missing included file
};

// Reads the files that `defaults` asks for, with their includes.
Result<OptionFileSet> LoadOptionFiles(io::FileSystem& fs, const DefaultsOptions& defaults,
                                      const EnvironmentLookup& lookup);

// Puts what counts for `command` into `values`. Keys that only the server or other programs know
// are left out; `lookup` gives the group suffix if `defaults` does not.
Status ApplyOptionFiles(const OptionFileSet& files, std::string_view group_suffix, Command command,
                        OptionValues& values);

// --defaults-group-suffix, else $MARIADB_GROUP_SUFFIX, else $MYSQL_GROUP_SUFFIX.
std::string GroupSuffix(const DefaultsOptions& defaults, const EnvironmentLookup& lookup);

// Overwrites the values of all passwords that the files held.
void WipePasswords(OptionFileSet& files);

}  // namespace hbk::cli
