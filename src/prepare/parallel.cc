#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "hbk/base/mutex.h"

namespace hbk::prepare {

Status RunParallel(uint32_t worker_count, size_t item_count,
                   const std::function<Status(uint32_t worker, size_t item)>& work) {
  std::atomic<size_t> next_item{0};
  std::atomic<bool> has_failed{false};
  Mutex mutex;
  Status first_error;
  const auto run = [&](uint32_t worker) {
    for (;;) {
      const size_t item = next_item++;
      if (item >= item_count || has_failed) return;
      Status status = work(worker, item);
      if (status.ok()) continue;
      const MutexLock lock(mutex);
      if (!has_failed) first_error = std::move(status);
      has_failed = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    const auto thread_count = static_cast<uint32_t>(std::min<size_t>(worker_count, item_count));
    threads.reserve(thread_count);
    for (uint32_t worker = 0; worker < thread_count; ++worker)
      threads.emplace_back(run, worker);
  }
  return first_error;
}

}  // namespace hbk::prepare
