// A queue between threads that never holds more than it was told to.
//
// Threads  Any number of pushers and poppers.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "hbk/base/mutex.h"

namespace hbk {

template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t items_max) : items_max_(items_max) {}

  // Waits for room. False if the queue was closed: the item was not taken.
  [[nodiscard]] bool Push(T item) {
    MutexLock lock(mutex_);
    while (items_.size() >= items_max_ && !is_closed_)
      has_room_.Wait(mutex_);
    if (is_closed_) return false;
    items_.push_back(std::move(item));
    has_items_.NotifyOne();
    return true;
  }

  // Waits for an item. Nothing once the queue is closed and empty.
  [[nodiscard]] std::optional<T> Pop() {
    MutexLock lock(mutex_);
    while (items_.empty() && !is_closed_)
      has_items_.Wait(mutex_);
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    has_room_.NotifyOne();
    return item;
  }

  // Does not wait: nothing if there is none now.
  [[nodiscard]] std::optional<T> TryPop() {
    const MutexLock lock(mutex_);
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    has_room_.NotifyOne();
    return item;
  }

  // No more items will come; those inside can still be popped.
  void Close() {
    MutexLock lock(mutex_);
    is_closed_ = true;
    has_items_.NotifyAll();
    has_room_.NotifyAll();
  }

 private:
  const size_t items_max_;
  Mutex mutex_;
  CondVar has_items_;
  CondVar has_room_;
  std::deque<T> items_ HBK_GUARDED_BY(mutex_);
  bool is_closed_ HBK_GUARDED_BY(mutex_) = false;
};

}  // namespace hbk
