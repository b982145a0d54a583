// Bytes that are put behind one another into a file, in large aligned writes if it is a direct one.
//
// A direct write lasts as long as the disk takes. So a thread of the file's own does it: whoever
// appends compresses and seals what comes next in the meantime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bounded_queue.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::store {

// Memory   Three buffers of 1 MiB once that much has come; none if the file is not direct.
// Threads  One at a time.
class AppendedFile {
 public:
  explicit AppendedFile(std::unique_ptr<io::File> file);
  // What is not written yet is lost without Finish.
  ~AppendedFile();
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;

  // An error may be that of an earlier write.
  Status Append(ByteView bytes);
  // Writes what is left, and sets the size.
  Status Finish();
  // With or without Finish before.
  Status Close();
  [[nodiscard]] io::File& file() { return *file_; }
  [[nodiscard]] const io::File& file() const { return *file_; }

 private:
  // Writes that the thread has before it, and a buffer for each.
  static constexpr size_t kAheadMax = 1;
  static constexpr size_t kBuffersMax = kAheadMax + 2;

  struct FullBuffer {
    AlignedBuffer bytes;
    uint64_t offset = 0;
  };

  Status HandOver();
  Status WriteRest();
  void WriteBuffers() HBK_EXCLUDES(mutex_);
  Status StopWriter() HBK_EXCLUDES(mutex_);
  Status WriterError() HBK_EXCLUDES(mutex_);

  const std::unique_ptr<io::File> file_;
  AlignedBuffer buffer_;
  size_t used_ = 0;
  size_t buffer_count_ = 0;
  uint64_t written_ = 0;  // or handed over

  std::thread writer_;
  BoundedQueue<FullBuffer> full_{kAheadMax};
  BoundedQueue<AlignedBuffer> free_{kBuffersMax};
  Mutex mutex_;
  Status status_ HBK_GUARDED_BY(mutex_);  // of the writer
};

}  // namespace hbk::store
