// What the server's own list of DDL statements says about the time of the backup.
//
// It is not what the copies are judged by: the files are. It adds tables whose copies must be made
// again although their files may look the same, and figures for the report.
//
// Errors   None: a list that is not there, or cannot be read, says nothing.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "hbk/datadir/scanner.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

struct DdlFindings {
  bool is_known = false;        // the server keeps a list, and it could be read to its end
  uint64_t statements = 0;      // lines of the list
  uint64_t contradictions = 0;  // tables that should be there and are not, or the reverse
  // "db/t": loaded without logging, repaired, altered: their copies do not count.
  std::set<std::string> changed_tables;
};

class DdlWatch {
 public:
  DdlWatch(io::FileSystem& fs, std::string datadir) : fs_(fs), datadir_(std::move(datadir)) {}

  // Before BACKUP STAGE START, which empties the list.
  void Begin();
  // Under BLOCK_DDL, where `scan` was made.
  [[nodiscard]] DdlFindings Read(const datadir::Scan& scan) const;

 private:
  io::FileSystem& fs_;
  std::string datadir_;
  int64_t begun_ns_ = 0;
};

}  // namespace hbk::backup
