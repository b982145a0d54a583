// A small backup in memory whose redo has something of everything.
#pragma once

#include <string>

#include "hbk/innodb/types.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"

namespace hbk::testing {

constexpr uint32_t kSmallBackupPageSize = 4096;
constexpr innodb::Lsn kSmallBackupStartLsn = 100000;
constexpr innodb::Lsn kSmallBackupPageLsn = 90000;  // of the pages in the files
constexpr const char* kSmallBackupDir = "/backup";

// What the redo of PutSmallBackup does, by tablespace:
//   0 ibdata1   changed, from mtrs that change several pages; a prepared transaction on page 7
//   1 undo001   truncated to 4 pages; a prepared transaction on page 3
//   5 db/a      changed, grows from 8 to 12 pages
//   6 db/gone   dropped
//   7, 8        db/x and db/y swap their names
//   9 db/made   created, from nothing; a file of zeros lies in its place
//   10 db/z     ROW_FORMAT=COMPRESSED, 1 KiB pages, created from nothing without a file
struct SmallBackup {
  innodb::Lsn end_lsn = 0;
  std::string log;  // ib_logfile0
};
SmallBackup PutSmallBackup(MemFileSystem& fs);

// The log of PutSmallBackup, to add to.
LogBuilder MakeSmallBackupLog();
// Files that make a directory a backup of mariadb-backup, with its redo up to `last_lsn`.
void PutBackupMetadata(MemFileSystem& fs, innodb::Lsn last_lsn);

// A file of whole pages: page 0, then ordinary ones, all with kSmallBackupPageLsn.
std::string MakeSmallTablespace(innodb::SpaceId space, uint32_t page_count);
// Puts a page into such a file, sealed.
void PutSmallPage(std::string& file, std::string page);

}  // namespace hbk::testing
