// Whether what prepare is about to change is what the manifest says.
//
// Prepare gives the files that it changes new digests, and so would vouch for damage in them that
// it never looked at: in pages without redo, and in pages that are whole, but of another time. So
// each chunk of which the redo or an increment names a page is read before the first change, and
// compared with its hash (hbk_chunks; without it, the file with its digest). The rest keeps its old
// hashes, and is compared by copy-back. The files of chunks to be read would be read for their new
// digests anyway, and are in the page cache for the redo.
//
// What is told to be changed is more than what will be:
//   - all pages that redo counts of, 64 by 64; pages in increments;
//   - the first and the last chunk of a file that has any of these, as its size may change, and the
//     chunk in which it is cut.
// Not told are pages of transactions which the server had prepared for the binlog before the
// checkpoint of the backup: their own checksums are checked, their neighbours are not.
//
// Errors   kCorruption: the file is damaged; nothing was changed.
// Threads  One, which starts others.
#pragma once

#include <cstdint>
#include <stop_token>

#include "hbk/base/status.h"

#include "backup_set.h"
#include "chunk_reuse.h"
#include "increment_set.h"
#include "space_log.h"

namespace hbk::prepare {

struct OldContentInput {
  io::FileSystem& fs;
  const BackupSet& set;  // the base; one without a manifest has nothing to compare with
  const ChunkReuse& chunks;
  const SpaceLogs& logs;
  const IncrementList* increments;  // null: there are none
  uint32_t worker_count;
  std::stop_token stop;
};

struct OldContentCounts {
  uint64_t file_count = 0;
  uint64_t bytes = 0;
};

Result<OldContentCounts> CheckOldContent(const OldContentInput& input);

}  // namespace hbk::prepare
