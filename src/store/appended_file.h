// Bytes that are put behind one another into a file, in large aligned writes if it is a direct one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::store {

// Threads  One at a time.
class AppendedFile {
 public:
  explicit AppendedFile(std::unique_ptr<io::File> file);
  Status Append(ByteView bytes);
  // Writes what is left, and sets the size.
  Status Finish();
  [[nodiscard]] io::File& file() { return *file_; }
  [[nodiscard]] const io::File& file() const { return *file_; }

 private:
  Status Flush();

  const std::unique_ptr<io::File> file_;
  AlignedBuffer buffer_;
  size_t used_ = 0;
  uint64_t written_ = 0;
};

}  // namespace hbk::store
