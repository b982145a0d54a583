// What a replica says of its connections to its sources.
//
// Format   One row of SHOW ALL SLAVES STATUS for each connection; columns are found by name, since
//          every series has added some.
// Errors   kUnsupported: a column is missing, or is not what it should be.
// Threads  Pure functions and values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/server/sql_client.h"

namespace hbk::server {

struct ReplicaConnection {
  std::string name;  // "" is the default one
  std::string source_host;
  uint64_t source_port = 0;
  bool has_sql_thread = false;  // it runs
  bool uses_gtid = false;       // MASTER_USE_GTID is slave_pos or current_pos
  // The next event to execute, in the source's binlog.
  std::string file;
  uint64_t position = 0;
  bool operator==(const ReplicaConnection&) const = default;
};

// Nothing: the server is no replica.
Result<std::vector<ReplicaConnection>> ParseReplicaStatus(const SqlAnswer& answer);

// "the default connection", "connection 'east'": for messages.
std::string DescribeConnection(std::string_view name);

}  // namespace hbk::server
