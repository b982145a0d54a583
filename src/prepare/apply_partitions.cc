// ApplyPartitions: the threads around PartitionApplier.

#include <algorithm>
#include <memory>
#include <numeric>

#include "parallel.h"
#include "partition_applier.h"

namespace hbk::prepare {
namespace {

// Large ones first, so that no thread is left alone with one at the end. Without the last one.
std::vector<uint32_t> PartitionsBySize(const PartitionStore& store) {
  std::vector<uint32_t> order(store.partition_count() - 1);
  std::iota(order.begin(), order.end(), 0U);
  std::erase_if(order, [&](uint32_t partition) { return store.bytes(partition) == 0; });
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return store.bytes(a) > store.bytes(b); });
  return order;
}

}  // namespace

Result<ApplyCounts> ApplyPartitions(const ApplyInput& input, const PartitionStore& store,
                                    report::Reporter& reporter) {
  const std::vector<uint32_t> order = PartitionsBySize(store);
  uint64_t total_bytes = 0;
  for (uint32_t partition = 0; partition < store.partition_count(); ++partition)
    total_bytes += store.bytes(partition);

  std::vector<std::unique_ptr<PartitionApplier>> appliers(input.plan.worker_count);
  std::atomic<uint64_t> done_bytes{0};
  const auto apply = [&](uint32_t worker, uint32_t partition) {
    if (appliers[worker] == nullptr)
      appliers[worker] = std::make_unique<PartitionApplier>(input, worker);
    Status applied = appliers[worker]->Apply(partition, done_bytes);
    if (!applied.ok()) return applied;
    reporter.Progress(done_bytes, total_bytes);
    return applied;
  };
  // First pages before all others: a file that a killed run leaves is known by them.
  HBK_RETURN_IF_ERROR(apply(0, store.partition_count() - 1));
  HBK_RETURN_IF_ERROR(
      RunParallel(input.plan.worker_count, order.size(),
                  [&](uint32_t worker, size_t item) { return apply(worker, order[item]); }));

  ApplyCounts sum;
  for (const auto& applier : appliers) {
    if (applier == nullptr) continue;
    HBK_ASSIGN_OR_RETURN(ApplyCounts counts, applier->Finish());
    sum.pages_written += counts.pages_written;
    sum.foreign_pages += counts.foreign_pages;
    sum.skipped_pages += counts.skipped_pages;
    sum.changed_files.merge(counts.changed_files);
  }
  return sum;
}

}  // namespace hbk::prepare
