// Threads that write the files of an archive under numbers: each file by one of them, in the order
// in which its pieces came.
//
// Stretches of 64 KiB of zeros become holes. A file is synced when it is closed.
//
// Units    Offsets and sizes are bytes.
// Memory   kQueuedJobs x 1 MiB for each thread.
// Errors   The first one of the file system comes back from every call after it.
// Threads  One that calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hbk/base/bounded_queue.h"
#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::extract {

class FileWriters {
 public:
  static constexpr size_t kQueuedJobs = 4;

  // Into `directory`, which must exist.
  FileWriters(io::FileSystem& fs, std::string directory, uint32_t thread_count);
  // Ends the threads, whatever is left to do.
  ~FileWriters();
  FileWriters(const FileWriters&) = delete;
  FileWriters& operator=(const FileWriters&) = delete;

  Status Open(uint64_t file);
  // Takes the bytes and gives back a vector that can be filled again.
  Status Write(uint64_t file, uint64_t offset, std::vector<uint8_t>& bytes);
  // nullopt: it ends where its data does.
  Status Close(uint64_t file, std::optional<uint64_t> size);
  Status Remove(uint64_t file);  // a closed one
  // Waits until everything is done. No other call after it.
  Status Finish();

  [[nodiscard]] std::string PathOf(uint64_t file) const;
  // Sizes of the files that were closed and not removed.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  enum class Kind { kOpen, kWrite, kClose, kRemove };
  struct Job {
    Kind kind = Kind::kOpen;
    uint64_t file = 0;
    uint64_t offset = 0;
    std::optional<uint64_t> size;
    std::vector<uint8_t> bytes;
  };
  struct OpenFile {
    std::unique_ptr<io::File> file;
    uint64_t written_end = 0;  // behind it there is nothing yet
    uint64_t data_end = 0;     // with zeros that were left out
  };
  // A thread, and the files that are its own.
  struct Worker {
    explicit Worker(size_t jobs_max) : queue(jobs_max) {}
    BoundedQueue<Job> queue;
    std::map<uint64_t, OpenFile> open;
    std::map<uint64_t, uint64_t> closed;  // sizes
    std::thread thread;
  };

  Status Push(Job job) HBK_EXCLUDES(mutex_);
  void Work(Worker& worker) HBK_EXCLUDES(mutex_);
  Status Do(Worker& worker, Job& job);
  static Status WritePiece(OpenFile& file, uint64_t offset, ByteView bytes);
  Status CloseFile(Worker& worker, const Job& job);
  void End() HBK_EXCLUDES(mutex_);

  io::FileSystem& fs_;
  const std::string directory_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<bool> has_failed_ = false;
  Mutex mutex_;
  Status status_ HBK_GUARDED_BY(mutex_);
  std::vector<std::vector<uint8_t>> free_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::extract
