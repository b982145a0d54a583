#include "prepared_transactions.h"

#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/trx_sys.h"
#include "hbk/innodb/undo_segment.h"

#include "page_journal.h"
#include "tablespace_io.h"
#include "tablespace_table.h"

namespace hbk::prepare {
namespace {

constexpr innodb::PageId kTrxSysPage = {.space = innodb::kSystemSpaceId,
                                        .page = innodb::kTrxSysPageNo};

// Goes from the list of rollback segments to each of them, and on to its undo segments. One page is
// in memory at a time.
class TransactionActivator {
 public:
  TransactionActivator(io::FileSystem& fs, const BackupSet& set, crypto::KeySource* keys,
                       const manifest::DamagedPageList& damaged)
      : fs_(fs),
        set_(set),
        keys_(keys),
        damaged_(damaged),
        io_(fs, set),
        journal_(fs, set.dir, 0, 2 * innodb::kPageSizeMax),
        image_(innodb::kPageSizeMax),
        frame_(innodb::kPageSizeMax) {}

  Result<ActivatedTransactions> Run(const std::stop_token& stop) {
    HBK_ASSIGN_OR_RETURN(files_, ListServerTablespaceFiles(fs_, set_));
    HBK_ASSIGN_OR_RETURN(const bool has_list, Load(kTrxSysPage));
    if (!has_list) return std::move(result_);
    for (const innodb::PageId id : innodb::ParseRollbackSegments(Frame())) {
      if (stop.stop_requested()) return InterruptedError();
      HBK_RETURN_IF_ERROR(VisitRollbackSegment(id));
    }
    result_.changed_files = io_.TakeChangedFiles();
    for (const std::string& name : result_.changed_files)
      HBK_RETURN_IF_ERROR(io_.SyncFile(name));
    HBK_RETURN_IF_ERROR(io_.Close());
    HBK_RETURN_IF_ERROR(RemoveJournals(fs_, set_.dir));
    return std::move(result_);
  }

 private:
  struct Space {
    Space(Tablespace found, crypto::KeySource* keys)
        : table(std::move(found)), coder(table.id, table.header.flags, table.header.crypt, keys) {}

    Tablespace table;
    innodb::PageCoder coder;
  };

  Status VisitRollbackSegment(innodb::PageId id) {
    HBK_ASSIGN_OR_RETURN(const bool is_loaded, Load(id));
    if (!is_loaded) return OkStatus();
    for (const innodb::PageNo page : innodb::ParseUndoSegments(Frame()))
      HBK_RETURN_IF_ERROR(VisitUndoSegment({.space = id.space, .page = page}));
    return OkStatus();
  }

  Status VisitUndoSegment(innodb::PageId id) {
    HBK_ASSIGN_OR_RETURN(const bool is_loaded, Load(id));
    if (!is_loaded) return OkStatus();
    const auto is_prepared = innodb::IsPreparedByServer(Frame());
    if (!is_prepared.ok()) return is_prepared.status().WithContext(Place(id));
    if (!*is_prepared) return OkStatus();
    innodb::MakeActive(Frame());
    ++result_.transaction_count;
    return Store(id).WithContext(Place(id));
  }

  // Puts the page into the frame. False if it is known to be damaged, or there is no key for it.
  Result<bool> Load(innodb::PageId id) {
    HBK_ASSIGN_OR_RETURN(Space* const space, SpaceOf(id));
    if (space == nullptr) return false;
    page_size_ = space->table.header.flags.physical_size();
    HBK_RETURN_IF_ERROR(io_.Read(space->table, id.page, Image()));
    const auto decoded = space->coder.Decode(Image(), id, Frame());
    const bool is_zero = decoded.ok() && IsAllZero(Frame());
    if (is_zero || decoded.status().code() == StatusCode::kCorruption) {
      if (damaged_.Contains(id)) return false;
      return (is_zero ? CorruptionError("all zero") : decoded.status()).WithContext(Place(id));
    }
    if (decoded.status().code() == StatusCode::kMissingKey) {
      result_.unread_files.insert(space->table.name());
      return false;
    }
    if (!decoded.ok()) return decoded.status().WithContext(Place(id));
    coding_ = *decoded;
    return true;
  }

  // Writes the frame back to where it was loaded from.
  Status Store(innodb::PageId id) {
    Space& space = spaces_.at(id.space);
    AlignedBuffer new_image(page_size_);
    HBK_ASSIGN_OR_RETURN(const size_t size,
                         space.coder.Encode(Frame(), id, coding_, new_image.view()));
    const Segment& segment = TablespaceIo::SegmentOf(space.table, id.page);
    HBK_RETURN_IF_ERROR(
        journal_.Add({.name = segment.name,
                      .offset = TablespaceIo::OffsetOf(space.table, segment, id.page),
                      .lsn = innodb::PageLsn(new_image.view()),
                      .old_image = Image(),
                      .new_image = new_image.view()}));
    HBK_RETURN_IF_ERROR(journal_.Commit());
    return io_.WriteShort(space.table, id.page, new_image.view(), size);
  }

  // Null if there is none, and its first page is known to be damaged.
  Result<Space*> SpaceOf(innodb::PageId id) {
    const auto known = spaces_.find(id.space);
    if (known != spaces_.end()) return &known->second;
    auto found = FindTablespace(files_, id.space);
    if (!found.has_value()) {
      if (damaged_.Contains({.space = id.space, .page = 0})) return nullptr;
      return CorruptionError(fmt::format(
          "{}: a rollback segment lies in tablespace {}, which has no file", set_.dir, id.space));
    }
    if (found->header.flags.is_zip())
      return CorruptionError(fmt::format(
          "{}: a rollback segment in a tablespace of ROW_FORMAT=COMPRESSED", found->name()));
    return &spaces_.try_emplace(id.space, std::move(*found), keys_).first->second;
  }

  [[nodiscard]] std::string Place(innodb::PageId id) const {
    const Tablespace& table = spaces_.at(id.space).table;
    return fmt::format("{}, page {}", TablespaceIo::SegmentOf(table, id.page).name, id.page);
  }
  MutableByteView Image() { return image_.view().first(page_size_); }
  MutableByteView Frame() { return frame_.view().first(page_size_); }

  io::FileSystem& fs_;
  const BackupSet& set_;
  crypto::KeySource* const keys_;
  const manifest::DamagedPageList& damaged_;
  TablespaceIo io_;
  PageJournal journal_;
  std::vector<FoundFile> files_;
  std::map<innodb::SpaceId, Space> spaces_;
  // The page that was loaded last.
  size_t page_size_ = 0;
  AlignedBuffer image_;
  AlignedBuffer frame_;
  innodb::PageCoding coding_;
  ActivatedTransactions result_;
};

}  // namespace

Result<ActivatedTransactions> ActivatePreparedTransactions(io::FileSystem& fs, const BackupSet& set,
                                                           crypto::KeySource* keys,
                                                           const manifest::DamagedPageList& damaged,
                                                           const std::stop_token& stop) {
  return TransactionActivator(fs, set, keys, damaged).Run(stop);
}

}  // namespace hbk::prepare
