// The tablespaces of a backup: copied while everybody works, then brought in line with the DDL that
// ran meanwhile.
//
// Errors   Those of FileCopier and of Reconcile.
// Threads  One at a time.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/backup/log_tailer.h"
#include "hbk/base/status.h"
#include "hbk/datadir/layout.h"
#include "hbk/datadir/scanner.h"

#include "backup_record.h"
#include "open_spaces.h"
#include "reconcile.h"

namespace hbk::backup {

// Whether a table has a file whose first page was not written yet. Files that vanish are left out,
// and those that the base of an increment has with their first page are not looked at.
Result<bool> HasBlankTable(io::FileSystem& fs, const datadir::Scan& scan,
                           const IncrementBase& base);

class TablespaceSet {
 public:
  // Files are noted in the record. Everything must outlive the set.
  TablespaceSet(io::FileSystem& fs, FileCopier& copier, std::string target_dir, uint32_t page_size,
                BackupRecord& record)
      : fs_(fs),
        copier_(copier),
        target_dir_(std::move(target_dir)),
        page_size_(page_size),
        record_(record) {}

  // System tablespace, undo tablespaces and tables, as the scan found them.
  Status CopyAll(const datadir::Scan& scan, const datadir::Layout& layout, const OpenSpaces& open,
                 std::stop_token stop);
  // A file whose id and copy are known, unless it is not there any more.
  [[nodiscard]] bool HasTrustedCopyOf(const io::FileInfo& file) const {
    return FindTrusted(file) != nullptr;
  }
  // Before BLOCK_DDL: decides of most files what FollowDdl() would, and sets them aside in the
  // scan, which is to be that of FollowDdl's scan. Once. `changes`: those of the log so far, or
  // null.
  Status DecideEarly(datadir::Scan& scan, const SpaceChanges* changes);
  // Under BLOCK_DDL. `changes` are those of the redo log up to a moment after its grant; null: they
  // are not known. `news` are those of them that came after DecideEarly(): files of which they tell
  // are brought back in the scan. `list_open` asks the server what it has open; only if files
  // contradict each other.
  using ListOpen = std::function<Result<std::vector<server::TablespaceRow>>()>;
  Status FollowDdl(datadir::Scan& scan, const SpaceChanges* changes, const SpaceChanges& news,
                   const ListOpen& list_open, std::stop_token stop);
  // When nobody waits any more: makes the files of tablespaces that only the redo log has, and
  // warns of files that belong to no table. With the scan of FollowDdl, nothing of it aside.
  Status CompleteAfterEnd(const datadir::Scan& scan);
  // kFailed if the redo log changes a tablespace that is not in the backup.
  [[nodiscard]] Status CheckComplete(const SpaceChanges& changes) const;

  // What happened to the files; for the report.
  struct Counts {
    uint64_t renamed = 0;
    uint64_t removed = 0;
    uint64_t copied_late = 0;
    uint64_t left_to_redo = 0;
    uint64_t retried_pages = 0;
    uint64_t skipped = 0;       // not read: the base has them
    uint64_t read_in_part = 0;  // only the pages that the redo log names
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct TrustedCopy {
    int64_t birth_ns = 0;
    SpaceId id = 0;
  };

  Status NoteResults(const std::vector<CopyJob>& jobs, const std::vector<CopyResult>& results,
                     CopyStage stage);
  [[nodiscard]] bool IsTrusted(const CopyResult& result) const;
  [[nodiscard]] CopiedSpace Describe(const CopyResult& result, bool is_locked) const;
  Result<std::vector<FoundSpace>> Identify(const datadir::Scan& scan, bool may_vanish) const;
  Result<std::vector<FoundSpace>> BringBackAndIdentify(datadir::Scan& scan,
                                                       const SpaceChanges& news);
  void TakeBack(const std::string& database);
  Status Remove(const std::vector<std::string>& names);
  Status Rename(const std::vector<std::pair<std::string, std::string>>& renames);
  Status CopyLate(const std::vector<std::string>& names, const datadir::Scan& scan,
                  std::stop_token stop);
  void NoteCopy(CopiedSpace copy);
  [[nodiscard]] const TrustedCopy* FindTrusted(const io::FileInfo& file) const;
  void NoteDamage(const CopyResult& result);
  void NoteBlank(const CopyResult& result);
  Status LeaveOutStrangers(std::vector<FoundSpace>& found, const ListOpen& list_open);
  void WarnOfOrphans(const datadir::Scan& scan);

  io::FileSystem& fs_;
  FileCopier& copier_;
  std::string target_dir_;
  uint32_t page_size_;
  BackupRecord& record_;
  std::vector<CopiedSpace> copied_;
  // Of the trusted ones, by inode. A file keeps its id as long as it exists, IMPORT apart.
  std::unordered_map<uint64_t, TrustedCopy> trusted_;
  // What CopyAll() had to go by.
  OpenSpaces open_;
  std::set<std::pair<uint64_t, int64_t>> scanned_;  // inode and birth
  int64_t begun_ns_ = 0;                            // in the time of files
  // Files whose first page was not written yet, as they were then.
  std::map<std::pair<uint64_t, int64_t>, FileStamp> blank_;  // by inode and birth
  // Of a database whose directory is as it was, by DecideEarly(): its copies stay as they are.
  struct Decided {
    std::vector<CopiedSpace> copies;
    std::vector<std::string> left_to_redo;  // files of the data directory
  };
  std::map<std::string, Decided> aside_;               // by database; not in copied_
  std::unordered_map<SpaceId, std::string> aside_of_;  // databases; some are not aside any more
  std::vector<std::string> left_to_redo_;
  Counts counts_;
};

}  // namespace hbk::backup
