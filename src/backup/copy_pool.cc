#include "copy_pool.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "hbk/base/check.h"

namespace hbk::backup {

namespace {

// More than that wait for the disk.
constexpr uint32_t kReadersAtOnce = 8;

}  // namespace

CopyThreads CopyThreads::Of(uint32_t workers) {
  // Whoever asks for one gets one.
  const uint32_t readers =
      workers <= 1 ? 1 : std::max(workers, std::min(2 * workers, kReadersAtOnce));
  workers = std::max(1U, workers);
  return {.large_readers = workers, .small_readers = readers - workers, .storers = workers};
}

CopyPool::CopyPool(CopyEnvironment environment, std::vector<CopyJob> jobs,
                   const CopyThreads& threads)
    : forward_stop_(environment.stop, [this] { stop_source_.request_stop(); }),
      environment_(std::move(environment)),
      slots_(jobs.size()),
      threads_(threads),
      full_(threads.storers),
      // Every buffer that there is finds room.
      free_(size_t{2} * threads.large_readers + threads.small_readers + threads.storers) {
  HBK_CHECK(threads.large_readers > 0 && threads.storers > 0);
  environment_.stop = stop_source_.get_token();
  for (size_t i = 0; i < jobs.size(); ++i) {
    slots_[i].copy = std::make_unique<FileCopy>(environment_, std::move(jobs[i]));
    by_size_.push_back(&slots_[i]);
  }
  // Besides those that the threads have in hand.
  for (uint32_t i = 0; i < threads_.large_readers; ++i)
    HBK_CHECK(free_.Push(AlignedBuffer()));
  std::sort(by_size_.begin(), by_size_.end(), [](const Slot* a, const Slot* b) {
    const CopyJob& left = a->copy->job();
    const CopyJob& right = b->copy->job();
    if (left.size_hint != right.size_hint) return left.size_hint > right.size_hint;
    return left.name < right.name;
  });
  const auto is_large = [](const Slot* slot) {
    return slot->copy->job().size_hint > kSmallFileBytes;
  };
  const auto small = std::partition_point(by_size_.begin(), by_size_.end(), is_large);
  small_begin_ = next_small_ = static_cast<size_t>(std::distance(by_size_.begin(), small));
}

Result<std::vector<CopyResult>> CopyPool::Run() {
  std::vector<std::thread> readers;
  std::vector<std::thread> storers;
  for (uint32_t i = 0; i < threads_.large_readers + threads_.small_readers; ++i)
    readers.emplace_back([this, i] { ReadFiles(/*takes_large=*/i < threads_.large_readers); });
  for (uint32_t i = 0; i < threads_.storers; ++i)
    storers.emplace_back([this] { StoreChunks(); });
  for (std::thread& thread : readers)
    thread.join();
  full_.Close();
  for (std::thread& thread : storers)
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

void CopyPool::ReadFiles(bool takes_large) {
  CopyBuffers buffers;
  Reader reader{.takes_large = takes_large};
  while (const auto unit = Take(reader)) {
    reader.current = unit->slot;
    const Status status = unit->range ? ReadRange(*unit, buffers) : Open(*unit->slot, buffers);
    if (!status.ok()) return Fail(status);
  }
}

void CopyPool::StoreChunks() {
  CopyBuffers buffers;
  while (auto full = full_.Pop()) {
    const Status status = Store(*full, buffers);
    if (!status.ok()) return Fail(status);
  }
}

std::optional<CopyPool::Unit> CopyPool::Take(const Reader& reader) {
  const MutexLock lock(mutex_);
  while (true) {
    // Whoever fails says so under the mutex: nobody can miss it and wait for ever.
    if (!status_.ok()) return std::nullopt;
    if (stop_source_.stop_requested()) {
      status_ = InterruptedError();
      return std::nullopt;
    }
    Slot* const started = FindStarted(reader);
    const bool goes_on = started != nullptr && started == reader.current;
    if (!goes_on) {
      if (Slot* const unopened = NextUnopened(reader)) {
        ++opening_count_;
        return Unit{unopened, std::nullopt};
      }
    }
    if (started != nullptr) {
      const Unit unit{started, started->next_range++};
      started->begun[*unit.range] = 1;
      if (started->next_range == started->range_count) std::erase(started_, started);
      return unit;
    }
    // What is being opened may have ranges for us; and what we are too far ahead in, later.
    if (!reader.takes_large || (opening_count_ == 0 && started_.empty())) return std::nullopt;
    changed_.Wait(mutex_);
  }
}

CopyPool::Slot* CopyPool::NextUnopened(const Reader& reader) {
  if (reader.takes_large && next_large_ < small_begin_) return by_size_[next_large_++];
  return next_small_ < by_size_.size() ? by_size_[next_small_++] : nullptr;
}

// The current one, or else the first, in which we are not too far ahead. One that reads small files
// goes on in none: what has become large meanwhile is left to the others.
CopyPool::Slot* CopyPool::FindStarted(const Reader& reader) {
  if (!reader.takes_large) return nullptr;
  const auto is_open = [](const Slot* slot) {
    return slot->begun.empty() || slot->next_range < slot->begun.begin()->first + kAheadRangesMax;
  };
  const auto found = std::ranges::find(started_, reader.current);
  if (found != started_.end() && is_open(*found)) return *found;
  const auto first = std::ranges::find_if(started_, is_open);
  return first != started_.end() ? *first : nullptr;
}

Status CopyPool::Open(Slot& slot, CopyBuffers& buffers) {
  const Status opened = slot.copy->Open(buffers);
  bool is_empty = false;
  {
    const MutexLock lock(mutex_);
    --opening_count_;
    slot.range_count = opened.ok() ? slot.copy->range_count() : 0;
    is_empty = slot.range_count == 0;
    if (!is_empty) slot.begun[slot.next_range++] = 1;
    if (slot.next_range < slot.range_count) started_.push_back(&slot);
  }
  changed_.NotifyAll();
  HBK_RETURN_IF_ERROR(opened);
  // Whoever has opened it has the beginning of it in his buffer.
  return is_empty ? FinishSlot(slot) : ReadRange({&slot, 0}, buffers);
}

Status CopyPool::ReadRange(const Unit& unit, CopyBuffers& buffers) {
  FileCopy& copy = *unit.slot->copy;
  for (const CopyPiece& piece : copy.PiecesOf(*unit.range)) {
    HBK_ASSIGN_OR_RETURN(const std::optional<size_t> got, copy.Read(piece, buffers.chunk));
    if (!got) continue;
    if (piece.size <= kHandedOverBytesMin) {
      HBK_RETURN_IF_ERROR(copy.Store(piece, *got, buffers));
      continue;
    }
    BeginChunk(unit);
    // Both fail only when somebody else has failed.
    if (!full_.Push({unit, piece, *got, std::move(buffers.chunk)})) return InterruptedError();
    auto next = free_.Pop();
    if (!next) return InterruptedError();
    buffers.chunk = std::move(*next);
  }
  return End(unit);
}

Status CopyPool::Store(FullChunk& full, CopyBuffers& buffers) {
  std::swap(full.bytes, buffers.chunk);
  HBK_RETURN_IF_ERROR(full.unit.slot->copy->Store(full.piece, full.got, buffers));
  if (!free_.Push(std::move(full.bytes))) return InterruptedError();
  return End(full.unit);
}

void CopyPool::BeginChunk(const Unit& unit) {
  const MutexLock lock(mutex_);
  ++unit.slot->begun.at(*unit.range);
}

Status CopyPool::End(const Unit& unit) {
  Slot& slot = *unit.slot;
  bool is_last = false;
  {
    const MutexLock lock(mutex_);
    if (--slot.begun.at(*unit.range) > 0) return OkStatus();
    slot.begun.erase(*unit.range);
    is_last = slot.begun.empty() && slot.next_range == slot.range_count;
  }
  changed_.NotifyAll();
  return is_last ? FinishSlot(slot) : OkStatus();
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
  full_.Close();
  free_.Close();
  changed_.NotifyAll();
}

}  // namespace hbk::backup
