#include "memory_plan.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "hbk/redo/log_file.h"

namespace hbk::prepare {
namespace {

// The share of a worker holds two entries of the largest size and frames of the largest pages.
constexpr uint64_t kWorkerBytesMin = 4ULL << 20;
constexpr uint64_t kWindowBytesMax = 8ULL << 20;
constexpr uint32_t kPartitionCountMin = 4;
// A thread more is worth it for so much redo. Each has a block of each partition open: the more
// there are the smaller are the blocks.
constexpr uint64_t kSectionBytesMin = 4ULL << 20;
constexpr uint32_t kSectionCountMax = 8;
constexpr uint64_t kBlockBytesMin = 16ULL << 10;
// Behind the largest mini-transaction.
constexpr uint64_t kWindowBytesMin = redo::kMiniTransactionBytesMax + (64 << 10);
constexpr uint32_t kPartitionCountMax = 1024;

}  // namespace

uint64_t MemoryPlan::WorkerBytes() const {
  return entry_bytes + index_bytes + rebuilt_count * kRebuiltPageBytes + frame_bytes +
         journal_bytes;
}

uint64_t MemoryPlan::TotalBytes() const {
  return block_bytes * block_count +
         std::max<uint64_t>(section_count * window_bytes, worker_count * WorkerBytes());
}

Result<MemoryPlan> PlanMemory(uint64_t use_memory_bytes, uint32_t worker_count, uint64_t redo_bytes,
                              uint32_t reader_count) {
  if (use_memory_bytes < kUseMemoryBytesMin) {
    return UsageError(fmt::format("{} bytes of memory are too few to prepare with: {} at least",
                                  use_memory_bytes, kUseMemoryBytesMin));
  }
  const uint64_t half = use_memory_bytes / 2;
  MemoryPlan plan;
  plan.worker_count = std::clamp<uint32_t>(
      worker_count, 1,
      static_cast<uint32_t>(std::min<uint64_t>(half / kWorkerBytesMin, UINT32_MAX)));
  plan.section_count = static_cast<uint32_t>(std::clamp<uint64_t>(
      std::min({redo_bytes / kSectionBytesMin, half / kWindowBytesMin, uint64_t{reader_count}}), 1,
      kSectionCountMax));
  plan.window_bytes = std::min(kWindowBytesMax, half / plan.section_count);

  const uint64_t share = half / plan.worker_count;
  plan.entry_bytes = share / 32 * 9;
  // Enough, though each record were one of the smallest and of another page. It is seldom used up.
  plan.index_bytes = share / 32 * 14;
  plan.rebuilt_count = share / 32 * 2 / kRebuiltPageBytes;
  plan.frame_bytes = share / 32 * 4;
  plan.journal_bytes = share / 32 * 3;

  // A partition should fit into the entries of a worker, so that each page is read and written
  // once. Entries are larger than the redo that they come from, by up to a half.
  const uint64_t block_bytes = use_memory_bytes >= (128ULL << 20) ? 256 << 10 : 64 << 10;
  plan.block_bytes = std::max(kBlockBytesMin, block_bytes / std::bit_ceil(plan.section_count));
  plan.block_count = half / plan.block_bytes;
  const uint64_t wanted = redo_bytes * 2 / plan.entry_bytes + 1;
  // Half of the blocks at least are for full ones.
  const auto most = static_cast<uint32_t>(std::min<uint64_t>(
      kPartitionCountMax, std::max<uint64_t>(plan.block_count / 2 / plan.section_count, 1)));
  plan.partition_count =
      static_cast<uint32_t>(std::clamp<uint64_t>(wanted, std::min(kPartitionCountMin, most), most));
  return plan;
}

}  // namespace hbk::prepare
