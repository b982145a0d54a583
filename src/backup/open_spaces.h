// What the server says of its tablespaces: which are open, and which tables have none.
//
// Errors   Those of ServerSession.
// Threads  One at a time.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/scanner.h"
#include "hbk/innodb/types.h"
#include "hbk/server/server_session.h"

namespace hbk::backup {

// Tables that should have a tablespace of their own, and have none open.
struct ClosedTables {
  innodb::SpaceId max_id = 0;          // of them
  std::vector<std::string> discarded;  // names; there is nothing to copy of them, as intended
  std::vector<std::string> warnings;   // of the others
};

// `scan` tells of which of them there are files nevertheless. Looks at the tables, which opens
// those that were only not in use since the server's start.
Result<ClosedTables> FindClosedTables(server::ServerSession& session, const datadir::Scan& scan);

// The tablespaces that the server had open when the copying began: asked for before the data
// directory was listed, and again behind that.
struct OpenSpaces {
  std::set<innodb::SpaceId> ids;  // both times
  innodb::SpaceId max_id = 0;     // of all tables at that time
};

OpenSpaces CombineOpenSpaces(const std::vector<server::TablespaceRow>& before,
                             const std::vector<server::TablespaceRow>& after,
                             const ClosedTables& closed);

}  // namespace hbk::backup
