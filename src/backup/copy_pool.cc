#include "copy_pool.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace hbk::backup {

CopyPool::CopyPool(CopyEnvironment environment, std::vector<CopyJob> jobs)
    : forward_stop_(environment.stop, [this] { stop_source_.request_stop(); }),
      environment_(std::move(environment)),
      slots_(jobs.size()) {
  environment_.stop = stop_source_.get_token();
  for (size_t i = 0; i < jobs.size(); ++i) {
    slots_[i].copy = std::make_unique<FileCopy>(environment_, std::move(jobs[i]));
    by_size_.push_back(&slots_[i]);
  }
  std::sort(by_size_.begin(), by_size_.end(), [](const Slot* a, const Slot* b) {
    const CopyJob& left = a->copy->job();
    const CopyJob& right = b->copy->job();
    if (left.size_hint != right.size_hint) return left.size_hint > right.size_hint;
    return left.name < right.name;
  });
}

Result<std::vector<CopyResult>> CopyPool::Run(uint32_t workers) {
  const size_t useful = std::max<size_t>(1, workers);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < useful; ++i)
    threads.emplace_back([this] { Work(); });
  Work();
  for (std::thread& thread : threads)
    thread.join();
  {
    const MutexLock lock(mutex_);
    if (!status_.ok()) return status_;
  }
  std::vector<CopyResult> results;
  results.reserve(slots_.size());
  for (Slot& slot : slots_)
    results.push_back(std::move(slot.result));
  return results;
}

void CopyPool::Work() {
  CopyBuffers buffers;
  Slot* current = nullptr;
  while (const auto unit = Take(current)) {
    current = unit->slot;
    const Status status = Do(*unit, buffers);
    if (!status.ok()) return Fail(status);
  }
}

std::optional<CopyPool::Unit> CopyPool::Take(Slot* current) {
  const MutexLock lock(mutex_);
  while (true) {
    if (stop_source_.stop_requested()) {
      if (status_.ok()) status_ = InterruptedError();
      return std::nullopt;
    }
    const bool is_current_started =
        std::find(started_.begin(), started_.end(), current) != started_.end();
    if (!is_current_started && next_slot_ < by_size_.size()) {
      ++opening_count_;
      return Unit{by_size_[next_slot_++], std::nullopt};
    }
    if (Slot* slot = FindStarted(current)) {
      const Unit unit{slot, slot->next_range++};
      if (slot->next_range == slot->copy->range_count()) std::erase(started_, slot);
      return unit;
    }
    // What is being opened may have ranges for us.
    if (opening_count_ == 0) return std::nullopt;
    changed_.Wait(mutex_);
  }
}

CopyPool::Slot* CopyPool::FindStarted(Slot* current) {
  if (started_.empty()) return nullptr;
  const auto found = std::find(started_.begin(), started_.end(), current);
  return found != started_.end() ? *found : started_.front();
}

Status CopyPool::Do(const Unit& unit, CopyBuffers& buffers) {
  Slot& slot = *unit.slot;
  if (unit.range) {
    HBK_RETURN_IF_ERROR(slot.copy->CopyRange(*unit.range, buffers));
    uint64_t left = 0;
    {
      const MutexLock lock(mutex_);
      left = --slot.ranges_left;
    }
    return left == 0 ? FinishSlot(slot) : OkStatus();
  }
  const Status opened = slot.copy->Open(buffers);
  const uint64_t ranges = opened.ok() ? slot.copy->range_count() : 0;
  {
    const MutexLock lock(mutex_);
    --opening_count_;
    slot.ranges_left = ranges;
    if (ranges > 0) started_.push_back(&slot);
  }
  changed_.NotifyAll();
  HBK_RETURN_IF_ERROR(opened);
  return ranges == 0 ? FinishSlot(slot) : OkStatus();
}

Status CopyPool::FinishSlot(Slot& slot) {
  HBK_ASSIGN_OR_RETURN(slot.result, slot.copy->Close());
  slot.copy.reset();
  return OkStatus();
}

void CopyPool::Fail(const Status& status) {
  {
    const MutexLock lock(mutex_);
    // The others are only told to stop: the first error is the one to report.
    if (status_.ok()) status_ = status;
  }
  stop_source_.request_stop();
  changed_.NotifyAll();
}

}  // namespace hbk::backup
