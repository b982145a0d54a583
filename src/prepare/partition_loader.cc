#include "partition_loader.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::prepare {

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

template <typename Visit>
Result<uint64_t> PartitionLoader::LoadEntries(uint64_t offset, Visit visit) {
  loaded_ =
      static_cast<size_t>(std::min<uint64_t>(entry_bytes_, store_.bytes(partition_) - offset));
  const MutableByteView bytes{buffer_.get(), loaded_};
  HBK_RETURN_IF_ERROR(store_.Read(partition_, offset, bytes));
  size_t at = 0;
  while (loaded_ - at >= kRedoEntryHeaderBytes) {
    const RedoEntryHeader header = LoadRedoEntryHeader(bytes, at);
    const size_t size = kRedoEntryHeaderBytes + header.length;
    if (loaded_ - at < size) break;
    if (!visit(header, at)) break;
    at += size;
  }
  HBK_CHECK(at > 0);
  return offset + at;
}

Status PartitionLoader::FindRebuiltPages() {
  for (uint64_t offset = 0; offset < store_.bytes(partition_);) {
    Status status;
    HBK_ASSIGN_OR_RETURN(offset, LoadEntries(offset, [&](const RedoEntryHeader& header, size_t) {
                           if (header.is_rebuild == 0 || IsTrimmedEntry(header)) return true;
                           if (rebuilt_.size() == rebuilt_count_) status = CompactRebuilt();
                           if (!status.ok()) return false;
                           rebuilt_.push_back({header.page_key(), header.start_lsn});
                           return true;
                         }));
    HBK_RETURN_IF_ERROR(status);
  }
  return CompactRebuilt();
}

// Of each page the latest.
Status PartitionLoader::CompactRebuilt() {
  std::sort(rebuilt_.begin(), rebuilt_.end(), [](const Rebuilt& a, const Rebuilt& b) {
    return a.page_key != b.page_key ? a.page_key < b.page_key : a.start_lsn > b.start_lsn;
  });
  const auto end =
      std::unique(rebuilt_.begin(), rebuilt_.end(),
                  [](const Rebuilt& a, const Rebuilt& b) { return a.page_key == b.page_key; });
  rebuilt_.erase(end, rebuilt_.end());
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
  HBK_ASSIGN_OR_RETURN(next_offset_,
                       LoadEntries(next_offset_, [&](const RedoEntryHeader& header, size_t at) {
                         if (index_.size() == index_count_) return false;
                         index_.push_back({header.page_key(), static_cast<uint32_t>(at)});
                         return true;
                       }));
  std::sort(index_.begin(), index_.end(), [](const Item& a, const Item& b) {
    return a.page_key != b.page_key ? a.page_key < b.page_key : a.offset < b.offset;
  });
  return true;
}

bool PartitionLoader::IsTrimmedEntry(const RedoEntryHeader& header) const {
  if (logs_.trims.empty()) return false;
  const auto trims = logs_.trims.find(header.space);
  return trims != logs_.trims.end() &&
         IsTrimmed(trims->second, {header.space, header.page}, header.start_lsn);
}

innodb::Lsn PartitionLoader::RebuildLsn(std::span<const Item> items) const {
  const ByteView bytes{buffer_.get(), loaded_};
  if (!is_split_) {
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
      const RedoEntryHeader header = LoadRedoEntryHeader(bytes, item->offset);
      if (header.is_rebuild != 0) return header.start_lsn;
    }
    return 0;
  }
  const auto found =
      std::lower_bound(rebuilt_.begin(), rebuilt_.end(), items.front().page_key,
                       [](const Rebuilt& rebuilt, uint64_t key) { return rebuilt.page_key < key; });
  if (found == rebuilt_.end() || found->page_key != items.front().page_key) return 0;
  return found->start_lsn;
}

bool PartitionLoader::NextPage(PageRedo& redo) {
  const ByteView bytes{buffer_.get(), loaded_};
  while (next_item_ < index_.size()) {
    const uint64_t key = index_[next_item_].page_key;
    const size_t begin = next_item_;
    while (next_item_ < index_.size() && index_[next_item_].page_key == key)
      ++next_item_;
    std::span<const Item> items(index_.data() + begin, next_item_ - begin);
    // The redo that a truncation took away is the oldest of the page.
    while (!items.empty() && IsTrimmedEntry(LoadRedoEntryHeader(bytes, items.front().offset)))
      items = items.subspan(1);
    if (items.empty()) continue;
    const innodb::Lsn rebuild_lsn = RebuildLsn(items);
    while (!items.empty() &&
           LoadRedoEntryHeader(bytes, items.front().offset).start_lsn < rebuild_lsn)
      items = items.subspan(1);
    if (items.empty()) continue;
    redo.page = {static_cast<innodb::SpaceId>(key >> 32), static_cast<innodb::PageNo>(key)};
    redo.bytes = bytes;
    redo.items = items;
    redo.is_rebuilt_here = redo.Header(items.front()).is_rebuild != 0;
    redo.is_rebuildable = rebuild_lsn != 0;
    return true;
  }
  return false;
}

}  // namespace hbk::prepare
