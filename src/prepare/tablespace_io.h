// Reads and writes pages of tablespaces by page number, keeping a few files open.
//
// Errors   As the file system says. A page behind the end of its file is read as zeros; writing it
//          makes the file longer.
// Threads  One; each worker has its own.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "backup_set.h"
#include "tablespace_table.h"

namespace hbk::prepare {

class TablespaceIo {
 public:
  // Borrows both.
  TablespaceIo(io::FileSystem& fs, const BackupSet& set) : fs_(fs), set_(set) {}

  // The part of a tablespace that holds the page.
  static const Segment& SegmentOf(const Tablespace& space, innodb::PageNo page);
  static uint64_t OffsetOf(const Tablespace& space, const Segment& segment, innodb::PageNo page);

  // A hint: `size` bytes from the page on, all of one segment, will be read.
  Status WillRead(const Tablespace& space, innodb::PageNo page, uint64_t size);
  // `out` has room for `page_count` pages from `page` on, all of one segment.
  Status Read(const Tablespace& space, innodb::PageNo page, MutableByteView out);
  Status Write(const Tablespace& space, innodb::PageNo page, ByteView bytes);
  // Writes the first `size` bytes of one page, rounded up to blocks of the file system, and makes
  // the rest of its place a hole; with 0, all of it. `image` is zeros from `size` on.
  Status WriteShort(const Tablespace& space, innodb::PageNo page, ByteView image, size_t size);
  Status SyncFile(const std::string& name);
  // Files written to since the last call.
  std::set<std::string> TakeChangedFiles();
  Status Close();

 private:
  Result<io::File*> Open(const std::string& name);

  io::FileSystem& fs_;
  const BackupSet& set_;
  std::map<std::string, std::unique_ptr<io::File>, std::less<>> files_;
  std::set<std::string> changed_;
};

}  // namespace hbk::prepare
