#include "restore_pool.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace hbk::restore {
namespace {

constexpr uint64_t kRangeChunks = 64;  // a file larger than 64 MiB is shared

}  // namespace

RestorePool::RestorePool(const RestoreContext& context,
                         const std::vector<const PlannedFile*>& files, FileRestore::Mode mode,
                         RestoreProgress& progress)
    : context_(context), files_(files), mode_(mode), progress_(progress) {}

Status RestorePool::Run(uint32_t worker_count) {
  {
    std::vector<std::jthread> workers;
    for (uint32_t i = 1; i < worker_count; ++i)
      workers.emplace_back([this] { Work(); });
    Work();
  }
  MutexLock lock(mutex_);
  return failure_.value_or(OkStatus());
}

void RestorePool::Work() {
  AlignedBuffer buffer(filter::TreeDigest::kChunkBytes);
  while (std::optional<Task> task = Next()) {
    const Status status = Do(std::move(*task), buffer);
    if (!status.ok()) Fail(status);
  }
}

std::optional<RestorePool::Task> RestorePool::Next() {
  MutexLock lock(mutex_);
  while (true) {
    if (failure_) return std::nullopt;
    if (!ranges_.empty()) {
      Task task = std::move(ranges_.front());
      ranges_.pop_front();
      return task;
    }
    if (next_file_ < files_.size()) {
      ++opening_count_;
      return Task{.file = files_[next_file_++], .job = nullptr};
    }
    if (opening_count_ == 0) return std::nullopt;
    // A file that is just being opened may have ranges to give away.
    changed_.Wait(mutex_);
  }
}

Status RestorePool::Do(Task task, AlignedBuffer& buffer) {
  if (!task.job) {
    if (context_.stop.stop_requested()) return InterruptedError();
    HBK_RETURN_IF_ERROR(OpenFile(task));
  }
  const auto on_progress = [this](uint64_t bytes) {
    progress_.Add(bytes);
  };
  HBK_RETURN_IF_ERROR(
      task.job->restore.Process(task.first_chunk, task.end_chunk, buffer, on_progress));
  const uint64_t count = task.end_chunk - task.first_chunk;
  if (task.job->chunks_left.fetch_sub(count) != count) return OkStatus();
  return task.job->restore.Finish();
}

Status RestorePool::OpenFile(Task& task) {
  auto job = std::make_shared<Job>(context_, *task.file, mode_);
  const Status status = job->restore.Open();
  const uint64_t chunk_count = job->restore.chunk_count();
  job->chunks_left = chunk_count;
  MutexLock lock(mutex_);
  --opening_count_;
  changed_.NotifyAll();
  HBK_RETURN_IF_ERROR(status);
  uint64_t first = 0;
  for (; chunk_count - first > kRangeChunks; first += kRangeChunks) {
    ranges_.push_back(
        {.file = task.file, .job = job, .first_chunk = first, .end_chunk = first + kRangeChunks});
  }
  task.job = std::move(job);
  task.first_chunk = first;
  task.end_chunk = chunk_count;
  return OkStatus();
}

void RestorePool::Fail(const Status& status) {
  MutexLock lock(mutex_);
  if (!failure_) failure_ = status;
  ranges_.clear();
  changed_.NotifyAll();
}

}  // namespace hbk::restore
