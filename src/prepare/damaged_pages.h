// Pages that were damaged on the server already, and that the backup took as they were.
//
// Their redo is skipped, unless it makes them anew. When all redo is applied, those that are whole
// then, or that nothing uses, leave the list.
//
// Errors   kCorruption: a list that cannot be read.
// Threads  One.
#pragma once

#include <string>
#include <vector>

#include "hbk/crypto/key_source.h"
#include "hbk/manifest/damaged_page_list.h"

#include "backup_set.h"

namespace hbk::prepare {

// Empty if the backup has no list.
Result<manifest::DamagedPageList> LoadDamagedPages(io::FileSystem& fs, const BackupSet& set);
// Replaces the list; without pages there is none.
Status StoreDamagedPages(io::FileSystem& fs, const BackupSet& set,
                         const manifest::DamagedPageList& damaged);

// Once all redo is applied and all files have their names: takes the pages off the list that are
// whole or free. Returns what is left in words: "db/t.ibd, page 3: bad checksum".
Result<std::vector<std::string>> ForgiveDamagedPages(io::FileSystem& fs, const BackupSet& set,
                                                     crypto::KeySource* keys,
                                                     manifest::DamagedPageList& damaged);

}  // namespace hbk::prepare
