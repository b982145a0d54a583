#include "partition_loader.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

constexpr uint64_t kOffsetMask = (uint64_t{1} << 47) - 1;

// 0 if the first mtr is not whole.
size_t EndOfLastWholeMtr(ByteView bytes) {
  size_t end = 0;
  innodb::Lsn lsn = 0;
  for (size_t at = 0; bytes.size() - at >= kRedoEntryHeaderBytes;) {
    const RedoEntryHeader header = LoadRedoEntryHeader(bytes, at);
    if (at != 0 && header.start_lsn != lsn) end = at;
    lsn = header.start_lsn;
    const size_t size = kRedoEntryHeaderBytes + header.length;
    if (bytes.size() - at < size) break;
    at += size;
  }
  return end;
}

}  // namespace

PartitionLoader::PartitionLoader(const PartitionStore& store, const SpaceLogs& logs,
                                 const MemoryPlan& plan)
    : store_(store),
      logs_(logs),
      entry_bytes_(plan.entry_bytes),
      index_count_(plan.index_count),
      rebuilt_count_(plan.rebuilt_count),
      // Not zeroed: memory that is never needed is then never taken.
      buffer_(new uint8_t[plan.entry_bytes]) {
  HBK_CHECK(entry_bytes_ >= kRedoEntryBytesMax);
}

Status PartitionLoader::Begin(uint32_t partition) {
  partition_ = partition;
  next_offset_ = 0;
  index_.clear();
  next_item_ = 0;
  rebuilt_.clear();
  is_split_ = store_.bytes(partition) > entry_bytes_;
  return is_split_ ? FindRebuiltPages() : OkStatus();
}

// Ends between two mtrs: one applied by half would leave its end LSN on the page, and so hide the
// other half.
template <typename Visit>
Result<uint64_t> PartitionLoader::LoadEntries(uint64_t offset, Visit visit) {
  batch_offset_ = offset;
  const uint64_t rest = store_.bytes(partition_) - offset;
  loaded_ = static_cast<size_t>(std::min<uint64_t>(entry_bytes_, rest));
  const MutableByteView bytes{buffer_.get(), loaded_};
  HBK_RETURN_IF_ERROR(store_.Read(partition_, offset, bytes));
  const size_t end = loaded_ == rest ? loaded_ : EndOfLastWholeMtr(bytes);
  if (end == 0) {
    return FailedError(fmt::format("the mtr at LSN {} is too large for this memory",
                                   LoadRedoEntryHeader(bytes, 0).start_lsn))
        .WithHint("give more with --use-memory");
  }
  for (size_t at = 0; at < end;) {
    const RedoEntryHeader header = LoadRedoEntryHeader(bytes, at);
    HBK_RETURN_IF_ERROR(visit(header, at));
    at += kRedoEntryHeaderBytes + header.length;
  }
  return offset + end;
}

Status PartitionLoader::FindRebuiltPages() {
  const auto note_rebuild = [&](const RedoEntryHeader& header, size_t at) -> Status {
    if (header.is_rebuild == 0 || IsGone(header)) return OkStatus();
    if (rebuilt_.size() == rebuilt_count_) HBK_RETURN_IF_ERROR(CompactRebuilt());
    Rebuilt& rebuilt = rebuilt_.emplace_back();
    rebuilt.page_key = header.page_key();
    rebuilt.offset = (batch_offset_ + at) & kOffsetMask;
    rebuilt.part = PartOf(header) & 0xFFFF;
    rebuilt.is_free = header.is_free;
    return OkStatus();
  };
  for (uint64_t offset = 0; offset < store_.bytes(partition_);) {
    HBK_ASSIGN_OR_RETURN(offset, LoadEntries(offset, note_rebuild));
  }
  return CompactRebuilt();
}

// Of each page the latest; and as long as that frees it, the latest of an older backup, too.
Status PartitionLoader::CompactRebuilt() {
  std::sort(rebuilt_.begin(), rebuilt_.end(), [](const Rebuilt& a, const Rebuilt& b) {
    return a.page_key != b.page_key ? a.page_key < b.page_key : a.offset > b.offset;
  });
  size_t kept = 0;
  for (const Rebuilt& rebuilt : rebuilt_) {
    if (kept != 0 && rebuilt_[kept - 1].page_key == rebuilt.page_key) {
      const Rebuilt& later = rebuilt_[kept - 1];
      if (later.is_free == 0 || rebuilt.part == later.part) continue;
    }
    rebuilt_[kept++] = rebuilt;
  }
  rebuilt_.resize(kept);
  if (rebuilt_.size() >= rebuilt_count_ / 4 * 3) {
    return FailedError(
               fmt::format("the redo creates too many pages for this memory: more than {} in "
                           "one part",
                           rebuilt_.size()))
        .WithHint("give more with --use-memory");
  }
  return OkStatus();
}

