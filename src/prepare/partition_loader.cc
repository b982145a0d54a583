#include "partition_loader.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

constexpr uint64_t kOffsetMask = (uint64_t{1} << 47) - 1;
constexpr uint32_t kNoSlot = UINT32_MAX;
constexpr size_t kTableSizeMin = 1024;

// A multiplicative hash; its high bits are the mixed ones.
size_t HashOf(uint64_t page_key) {
  return static_cast<size_t>((page_key ^ page_key >> 29) * 0x9E3779B97F4A7C15ULL >> 32);
}

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
      index_bytes_(plan.index_bytes),
      rebuilt_count_(plan.rebuilt_count),
      buffer_(plan.entry_bytes) {
  HBK_CHECK(entry_bytes_ >= kRedoEntryBytesMax);
}

Status PartitionLoader::Begin(uint32_t partition) {
  partition_ = partition;
  next_offset_ = 0;
  order_.clear();
  next_page_ = 0;
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
  const MutableByteView bytes{buffer_.data(), loaded_};
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
  entries_end_ = end;
  return offset + end;
}

Status PartitionLoader::FindRebuiltPages() {
  const auto note_rebuild = [&](const RedoEntryHeader& header, size_t at) -> Status {
    if (header.is_rebuild == 0 || logs_.IsGone({header.space, header.page}, header.start_lsn))
      return OkStatus();
    if (rebuilt_.size() == rebuilt_count_) HBK_RETURN_IF_ERROR(CompactRebuilt());
    Rebuilt& rebuilt = rebuilt_.emplace_back();
    rebuilt.page_key = header.page_key();
    rebuilt.offset = (batch_offset_ + at) & kOffsetMask;
    rebuilt.part = logs_.PartOf(header.space, header.start_lsn) & 0xFFFF;
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
  slots_.clear();
  order_.clear();
  next_page_ = 0;
  if (next_offset_ == store_.bytes(partition_)) return false;
  table_.assign(std::max(table_.size(), kTableSizeMin), kNoSlot);
  size_t item_count = 0;
  const auto count = [&](const RedoEntryHeader& header, size_t at) {
    const uint32_t slot = SlotOf(header.page_key());
    ++slots_[slot].begin;
    StoreSlot(at, slot);
    ++item_count;
    return OkStatus();
  };
  HBK_ASSIGN_OR_RETURN(next_offset_, LoadEntries(next_offset_, count));
  // See PlanMemory: there is room for the smallest entries, each of another page.
  HBK_CHECK(item_count * kIndexItemBytes + slots_.size() * kIndexPageBytes <= index_bytes_);
  OrderItems(item_count);
  return true;
}

uint32_t PartitionLoader::SlotOf(uint64_t page_key) {
  if (!slots_.empty() && slots_.back().page_key == page_key)
    return static_cast<uint32_t>(slots_.size() - 1);
  const size_t mask = table_.size() - 1;
  size_t at = HashOf(page_key) & mask;
  for (; table_[at] != kNoSlot; at = (at + 1) & mask)
    if (slots_[table_[at]].page_key == page_key) return table_[at];
  const auto slot = static_cast<uint32_t>(slots_.size());
  slots_.push_back({page_key, 0, 0});
  table_[at] = slot;
  if (slots_.size() > table_.size() / 2) GrowTable();
  return slot;
}

void PartitionLoader::GrowTable() {
  table_.assign(table_.size() * 2, kNoSlot);
  const size_t mask = table_.size() - 1;
  for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
    size_t at = HashOf(slots_[slot].page_key) & mask;
    while (table_[at] != kNoSlot)
      at = (at + 1) & mask;
    table_[at] = slot;
  }
}

void PartitionLoader::StoreSlot(size_t at, uint32_t slot) {
  std::memcpy(buffer_.data() + at + offsetof(RedoEntryHeader, page), &slot, sizeof(slot));
}

uint32_t PartitionLoader::LoadSlot(size_t at) const {
  uint32_t slot = 0;
  std::memcpy(&slot, buffer_.data() + at + offsetof(RedoEntryHeader, page), sizeof(slot));
  return slot;
}

