#include "partition_applier.h"

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "page_redo.h"

namespace hbk::prepare {
namespace {

// A journal is started again when it is this large: so much is replayed at most after a kill.
constexpr uint64_t kJournalBytesMax = 256ULL << 20;

std::string Place(const Tablespace& space, innodb::PageNo page) {
  return fmt::format("{}, page {}", TablespaceIo::SegmentOf(space, page).name, page);
}

}  // namespace

PartitionApplier::PartitionApplier(const ApplyInput& input, uint32_t number)
    : input_(input),
      loader_(input.store, input.logs, input.plan),
      io_(input.fs, input.set),
      // A quarter of a worker's memory is for images of pages and the list of staged ones.
      journal_(input.fs, input.set.dir, number, input.plan.journal_bytes),
      frames_(input.plan.frame_bytes - 2 * innodb::kPageSizeMax),
      old_page_(innodb::kPageSizeMax),
      new_page_(innodb::kPageSizeMax) {}

Status PartitionApplier::Apply(uint32_t partition, std::atomic<uint64_t>& done_bytes) {
  HBK_RETURN_IF_ERROR(loader_.Begin(partition));
  uint64_t reported = 0;
  for (;;) {
    if (input_.stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const bool has_batch, loader_.NextBatch());
    if (!has_batch) return OkStatus();
    HBK_RETURN_IF_ERROR(ApplyBatch());
    done_bytes += loader_.loaded_bytes() - reported;
    reported = loader_.loaded_bytes();
  }
}

Status PartitionApplier::ApplyBatch() {
  PageRedo redo;
  const Tablespace* space = nullptr;
  while (loader_.NextPage(redo)) {
    if (space == nullptr || space->id != redo.page.space) {
      const auto found = input_.table.spaces.find(redo.page.space);
      // A dropped tablespace.
      if (found == input_.table.spaces.end()) continue;
      space = &found->second;
    }
    // A page that ends as a freed one is left as it is: nobody reads it before it is made anew. In
    // a file that is to stay sparse it goes.
    if (redo.ends_free && space->header.flags.is_page_compressed()) {
      HBK_RETURN_IF_ERROR(ReleasePage(redo, *space));
      continue;
    }
    if (redo.items.empty()) continue;
    HBK_RETURN_IF_ERROR(Stage(redo, *space));
  }
  return Flush();
}

Status PartitionApplier::Stage(const PageRedo& redo, const Tablespace& space) {
  const uint32_t size = space.header.flags.physical_size();
  if (frames_used_ + size > frames_.size()) {
    if (input_.stop.stop_requested()) return InterruptedError();
    HBK_RETURN_IF_ERROR(Flush());
  }
  staged_.push_back({&space, redo, frames_used_, size, size, false});
  frames_used_ += size;
  return OkStatus();
}

Status PartitionApplier::ReleasePage(const PageRedo& redo, const Tablespace& space) {
  const ByteView image = new_page_.view().first(space.header.flags.physical_size());
  return io_.WriteShort(space, redo.page.page, image, 0);
}

MutableByteView PartitionApplier::Frame(const StagedPage& page) {
  return frames_.view().subspan(page.frame_offset, page.size);
}

Status PartitionApplier::Flush() {
  HBK_RETURN_IF_ERROR(ReadFrames());
  for (StagedPage& page : staged_) {
    const Status applied = ApplyPage(page);
    if (IsForgiven(page, applied)) {
      page.is_changed = false;
      ++counts_.skipped_pages;
      continue;
    }
    if (!applied.ok()) return applied.WithContext(Place(*page.space, page.redo.page.page));
  }
  HBK_RETURN_IF_ERROR(journal_.Commit());
  HBK_RETURN_IF_ERROR(WriteFrames());
  staged_.clear();
  frames_used_ = 0;
  return LimitJournal();
}

bool PartitionApplier::IsForgiven(const StagedPage& page, const Status& applied) const {
  return applied.code() == StatusCode::kCorruption && input_.damaged != nullptr &&
         !page.redo.is_rebuilt_here && input_.damaged->Contains(page.redo.page);
}

template <typename Belongs>
size_t PartitionApplier::EndOfRun(size_t begin, Belongs belongs) const {
  const StagedPage& first = staged_[begin];
  const Segment& segment = TablespaceIo::SegmentOf(*first.space, first.redo.page.page);
  size_t end = begin + 1;
  while (end < staged_.size()) {
    const StagedPage& page = staged_[end];
    if (page.space != first.space || page.redo.page.page != staged_[end - 1].redo.page.page + 1 ||
        !belongs(page) || &TablespaceIo::SegmentOf(*page.space, page.redo.page.page) != &segment) {
      break;
    }
    ++end;
  }
  return end;
}

Status PartitionApplier::ReadFrames() {
  // All are asked for before the first is waited for.
  HBK_RETURN_IF_ERROR(ForEachRunToRead([this](const StagedPage& first, uint64_t size) {
    return io_.WillRead(*first.space, first.redo.page.page, size);
  }));
  return ForEachRunToRead([this](const StagedPage& first, uint64_t size) {
    return io_.Read(*first.space, first.redo.page.page,
                    frames_.view().subspan(first.frame_offset, size));
  });
}

template <typename Visit>
Status PartitionApplier::ForEachRunToRead(Visit visit) const {
  const auto needs_read = [](const StagedPage& page) {
    return !page.redo.is_rebuilt_here;
  };
  for (size_t begin = 0; begin < staged_.size();) {
    if (!needs_read(staged_[begin])) {
      ++begin;
      continue;
    }
    const size_t end = EndOfRun(begin, needs_read);
    const StagedPage& first = staged_[begin];
    HBK_RETURN_IF_ERROR(visit(first, uint64_t{end - begin} * first.size));
    begin = end;
  }
  return OkStatus();
}

Status PartitionApplier::CheckPageLsn(ByteView frame) const {
  const innodb::Lsn lsn = innodb::PageLsn(frame);
  if (lsn <= input_.end_lsn) return OkStatus();
  return CorruptionError(
      fmt::format("the page has LSN {}, but the redo ends at LSN {}", lsn, input_.end_lsn));
}

Result<innodb::PageCoding> PartitionApplier::OpenFrame(const StagedPage& page,
                                                       MutableByteView frame) {
  const auto damaged = [&](std::string_view what) {
    return CorruptionError(fmt::format("{}; the page says LSN {}, its redo starts at LSN {}", what,
                                       innodb::PageLsn(frame),
                                       page.redo.Header(page.redo.items.front()).start_lsn));
  };
  const MutableByteView image = old_page_.view().first(page.size);
  innodb::PageCoding coding;
  if (page.space->coder == nullptr) {
    const innodb::PageVerdict verdict =
        innodb::CheckPage(frame, page.space->header.flags, page.redo.page);
    // A page that is all zero cannot take redo; which redo wanted it is said where it is applied.
    if (verdict != innodb::PageVerdict::kGood && verdict != innodb::PageVerdict::kZero)
      return damaged(innodb::PageVerdictName(verdict));
    std::memcpy(image.data(), frame.data(), frame.size());
  } else {
    std::memcpy(image.data(), frame.data(), frame.size());
    const auto decoded = page.space->coder->Decode(image, page.redo.page, frame);
    if (decoded.status().code() == StatusCode::kCorruption) {
      std::memcpy(frame.data(), image.data(), frame.size());
      return damaged(decoded.status().message());
    }
    HBK_RETURN_IF_ERROR(decoded.status());
    coding = *decoded;
  }
  HBK_RETURN_IF_ERROR(CheckPageLsn(frame));
  return coding;
}

Status PartitionApplier::CloseFrame(StagedPage& page, const innodb::PageCoding& was,
                                    MutableByteView frame) {
  if (page.space->coder == nullptr) {
    innodb::SealPage(frame, page.space->header.flags, page.redo.page);
    return OkStatus();
  }
  const MutableByteView image = new_page_.view().first(page.size);
  HBK_ASSIGN_OR_RETURN(const size_t size,
                       page.space->coder->Encode(frame, page.redo.page, was, image));
  page.image_bytes = static_cast<uint32_t>(size);
  std::memcpy(frame.data(), image.data(), image.size());
  return OkStatus();
}

Status PartitionApplier::ApplyPage(StagedPage& page) {
  const MutableByteView frame = Frame(page);
  const bool is_read = !page.redo.is_rebuilt_here;
  innodb::PageCoding was;
  if (is_read) {
    HBK_ASSIGN_OR_RETURN(was, OpenFrame(page, frame));
  }
  HBK_ASSIGN_OR_RETURN(
      const PageChange change,
      ApplyPageRedo(page.redo, frame, page.space->header.flags.is_zip(), input_.start_lsn));
  page.is_changed = change.is_changed;
  // In a further batch of a partition the page's LSN comes from the batch before.
  if (change.has_foreign_lsn && !loader_.is_split()) ++counts_.foreign_pages;
  if (!page.is_changed) return OkStatus();
  HBK_RETURN_IF_ERROR(CloseFrame(page, was, frame));
  ++counts_.pages_written;
  // A page that the redo makes from nothing needs no journal, whatever is left of it after a
  // crash. Page 0 does: by it the next run knows whose file this is.
  if (page.redo.is_rebuildable && page.redo.page.page != 0) return OkStatus();
  const Segment& segment = TablespaceIo::SegmentOf(*page.space, page.redo.page.page);
  JournalPage entry;
  entry.name = segment.name;
  entry.offset = TablespaceIo::OffsetOf(*page.space, segment, page.redo.page.page);
  entry.lsn = innodb::PageLsn(frame);
  if (is_read) entry.old_image = old_page_.view().first(page.size);
  entry.new_image = frame;
  return journal_.Add(entry);
}

Status PartitionApplier::WriteFrames() {
  const auto is_whole = [](const StagedPage& page) {
    return page.is_changed && page.image_bytes == page.size;
  };
  for (size_t begin = 0; begin < staged_.size();) {
    const StagedPage& first = staged_[begin];
    const innodb::PageNo number = first.redo.page.page;
    if (!is_whole(first)) {
      if (first.is_changed) {
        HBK_RETURN_IF_ERROR(io_.WriteShort(*first.space, number, Frame(first), first.image_bytes));
      }
      ++begin;
      continue;
    }
    const size_t end = EndOfRun(begin, is_whole);
    HBK_RETURN_IF_ERROR(
        io_.Write(*first.space, number,
                  frames_.view().subspan(first.frame_offset, (end - begin) * first.size)));
    begin = end;
  }
  return OkStatus();
}

Status PartitionApplier::LimitJournal() {
  if (journal_.bytes() < kJournalBytesMax / input_.plan.worker_count) return OkStatus();
  for (const std::string& name : io_.TakeChangedFiles()) {
    HBK_RETURN_IF_ERROR(io_.SyncFile(name));
    counts_.changed_files.insert(name);
  }
  return journal_.Restart();
}

Result<ApplyCounts> PartitionApplier::Finish() {
  for (const std::string& name : io_.TakeChangedFiles())
    counts_.changed_files.insert(name);
  HBK_RETURN_IF_ERROR(io_.Close());
  return std::move(counts_);
}

}  // namespace hbk::prepare
