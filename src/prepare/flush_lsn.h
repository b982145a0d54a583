// The LSN up to which a system tablespace was written when its log was emptied.
//
// A server of 10.5 to 10.7 that finds its log empty begins a new one at this LSN. Later servers
// keep no such LSN, but accept this form, too.
//
// Format   docs/format/redo-log.md, "What prepare leaves". Bytes 26 to 33 of the first page.
// Errors   kCorruption: a first page that is damaged, or holds no such LSN.
// Threads  One.
#pragma once

#include "hbk/base/status.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

#include "backup_set.h"

namespace hbk::prepare {

Result<innodb::Lsn> ReadFlushLsn(io::FileSystem& fs, const BackupSet& set);

// Written through a journal, synced. When this is done there are no journals.
Status StoreFlushLsn(io::FileSystem& fs, const BackupSet& set, innodb::Lsn lsn);

}  // namespace hbk::prepare
