#include "redo_scan.h"

#include <utility>

#include <fmt/format.h>

#include "redo_entry.h"

namespace hbk::prepare {
namespace {

constexpr uint64_t kProgressMtrs = 4096;

bool IsFileRecord(redo::RecordKind kind) {
  return kind >= redo::RecordKind::kFileCreate;
}

// Turns the records of one mtr after the other into entries of the partitions.
class MtrSplitter {
 public:
  MtrSplitter(RedoScan& scan, PartitionStore::Section& section, const RedoFilter* filter)
      : scan_(scan),
        section_(section),
        filter_(filter),
        partition_count_(section.partition_count()) {}

  Status Split(const redo::MiniTransaction& mtr) {
    header_.start_lsn = mtr.start_lsn;
    header_.mtr_bytes = static_cast<uint32_t>(mtr.end_lsn - mtr.start_lsn);
    redo::RecordReader records(mtr.body);
    redo::RedoRecord record;
    for (;;) {
      HBK_ASSIGN_OR_RETURN(const bool has_record, records.Next(record));
      if (!has_record) break;
      HBK_RETURN_IF_ERROR(Add(record));
    }
    return FinishRun();
  }

 private:
  Status Add(const redo::RedoRecord& record) {
    if (IsFileRecord(record.kind)) {
      if (filter_ != nullptr && !filter_->CountsFiles()) return AddOldFileRecord(record);
      return scan_.logs.AddFileRecord(record, header_.start_lsn);
    }
    if (record.is_same_page) {
      if (run_.empty()) return CorruptionError("a same-page record after TRIM_PAGES");
      run_ = {run_.data(), run_.size() + record.raw.size()};
      return OkStatus();
    }
    HBK_RETURN_IF_ERROR(FinishRun());
    if (record.kind == redo::RecordKind::kExtended &&
        record.extended_kind() == redo::ExtendedKind::kTrimPages) {
      if (filter_ == nullptr || filter_->CountsSpace(record.page.space, header_.start_lsn))
        scan_.logs.trims[record.page.space].push_back({header_.start_lsn, record.page.page});
      return OkStatus();
    }
    header_.space = record.page.space;
    header_.page = record.page.page;
    header_.is_free = record.kind == redo::RecordKind::kFreePage;
    header_.is_rebuild = header_.is_free != 0 || record.kind == redo::RecordKind::kInitPage;
    run_ = record.raw;
    return OkStatus();
  }

  // Of an older backup of a chain only where a file ends that another one has replaced since.
  Status AddOldFileRecord(const redo::RedoRecord& record) {
    if (record.kind == redo::RecordKind::kFileDelete &&
        filter_->CountsSpace(record.page.space, header_.start_lsn))
      scan_.logs.AddDeletion(record.page.space, header_.start_lsn);
    return OkStatus();
  }

  Status FinishRun() {
    if (run_.empty()) return OkStatus();
    if (filter_ != nullptr &&
        !filter_->CountsPage({header_.space, header_.page}, header_.start_lsn)) {
      run_ = {};
      return OkStatus();
    }
    header_.length = static_cast<uint32_t>(run_.size()) & 0x3FFFFFFF;
    SpaceLog& space = SpaceOf(header_.space);
    if (space.entry_count++ == 0) space.first_page_lsn = header_.start_lsn;
    NoteExtent(space);
    if (header_.page == 0 && header_.is_rebuild && !header_.is_free) space.has_first_page = true;
    ++scan_.entry_count;
    const uint32_t partition = PartitionOf({header_.space, header_.page}, partition_count_);
    Status appended = section_.Append(partition, HeaderBytes(header_), run_);
    run_ = {};
    return appended;
  }

  // A log that no server wrote may name any page of any tablespace.
  void NoteExtent(SpaceLog& space) {
    const size_t extent = header_.page / kRedoExtentPages;
    if (extent >= space.extents.size()) {
      extent_count_ += extent + 1 - space.extents.size();
      if (extent_count_ > kRedoExtentsMax) scan_.logs.has_unnoted_extents = true;
      if (scan_.logs.has_unnoted_extents) return;
      space.extents.resize(extent + 1);
    }
    space.extents[extent] = true;
  }

  // Neighbouring records mostly belong to one tablespace.
  SpaceLog& SpaceOf(innodb::SpaceId id) {
    if (last_space_ == nullptr || last_space_id_ != id) {
      last_space_ = &scan_.logs.spaces[id];
      last_space_id_ = id;
    }
    return *last_space_;
  }

  RedoScan& scan_;
  PartitionStore::Section& section_;
  const RedoFilter* const filter_;
  const uint32_t partition_count_;
  RedoEntryHeader header_;
  ByteView run_;  // records of one page so far
  uint64_t extent_count_ = 0;
  SpaceLog* last_space_ = nullptr;
  innodb::SpaceId last_space_id_ = 0;
};

}  // namespace

uint32_t PartitionOf(innodb::PageId page, uint32_t partition_count) {
  if (page.page == 0 || partition_count == 1) return partition_count - 1;
  // A multiplicative hash; the high bits are the mixed ones.
  const uint64_t key = uint64_t{page.space} << 32 | page.page / 64;
  const uint64_t mixed = (key ^ key >> 29) * 0x9E3779B97F4A7C15ULL;
  return static_cast<uint32_t>((mixed >> 32) * (partition_count - 1) >> 32);
}

void RedoScan::Append(RedoScan later) {
  logs.Append(std::move(later.logs));
  end_lsn = later.end_lsn;
  mtr_count += later.mtr_count;
  entry_count += later.entry_count;
}

Status ScanWatch::Advance(uint32_t section, uint64_t bytes) {
  if (stop_.stop_requested() || section > last_section_) return InterruptedError();
  reporter_.Progress(done_bytes_ += bytes, total_bytes_);
  return OkStatus();
}

void ScanWatch::StopBehind(uint32_t section) {
  uint32_t last = last_section_;
  while (section < last && !last_section_.compare_exchange_weak(last, section)) {
  }
}

Status ScanRedo(RedoReader& reader, const RedoPart& part, PartitionStore::Section& section,
                RedoScan& scan, ScanWatch& watch) {
  MtrSplitter splitter(scan, section, part.filter);
  redo::Lsn noted = part.start != 0 ? part.start : reader.checkpoint().checkpoint_lsn;
  reader.Seek(noted);
  redo::MiniTransaction mtr;
  while (reader.position() < part.end_max) {
    HBK_ASSIGN_OR_RETURN(const bool has_mtr, reader.Next(mtr));
    if (!has_mtr) break;
    const Status split = splitter.Split(mtr);
    if (!split.ok())
      return reader.BadContent(
          split.WithContext(fmt::format("{}, LSN {}", reader.path(), mtr.start_lsn)));
    if (++scan.mtr_count % kProgressMtrs != 0) continue;
    HBK_RETURN_IF_ERROR(watch.Advance(section.number(), mtr.end_lsn - noted));
    noted = mtr.end_lsn;
  }
  scan.end_lsn = reader.position();
  return OkStatus();
}

}  // namespace hbk::prepare
