// The names of tables with DATA DIRECTORY that were renamed to another database.
//
// RENAME TABLE a.t TO b.u leaves the file in the directory of `a`: the redo calls it
// /elsewhere/a/u.ibd, the server b/u, and so does the backup. The .isl file b/u.isl, which holds
// that path, tells.
//
// Format   docs/format/data-directory.md.
// Threads  One.
#pragma once

#include <map>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "backup_set.h"
#include "space_log.h"

namespace hbk::prepare {

using LinkNames = std::map<std::string, std::string>;  // path to name in the backup, "db/t.ibd"

// Of every .isl file. One that holds no path of a table is left out: copy-back refuses it.
Result<LinkNames> ReadLinkNames(io::FileSystem& fs, const BackupSet& set);

// Corrects the names of tablespaces that the redo has by such a path.
void UseLinkNames(const LinkNames& links, SpaceLogs& logs);

}  // namespace hbk::prepare
