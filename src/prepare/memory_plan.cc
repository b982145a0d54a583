#include "memory_plan.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

// The share of a worker holds two entries of the largest size and frames of the largest pages.
constexpr uint64_t kWorkerBytesMin = 4ULL << 20;
constexpr uint64_t kWindowBytesMax = 8ULL << 20;
constexpr uint32_t kPartitionCountMin = 4;
constexpr uint32_t kPartitionCountMax = 1024;

}  // namespace

uint64_t MemoryPlan::WorkerBytes() const {
  return entry_bytes + index_bytes + rebuilt_count * kRebuiltPageBytes + frame_bytes +
         journal_bytes;
}

uint64_t MemoryPlan::TotalBytes() const {
  return block_bytes * block_count + std::max<uint64_t>(window_bytes, worker_count * WorkerBytes());
}

Result<MemoryPlan> PlanMemory(uint64_t use_memory_bytes, uint32_t worker_count,
                              uint64_t redo_bytes) {
  if (use_memory_bytes < kUseMemoryBytesMin) {
    return UsageError(fmt::format("{} bytes of memory are too few to prepare with: {} at least",
                                  use_memory_bytes, kUseMemoryBytesMin));
  }
  const uint64_t half = use_memory_bytes / 2;
  MemoryPlan plan;
  plan.worker_count = std::clamp<uint32_t>(
      worker_count, 1,
      static_cast<uint32_t>(std::min<uint64_t>(half / kWorkerBytesMin, UINT32_MAX)));
  plan.window_bytes = std::min(kWindowBytesMax, half);

  const uint64_t share = half / plan.worker_count;
  plan.entry_bytes = share / 32 * 9;
  // Enough, though each record were one of the smallest and of another page. It is seldom used up.
  plan.index_bytes = share / 32 * 14;
  plan.rebuilt_count = share / 32 * 2 / kRebuiltPageBytes;
  plan.frame_bytes = share / 32 * 4;
  plan.journal_bytes = share / 32 * 3;

  // A partition should fit into the entries of a worker, so that each page is read and written
  // once. Entries are larger than the redo that they come from, by up to a half.
  plan.block_bytes = use_memory_bytes >= (128ULL << 20) ? 256 << 10 : 64 << 10;
  plan.block_count = half / plan.block_bytes;
  const uint64_t wanted = redo_bytes * 2 / plan.entry_bytes + 1;
  // Each partition keeps one block open; half of the blocks at least are for full ones.
  const auto most = static_cast<uint32_t>(
      std::min<uint64_t>(kPartitionCountMax, std::max<uint64_t>(plan.block_count / 2, 1)));
  plan.partition_count =
      static_cast<uint32_t>(std::clamp<uint64_t>(wanted, std::min(kPartitionCountMin, most), most));
  return plan;
}

}  // namespace hbk::prepare
