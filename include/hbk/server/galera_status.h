// What a node of a Galera cluster says of itself.
//
// Format   Rows of SHOW GLOBAL STATUS LIKE 'wsrep_%'.
// Errors   kUnsupported: a value is missing, or is not what it should be.
// Threads  Pure functions and values.
#pragma once

#include <cstdint>
#include <string>

#include "hbk/base/status.h"
#include "hbk/server/sql_client.h"

namespace hbk::server {

struct GaleraStatus {
  std::string cluster_uuid;    // wsrep_local_state_uuid
  int64_t last_committed = 0;  // wsrep_last_committed; -1: it has no position
  std::string state;           // wsrep_local_state_comment: "Synced", "Joining", ...

  // The node has the data of the cluster, up to that position. It may lag behind, or be a donor.
  [[nodiscard]] bool IsMember() const;
  bool operator==(const GaleraStatus&) const = default;
};

Result<GaleraStatus> ParseGaleraStatus(const SqlAnswer& answer);

}  // namespace hbk::server
