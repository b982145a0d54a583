// All files of a backup that are not InnoDB's: definitions, tables of other engines, and the
// server's own log and statistics tables.
//
// Which is copied when: copy_plan.h. What rests is copied early, while nobody waits for it, and
// only compared under BLOCK_DDL: the time under the lock follows what changed meanwhile, not how
// many tables there are. Aria tables with a log: aria_tables.h. Log tables are written always, so a
// CSV one is cut after its last complete row.
//
// Threads  One at a time.
#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/base/status.h"
#include "hbk/datadir/scanner.h"

#include "aria_tables.h"
#include "backup_record.h"
#include "settle_plan.h"

namespace hbk::backup {

// True for a file that the server changes by making another one and renaming it. CHECK TABLE FOR
// UPGRADE alone writes into it: the number of the server's version, of which a restored table may
// have either.
bool IsReplacedOnly(const datadir::DataFile& file);

class TableFiles {
 public:
  // Files are noted in the record. Everything must outlive this.
  TableFiles(io::FileSystem& fs, FileCopier& copier, std::string target_dir, BackupRecord& record)
      : fs_(fs),
        copier_(copier),
        target_dir_(std::move(target_dir)),
        record_(record),
        aria_(fs, copier, target_dir_, record) {}

  // The server writes MyISAM tables through memory maps (myisam_use_mmap): times say nothing of
  // them, and they are copied under BLOCK_DDL only.
  void SetMyisamMapped(bool is_mapped) { is_myisam_mapped_ = is_mapped; }

  // In START and again in FLUSH, each with a scan made in it: what is new or changed and at rest.
  Status CopyEarly(const datadir::Scan& scan, CopyStage stage, std::stop_token stop);
  // Before BLOCK_DDL: sets aside in the scan, which is to be that of Settle's scan, what DDL alone
  // can change, in ways that their directories show. Once.
  void DecideEarly(datadir::Scan& scan);
  // Under BLOCK_DDL, where `scan` was made: afterwards the target has what the server has.
  // `changed_tables` ("db/t") are those whose copies do not count, whatever their files look like.
  Status Settle(const datadir::Scan& scan, const std::set<std::string>& changed_tables,
                std::stop_token stop);
  // With the same scan.
  Status CopyUnderBlockCommit(const datadir::Scan& scan, std::stop_token stop);
  Status CopyAfterEnd(const datadir::Scan& scan, std::stop_token stop);

  struct Counts {
    uint64_t early = 0;    // copied before BLOCK_DDL
    uint64_t late = 0;     // copied, or copied again, under BLOCK_DDL and BLOCK_COMMIT
    uint64_t renamed = 0;  // in the target
    uint64_t removed = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void TakeBackChanged(const datadir::Scan& scan);
  Status MakeDatabases(const datadir::Scan& scan);
  [[nodiscard]] std::vector<const datadir::DataFile*> FilesAtRest(const datadir::Scan& scan) const;
  Result<std::vector<const datadir::DataFile*>> LeaveOutUsed(
      const std::vector<const datadir::DataFile*>& files, CopyStage stage);
  Status Adjust(const SettlePlan& plan);
  void NoteRenamed(const SettlePlan& plan, const datadir::Scan& scan);
  static void WaitForRest(const std::vector<const datadir::DataFile*>& files);
  Status CopyFiles(const std::vector<const datadir::DataFile*>& files, CopyStage stage,
                   std::stop_token stop);
  Status CopyStageFiles(const datadir::Scan& scan, CopyStage stage, std::stop_token stop);
  Status FindUnsettled(const datadir::Scan& scan);
  Status CopyAgain(std::stop_token stop);
  Status CopyCsvLogTable(const datadir::DataFile& file, std::stop_token stop);
  void Note(const datadir::DataFile& file, CopyStage stage, const CopyResult& result);

  io::FileSystem& fs_;
  FileCopier& copier_;
  std::string target_dir_;
  BackupRecord& record_;
  AriaTables aria_;
  bool is_myisam_mapped_ = false;
  CopiedFiles copied_;                        // files at rest
  std::map<std::string, CopiedFiles> aside_;  // by database, of files set aside; not in copied_
  std::vector<datadir::DataFile> unsettled_;  // to be copied again under BLOCK_COMMIT
  Counts counts_;
};

}  // namespace hbk::backup
