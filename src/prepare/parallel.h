// Runs one function for many items on a few threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "hbk/base/status.h"

namespace hbk::prepare {

// Calls work(worker, item) for each item from 0 on, each once, with worker < worker_count, until
// all are done or one fails; the first failure is returned once all threads have stopped. The
// calling thread only waits.
Status RunParallel(uint32_t worker_count, size_t item_count,
                   const std::function<Status(uint32_t worker, size_t item)>& work);

}  // namespace hbk::prepare
