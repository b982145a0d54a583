#include "file_writers.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/check.h"

namespace hbk::extract {
namespace {

// As a backup into a directory has it.
constexpr uint64_t kHoleBytes = 64 << 10;

}  // namespace

FileWriters::FileWriters(io::FileSystem& fs, std::string directory, uint32_t thread_count)
    : fs_(fs), directory_(std::move(directory)) {
  for (uint32_t i = 0; i < std::max<uint32_t>(1, thread_count); ++i)
    workers_.push_back(std::make_unique<Worker>(kQueuedJobs));
  for (const auto& worker : workers_)
    worker->thread = std::thread([this, &worker = *worker] { Work(worker); });
}

FileWriters::~FileWriters() {
  has_failed_ = true;
  End();
}

std::string FileWriters::PathOf(uint64_t file) const {
  return io::JoinPath(directory_, std::to_string(file));
}

void FileWriters::End() {
  for (const auto& worker : workers_)
    worker->queue.Close();
  for (const auto& worker : workers_)
    if (worker->thread.joinable()) worker->thread.join();
}

Status FileWriters::Push(Job job) {
  if (has_failed_) {
    const MutexLock lock(mutex_);
    return status_;
  }
  Worker& worker = *workers_[job.file % workers_.size()];
  HBK_CHECK(worker.queue.Push(std::move(job)));
  return OkStatus();
}

Status FileWriters::Open(uint64_t file) {
  return Push({.kind = Kind::kOpen, .file = file, .offset = 0, .size = {}, .bytes = {}});
}

Status FileWriters::Write(uint64_t file, uint64_t offset, std::vector<uint8_t>& bytes) {
  HBK_RETURN_IF_ERROR(Push({.kind = Kind::kWrite,
                            .file = file,
                            .offset = offset,
                            .size = {},
                            .bytes = std::exchange(bytes, {})}));
  const MutexLock lock(mutex_);
  if (free_.empty()) return OkStatus();
  bytes = std::move(free_.back());
  free_.pop_back();
  return OkStatus();
}

Status FileWriters::Close(uint64_t file, std::optional<uint64_t> size) {
  return Push({.kind = Kind::kClose, .file = file, .offset = 0, .size = size, .bytes = {}});
}

Status FileWriters::Remove(uint64_t file) {
  return Push({.kind = Kind::kRemove, .file = file, .offset = 0, .size = {}, .bytes = {}});
}

Status FileWriters::Finish() {
  End();
  const MutexLock lock(mutex_);
  return status_;
}

void FileWriters::Work(Worker& worker) {
  while (auto job = worker.queue.Pop()) {
    // After a failure the queue is emptied, so that nobody waits for room.
    if (has_failed_) continue;
    const Status status = Do(worker, *job);
    const MutexLock lock(mutex_);
    if (job->bytes.capacity() > 0 && free_.size() < kQueuedJobs * workers_.size())
      free_.push_back(std::move(job->bytes));
    if (status.ok()) continue;
    if (status_.ok()) status_ = status;
    has_failed_ = true;
  }
}

Status FileWriters::Do(Worker& worker, Job& job) {
  switch (job.kind) {
    case Kind::kOpen: {
      HBK_ASSIGN_OR_RETURN(
          worker.open[job.file].file,
          fs_.Open(PathOf(job.file), {.write = true, .create = true, .mode = 0600}));
      return OkStatus();
    }
    case Kind::kWrite: return WritePiece(worker.open.at(job.file), job.offset, job.bytes);
    case Kind::kClose: return CloseFile(worker, job);
    case Kind::kRemove: {
      const auto node = worker.closed.extract(job.file);
      HBK_CHECK(!node.empty());
      bytes_ -= node.mapped();
      return fs_.Remove(PathOf(job.file));
    }
  }
  return OkStatus();
}

Status FileWriters::WritePiece(OpenFile& file, uint64_t offset, ByteView bytes) {
  file.data_end = std::max(file.data_end, offset + bytes.size());
  // Where something is already, zeros must be written.
  const auto is_hole = [&](uint64_t at, size_t size) {
    return offset + at >= file.written_end && IsAllZero(bytes.subspan(at, size));
  };
  const auto step = [&](uint64_t at) {
    return std::min<uint64_t>(kHoleBytes - (offset + at) % kHoleBytes, bytes.size() - at);
  };
  uint64_t begin = 0;
  while (begin < bytes.size()) {
    uint64_t end = begin;
    while (end < bytes.size() && !is_hole(end, step(end)))
      end += step(end);
    if (end > begin) {
      HBK_RETURN_IF_ERROR(file.file->WriteAt(offset + begin, bytes.subspan(begin, end - begin)));
      file.written_end = std::max(file.written_end, offset + end);
    }
    begin = end < bytes.size() ? end + step(end) : end;
  }
  return OkStatus();
}

Status FileWriters::CloseFile(Worker& worker, const Job& job) {
  auto node = worker.open.extract(job.file);
  HBK_CHECK(!node.empty());
  const OpenFile& file = node.mapped();
  const uint64_t size = job.size.value_or(file.data_end);
  if (size != file.written_end) HBK_RETURN_IF_ERROR(file.file->Truncate(size));
  HBK_RETURN_IF_ERROR(file.file->Sync());
  HBK_RETURN_IF_ERROR(file.file->Close());
  worker.closed[job.file] = size;
  bytes_ += size;
  return OkStatus();
}

}  // namespace hbk::extract
