// How prepare divides the memory that it may use.
//
// Two times ask for memory: while the redo is read (the windows of the readers and the blocks that
// hold the records by partition), and while it is applied (those blocks, and what each worker has
// to itself). Nothing in it grows with the redo: what does not fit into the blocks goes to a
// temporary file.
//
// Units    Bytes.
// Errors   kUsage: less than kUseMemoryBytesMin.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hbk/base/status.h"

namespace hbk::prepare {

constexpr uint64_t kUseMemoryBytesMin = 8ULL << 20;

struct MemoryPlan {
  uint32_t worker_count = 0;
  uint32_t partition_count = 0;  // of ordinary pages; first pages have one more of their own
  uint32_t section_count = 1;    // of the redo, each read by a thread
  size_t window_bytes = 0;       // of each of them
  size_t block_bytes = 0;
  size_t block_count = 0;

  // What each worker has to itself.
  size_t entry_bytes = 0;    // records of the partition in work
  size_t index_bytes = 0;    // to bring those records into the order of their pages
  size_t rebuilt_count = 0;  // pages known to be rebuilt, of a partition that is larger than that
  size_t frame_bytes = 0;    // page images
  size_t journal_bytes = 0;  // differences not written yet

  [[nodiscard]] uint64_t WorkerBytes() const;
  // The most that is in use at one time.
  [[nodiscard]] uint64_t TotalBytes() const;
};

// What the index takes at most for a record, and for a page with records; and a page in the list of
// those that are rebuilt. The smallest record has 26 bytes with its header.
constexpr size_t kIndexItemBytes = 4;
constexpr size_t kIndexPageBytes = 36;
constexpr size_t kRebuiltPageBytes = 16;
constexpr size_t kRedoEntryBytesMin = 26;

// `worker_count` and `reader_count` are what was asked for: fewer are planned where memory is
// short, and fewer readers where there is little to read: `redo_bytes`.
Result<MemoryPlan> PlanMemory(uint64_t use_memory_bytes, uint32_t worker_count, uint64_t redo_bytes,
                              uint32_t reader_count = 1);

}  // namespace hbk::prepare