// Sorting by counting: they are in the order of the redo already.
void PartitionLoader::OrderItems(size_t item_count) {
  order_.resize(slots_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  std::sort(order_.begin(), order_.end(),
            [&](uint32_t a, uint32_t b) { return slots_[a].page_key < slots_[b].page_key; });
  uint32_t begin = 0;
  for (const uint32_t slot : order_) {
    const uint32_t count = slots_[slot].begin;
    slots_[slot].begin = slots_[slot].end = begin;
    begin += count;
  }
  items_.resize(item_count);
  const ByteView bytes{buffer_.data(), loaded_};
  for (size_t at = 0; at < entries_end_;) {
    items_[slots_[LoadSlot(at)].end++].offset = static_cast<uint32_t>(at);
    at += kRedoEntryHeaderBytes + LoadRedoEntryHeader(bytes, at).length;
  }
}

// By place, not by LSN: the server may change a page, drop it and make it anew in one mtr.
PartitionLoader::Extent PartitionLoader::ExtentOf(uint64_t page_key,
                                                  std::span<const Item> items) const {
  if (!is_split_) return ExtentInBatch(static_cast<innodb::SpaceId>(page_key >> 32), items);
  const auto first =
      std::lower_bound(rebuilt_.begin(), rebuilt_.end(), page_key,
                       [](const Rebuilt& rebuilt, uint64_t key) { return rebuilt.page_key < key; });
  Extent extent;
  for (auto item = first; item != rebuilt_.end() && item->page_key == page_key; ++item) {
    if (item->is_free == 0) {
      extent.rebuild = item->offset;
      break;
    }
    extent.freed_part = item->part;
    extent.freed_end = std::max<uint64_t>(extent.freed_end, item->offset + 1);
  }
  return extent;
}

PartitionLoader::Extent PartitionLoader::ExtentInBatch(innodb::SpaceId space,
                                                       std::span<const Item> items) const {
  const ByteView bytes{buffer_.data(), loaded_};
  const auto header = [&](const Item& item) {
    return LoadRedoEntryHeader(bytes, item.offset);
  };
  const auto part_of = [&](const Item& item) {
    return logs_.PartOf(space, header(item).start_lsn);
  };
  Extent extent;
  while (!items.empty() && header(items.back()).is_free != 0) {
    extent.freed_end =
        std::max<uint64_t>(extent.freed_end, batch_offset_ + items.back().offset + 1);
    extent.freed_part = part_of(items.back());
    while (!items.empty() && part_of(items.back()) == extent.freed_part)
      items = items.first(items.size() - 1);
  }
  for (auto item = items.rbegin(); item != items.rend() && !extent.rebuild.has_value(); ++item)
    if (header(*item).is_rebuild != 0) extent.rebuild = batch_offset_ + item->offset;
  return extent;
}

bool PartitionLoader::NextPage(PageRedo& redo) {
  const ByteView bytes{buffer_.data(), loaded_};
  while (next_page_ < order_.size()) {
    const PageSlot& slot = slots_[order_[next_page_++]];
    const uint64_t key = slot.page_key;
    const innodb::PageId page{static_cast<innodb::SpaceId>(key >> 32),
                              static_cast<innodb::PageNo>(key)};
    const auto first = items_.begin() + slot.begin;
    auto last = items_.begin() + slot.end;
    if (logs_.MayBeGone(page.space)) {
      last = std::remove_if(first, last, [&](const Item& item) {
        return logs_.IsGone(page, LoadRedoEntryHeader(bytes, item.offset).start_lsn);
      });
    }
    if (first == last) continue;
    const Extent extent = ExtentOf(key, {first, last});
    bool ends_free = false;
    if (extent.rebuild || extent.freed_end != 0) {
      last = std::remove_if(first, last, [&](const Item& item) {
        const uint64_t offset = batch_offset_ + item.offset;
        if (offset + 1 == extent.freed_end) ends_free = true;
        if (offset < extent.rebuild.value_or(0)) return true;
        return offset < extent.freed_end &&
               logs_.PartOf(page.space, LoadRedoEntryHeader(bytes, item.offset).start_lsn) >=
                   extent.freed_part;
      });
    }
    if (first == last && !ends_free) continue;
    redo.page = page;
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
