// All files of a backup that are not InnoDB's: definitions, tables of other engines, and the
// server's own log and statistics tables.
//
// Which is copied when: copy_plan.h. Everything here is copied while nobody may write it, with two
// exceptions: transactional Aria tables may be written until BLOCK_COMMIT, so one that changed
// while it was being copied is copied again there; log tables are written always, so a CSV one is
// cut after its last complete row.
//
// Threads  One at a time.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/base/status.h"
#include "hbk/datadir/scanner.h"

#include "backup_record.h"

namespace hbk::backup {

class TableFiles {
 public:
  // Files are noted in the record. Everything must outlive this.
  TableFiles(io::FileSystem& fs, FileCopier& copier, std::string target_dir, BackupRecord& record)
      : fs_(fs), copier_(copier), target_dir_(std::move(target_dir)), record_(record) {}

  // `scan` was made under BLOCK_DDL.
  Status CopyUnderBlockDdl(const datadir::Scan& scan, std::stop_token stop);
  Status CopyUnderBlockCommit(const datadir::Scan& scan, std::stop_token stop);
  Status CopyAfterEnd(const datadir::Scan& scan, std::stop_token stop);

 private:
  Status MakeDatabases(const datadir::Scan& scan);
  Status CopyStageFiles(const datadir::Scan& scan, CopyStage stage, std::stop_token stop);
  Status CopyAgain(std::stop_token stop);
  Status CopyCsvLogTable(const datadir::DataFile& file, std::stop_token stop);
  void Note(const datadir::DataFile& file, CopyStage stage, const CopyResult& result);

  io::FileSystem& fs_;
  FileCopier& copier_;
  std::string target_dir_;
  BackupRecord& record_;
  std::vector<datadir::DataFile> unsettled_;  // changed while they were copied
};

}  // namespace hbk::backup