Result<bool> PartitionLoader::NextBatch() {
  index_.clear();
  next_item_ = 0;
  if (next_offset_ == store_.bytes(partition_)) return false;
  const auto add_to_index = [&](const RedoEntryHeader& header, size_t at) {
    index_.push_back({header.page_key(), static_cast<uint32_t>(at)});
    return OkStatus();
  };
  HBK_ASSIGN_OR_RETURN(next_offset_, LoadEntries(next_offset_, add_to_index));
  // See PlanMemory: there is room for the smallest entries.
  HBK_CHECK(index_.size() <= index_count_);
  std::sort(index_.begin(), index_.end(), [](const Item& a, const Item& b) {
    return a.page_key != b.page_key ? a.page_key < b.page_key : a.offset < b.offset;
  });
  return true;
}

bool PartitionLoader::IsGone(const RedoEntryHeader& header) const {
  return logs_.IsGone({header.space, header.page}, header.start_lsn);
}

// By place, not by LSN: the server may change a page, drop it and make it anew in one mtr.
PartitionLoader::Extent PartitionLoader::ExtentOf(std::span<const Item> items) const {
  if (!is_split_) return ExtentInBatch(items);
  const auto first =
      std::lower_bound(rebuilt_.begin(), rebuilt_.end(), items.front().page_key,
                       [](const Rebuilt& rebuilt, uint64_t key) { return rebuilt.page_key < key; });
  Extent extent;
  for (auto item = first; item != rebuilt_.end() && item->page_key == items.front().page_key;
       ++item) {
    if (item->is_free == 0) {
      extent.rebuild = item->offset;
      break;
    }
    extent.freed_part = item->part;
    extent.freed_end = std::max<uint64_t>(extent.freed_end, item->offset + 1);
  }
  return extent;
}

PartitionLoader::Extent PartitionLoader::ExtentInBatch(std::span<const Item> items) const {
  const ByteView bytes{buffer_.get(), loaded_};
  const auto header = [&](const Item& item) {
    return LoadRedoEntryHeader(bytes, item.offset);
  };
  Extent extent;
  while (!items.empty() && header(items.back()).is_free != 0) {
    extent.freed_end =
        std::max<uint64_t>(extent.freed_end, batch_offset_ + items.back().offset + 1);
    extent.freed_part = PartOf(header(items.back()));
    while (!items.empty() && PartOf(header(items.back())) == extent.freed_part)
      items = items.first(items.size() - 1);
  }
  for (auto item = items.rbegin(); item != items.rend() && !extent.rebuild.has_value(); ++item)
    if (header(*item).is_rebuild != 0) extent.rebuild = batch_offset_ + item->offset;
  return extent;
}

bool PartitionLoader::NextPage(PageRedo& redo) {
  const ByteView bytes{buffer_.get(), loaded_};
  while (next_item_ < index_.size()) {
    const uint64_t key = index_[next_item_].page_key;
    const size_t begin = next_item_;
    while (next_item_ < index_.size() && index_[next_item_].page_key == key)
      ++next_item_;
    const auto first = index_.begin() + static_cast<std::ptrdiff_t>(begin);
    auto last = std::remove_if(
        first, index_.begin() + static_cast<std::ptrdiff_t>(next_item_),
        [&](const Item& item) { return IsGone(LoadRedoEntryHeader(bytes, item.offset)); });
    if (first == last) continue;
    const Extent extent = ExtentOf({first, last});
    bool ends_free = false;
    last = std::remove_if(first, last, [&](const Item& item) {
      const uint64_t offset = batch_offset_ + item.offset;
      if (offset + 1 == extent.freed_end) ends_free = true;
      if (offset < extent.rebuild.value_or(0)) return true;
      return offset < extent.freed_end &&
             PartOf(LoadRedoEntryHeader(bytes, item.offset)) >= extent.freed_part;
    });
    if (first == last && !ends_free) continue;
    redo.page = {static_cast<innodb::SpaceId>(key >> 32), static_cast<innodb::PageNo>(key)};
    redo.bytes = bytes;
    redo.items = {first, last};
    redo.is_rebuilt_here = !redo.items.empty() && redo.Header(redo.items.front()).is_rebuild != 0;
    redo.is_rebuildable = extent.rebuild.has_value();
    redo.ends_free = ends_free;
    return true;
  }
  return false;
}

}  // namespace hbk::prepare
