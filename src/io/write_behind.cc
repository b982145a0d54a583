#include "write_behind.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>

#include "hbk/io/file_system.h"

namespace hbk::io {
namespace {

// Less at a time costs requests, more brings nothing: measured with 2 to 16 MiB.
constexpr uint64_t kRunBytes = 4 << 20;
// Threads that write one file, each its own part.
constexpr size_t kRunsMax = 8;
constexpr uint64_t kUnderWayBytesMax = 32 << 20;
// Small files are ranges, too; each holds a descriptor.
constexpr size_t kUnderWayRangesMax = 128;

int SyncRange(int fd, uint64_t offset, uint64_t size, unsigned flags) {
  int rc = 0;
  do {
    rc = sync_file_range(fd, static_cast<off64_t>(offset), static_cast<off64_t>(size), flags);
  } while (rc != 0 && errno == EINTR);
  return rc == 0 ? 0 : errno;
}

// Where the call does not exist, or not for such a file, the kernel writes when it wants to.
bool IsError(int error_number) {
  return error_number != 0 && error_number != EINVAL && error_number != ENOSYS &&
         error_number != ESPIPE;
}

}  // namespace

void WriteBehindQueue::Start(std::shared_ptr<OpenFile> file, uint64_t offset, uint64_t size) {
  if (file->fd.get() < 0) return;  // there was no descriptor left for it
  Note(*file, SyncRange(file->fd.get(), offset, size, SYNC_FILE_RANGE_WRITE));
  {
    const MutexLock lock(mutex_);
    ranges_.push_back({std::move(file), offset, size});
    bytes_ += size;
  }
  while (FinishOldest(kUnderWayBytesMax, kUnderWayRangesMax)) {
  }
}

void WriteBehindQueue::Drain() {
  while (FinishOldest(0, 0)) {
  }
}

Status WriteBehindQueue::status() {
  const MutexLock lock(mutex_);
  while (asking_ > 0)
    asked_.Wait(mutex_);
  return status_;
}

bool WriteBehindQueue::FinishOldest(uint64_t bytes_max, size_t ranges_max) {
  Range range;
  {
    const MutexLock lock(mutex_);
    if (bytes_ <= bytes_max && ranges_.size() <= ranges_max) return false;
    range = std::move(ranges_.front());
    ranges_.pop_front();
    bytes_ -= range.size;
    ++asking_;
  }
  const int fd = range.file->fd.get();
  Note(*range.file,
       SyncRange(fd, range.offset, range.size,
                 SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
  {
    const MutexLock lock(mutex_);
    --asking_;
  }
  asked_.NotifyAll();
  (void)posix_fadvise(fd, static_cast<off_t>(range.offset), static_cast<off_t>(range.size),
                      POSIX_FADV_DONTNEED);
  return true;
}

void WriteBehindQueue::Note(const OpenFile& file, int error_number) {
  if (!IsError(error_number)) return;
  const MutexLock lock(mutex_);
  if (status_.ok()) status_ = ErrnoStatus(error_number, "writing back " + file.path);
}

WriteBehind::WriteBehind(int fd, const std::string& path, WriteBehindQueue& queue)
    : file_(std::make_shared<WriteBehindQueue::OpenFile>(fcntl(fd, F_DUPFD_CLOEXEC, 0), path)),
      queue_(queue) {}

void WriteBehind::Wrote(uint64_t offset, uint64_t size) {
  Run ready;
  {
    const MutexLock lock(mutex_);
    Run run{offset, offset + size};
    // Two threads that write neighbours may come here in either order.
    const auto before = std::ranges::find(runs_, run.begin, &Run::end);
    if (before != runs_.end()) {
      run.begin = before->begin;
      runs_.erase(before);
    }
    const auto behind = std::ranges::find(runs_, run.end, &Run::begin);
    if (behind != runs_.end()) {
      run.end = behind->end;
      runs_.erase(behind);
    }
    if (run.end - run.begin >= kRunBytes) {
      // A page that is not whole yet would be written twice.
      ready = {run.begin, run.end / kDirectAlignment * kDirectAlignment};
      run.begin = ready.end;
    }
    if (run.begin < run.end) runs_.push_back(run);
    if (runs_.size() > kRunsMax) {
      ready = runs_.front();
      runs_.erase(runs_.begin());
    }
  }
  if (ready.begin < ready.end) queue_.Start(file_, ready.begin, ready.end - ready.begin);
}

void WriteBehind::Finish() {
  std::vector<Run> runs;
  {
    const MutexLock lock(mutex_);
    runs.swap(runs_);
  }
  for (const Run& run : runs)
    queue_.Start(file_, run.begin, run.end - run.begin);
}

}  // namespace hbk::io
