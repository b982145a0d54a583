#include "header_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "page_redo.h"
#include "partition_loader.h"
#include "unnamed_file.h"

namespace hbk::prepare {
namespace {

using innodb::SpaceId;
using innodb::TablespaceFlags;

// FSP_SIZE of the smallest tablespace that a server makes.
constexpr uint32_t kSizePagesMin = 4;

class HeaderPlanner {
 public:
  HeaderPlanner(io::FileSystem& fs, const BackupSet& set, TablespaceTable& table)
      : fs_(fs), set_(set), table_(table), frame_(innodb::kPageSizeMax) {}

  Status Run(PartitionLoader& loader, uint32_t partition) {
    HBK_RETURN_IF_ERROR(loader.Begin(partition));
    for (;;) {
      HBK_ASSIGN_OR_RETURN(const bool has_batch, loader.NextBatch());
      if (!has_batch) return OkStatus();
      PageRedo redo;
      while (loader.NextPage(redo)) {
        const auto space = table_.spaces.find(redo.page.space);
        if (space == table_.spaces.end()) continue;
        const Status applied = Apply(redo, space->second, loader.is_split());
        if (!applied.ok()) return applied.WithContext("page 0 of " + space->second.final_name);
      }
    }
  }

 private:
  // `is_split`: there may be more redo of the page to come, so the page is kept.
  Status Apply(const PageRedo& redo, Tablespace& space, bool is_split) {
    if (redo.items.empty()) return OkStatus();
    if (redo.is_rebuilt_here) {
      HBK_RETURN_IF_ERROR(FindPageFormat(redo, space));
    } else if (space.is_new && !kept_.contains(space.id)) {
      return OkStatus();  // before the rebuild: cannot be, but is no harm
    }
    const TablespaceFlags& flags = space.header.flags;
    const MutableByteView frame = frame_.view().first(flags.physical_size());
    if (!redo.is_rebuilt_here) HBK_RETURN_IF_ERROR(ReadFrame(space, frame));
    HBK_ASSIGN_OR_RETURN(const PageChange change,
                         ApplyPageRedo(redo, frame, flags.is_zip(), UINT64_MAX));
    if (!change.is_changed) return OkStatus();
    innodb::SealPage(frame, flags, redo.page);
    const innodb::FirstPage page =
        innodb::ClassifyFirstPage(frame, frame.size() * kSizePagesMin, flags.logical_size());
    if (page.kind != innodb::FirstPageKind::kValid || page.header.size_pages < kSizePagesMin) {
      return CorruptionError("the redo leaves no valid header: " + page.reason);
    }
    space.header = page.header;
    return is_split ? KeepFrame(space.id, frame) : OkStatus();
  }

  // A page 0 that the redo makes: its size and format come from the flags written into it.
  Status FindPageFormat(const PageRedo& redo, Tablespace& space) {
    // Whether the page is smaller does not matter as long as the redo stays within it.
    const MutableByteView frame = frame_.view().first(set_.page_size);
    HBK_RETURN_IF_ERROR(ApplyPageRedo(redo, frame, false, UINT64_MAX).status());
    HBK_ASSIGN_OR_RETURN(space.header.flags,
                         TablespaceFlags::Decode(LoadBe32(frame, innodb::kFspFlags)));
    if (space.header.flags.logical_size() == set_.page_size) return OkStatus();
    return CorruptionError(fmt::format("the redo gives it a page size of {}, the instance has {}",
                                       space.header.flags.logical_size(), set_.page_size));
  }

  Status ReadFrame(const Tablespace& space, MutableByteView frame) {
    const auto kept = kept_.find(space.id);
    if (kept != kept_.end()) return ReadWhole(*kept_file_, kept->second, frame);
    HBK_ASSIGN_OR_RETURN(const auto file, fs_.Open(set_.Path(space.name()), {}));
    return ReadWhole(*file, 0, frame);
  }

  static Status ReadWhole(io::File& file, uint64_t offset, MutableByteView out) {
    HBK_ASSIGN_OR_RETURN(const size_t size, file.ReadAt(offset, out));
    return size == out.size() ? OkStatus() : CorruptionError("the file ends within the page");
  }

  Status KeepFrame(SpaceId id, ByteView frame) {
    if (kept_file_ == nullptr) {
      HBK_ASSIGN_OR_RETURN(kept_file_, OpenUnnamedFile(fs_, set_.Path(kSpillFileName)));
    }
    const uint64_t offset = kept_.size() * innodb::kPageSizeMax;
    return kept_file_->WriteAt(kept_.emplace(id, offset).first->second, frame);
  }

  io::FileSystem& fs_;
  const BackupSet& set_;
  TablespaceTable& table_;
  AlignedBuffer frame_;
  std::unique_ptr<io::File> kept_file_;
  std::map<SpaceId, uint64_t> kept_;  // where in kept_file_
};

}  // namespace

Status PlanHeaders(io::FileSystem& fs, const BackupSet& set, const PartitionStore& store,
                   const SpaceLogs& logs, const MemoryPlan& plan, TablespaceTable& table) {
  PartitionLoader loader(store, logs, plan);
  return HeaderPlanner(fs, set, table).Run(loader, store.partition_count() - 1);
}

}  // namespace hbk::prepare
