// Gives the redo of a partition page by page, in page order, oldest first within a page.
//
// A partition that fits into the memory of a worker comes in one batch. A larger one comes in
// several, each with a stretch of the redo: a page may then come up once in each. It is read over
// once before, to learn which pages are rebuilt (INIT_PAGE, FREE_PAGE) and from where on their
// redo counts: what was before may not fit the page that is in the file.
//
// Errors   kFailed: more rebuilt pages, or a larger mtr, than there is memory for.
// Threads  One. Spans are good until the next batch.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hbk/base/huge_memory.h"
#include "hbk/base/status.h"

#include "memory_plan.h"
#include "partition_store.h"
#include "redo_entry.h"
#include "space_log.h"

namespace hbk::prepare {

// The redo of one page that counts.
struct PageRedo {
  struct Item {
    uint32_t offset;  // of the entry in `bytes`
  };
  static_assert(sizeof(Item) == kIndexItemBytes);

  innodb::PageId page;
  ByteView bytes;
  std::span<const Item> items;
  // Its first entry makes the page anew: what is in the file does not matter.
  bool is_rebuilt_here = false;
  // The redo makes it anew here or elsewhere: after a crash it can be had from the redo alone.
  bool is_rebuildable = false;
  // It ends as a freed one, in this batch. What is left in `items`, if anything, is of older
  // backups of a chain: had they been prepared one by one, it would be in the page that was then
  // freed.
  bool ends_free = false;

  // What it says of its page is not good any more.
  [[nodiscard]] RedoEntryHeader Header(const Item& item) const {
    return LoadRedoEntryHeader(bytes, item.offset);
  }
  // Into the cache of the processor. An entry is seldom longer than two of its lines.
  void Prefetch(const Item& item) const {
    constexpr size_t kLineBytes = 64;
    const uint8_t* const entry = bytes.data() + item.offset;
    __builtin_prefetch(entry);
    __builtin_prefetch(entry + kLineBytes);
  }
  [[nodiscard]] ByteView Records(const Item& item) const {
    return bytes.subspan(item.offset + kRedoEntryHeaderBytes, Header(item).length);
  }
};

class PartitionLoader {
 public:
  // Borrows both.
  PartitionLoader(const PartitionStore& store, const SpaceLogs& logs, const MemoryPlan& plan);

  Status Begin(uint32_t partition);
  // The partition comes in more than one batch.
  [[nodiscard]] bool is_split() const { return is_split_; }
  // False when the partition is at its end.
  Result<bool> NextBatch();
  // The next page of the batch; false at its end.
  bool NextPage(PageRedo& redo);
  // Bytes of the partition that have been loaded.
  [[nodiscard]] uint64_t loaded_bytes() const { return next_offset_; }

 private:
  using Item = PageRedo::Item;
  struct Rebuilt {
    uint64_t page_key;
    uint64_t offset : 47;  // of the entry in the partition
    uint64_t part : 16;    // of a chain
    uint64_t is_free : 1;
  };
  static_assert(sizeof(Rebuilt) == kRebuiltPageBytes);
  // A page of the batch.
  struct PageSlot {
    uint64_t page_key;
    uint32_t begin;  // of its items; while they are counted: how many they are
    uint32_t end;    // of those that are in their place
  };
  // The table of slots is at most half full, and at least a quarter once it has grown.
  static_assert(sizeof(PageSlot) + sizeof(uint32_t) + 4 * sizeof(uint32_t) == kIndexPageBytes);
  // What of a page's redo counts, by place in the partition.
  struct Extent {
    std::optional<uint64_t> rebuild;  // where it begins anew
    // Redo of this part and later ones in front of `freed_end`, which is behind a FREE_PAGE, went
    // away as the page was freed.
    uint32_t freed_part = UINT32_MAX;
    uint64_t freed_end = 0;
  };

  Status FindRebuiltPages();
  Status CompactRebuilt();
  // Loads whole mtrs from `offset` on, as many as there is room for, and calls `visit` for each of
  // their entries. Returns where they end.
  template <typename Visit>
  Result<uint64_t> LoadEntries(uint64_t offset, Visit visit);
  uint32_t SlotOf(uint64_t page_key);
  void GrowTable();
  // The number of its slot, in an entry of the batch, in place of its page.
  void StoreSlot(size_t at, uint32_t slot);
  [[nodiscard]] uint32_t LoadSlot(size_t at) const;
  void OrderItems(size_t item_count);
  [[nodiscard]] Extent ExtentOf(uint64_t page_key, std::span<const Item> items) const;
  [[nodiscard]] Extent ExtentInBatch(innodb::SpaceId space, std::span<const Item> items) const;

  const PartitionStore& store_;
  const SpaceLogs& logs_;
  const size_t entry_bytes_;
  const size_t index_bytes_;
  const size_t rebuilt_count_;
  uint32_t partition_ = 0;
  bool is_split_ = false;
  uint64_t batch_offset_ = 0;  // of buffer_ in the partition
  uint64_t next_offset_ = 0;
  HugeMemory buffer_;
  size_t loaded_ = 0;
  size_t entries_end_ = 0;   // of the batch, in buffer_
  std::vector<Item> items_;  // by page
  std::vector<PageSlot> slots_;
  std::vector<uint32_t> table_;  // of slots by page, open addressing; kNoSlot: free
  std::vector<uint32_t> order_;  // slots by page
  size_t next_page_ = 0;         // in order_
  std::vector<Rebuilt> rebuilt_;
};

}  // namespace hbk::prepare
