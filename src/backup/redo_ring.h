// The server's ib_logfile0, open: its head, and bytes of its ring as if it were endless.
//
// Format   docs/format/redo-log.md, "The file".
// Errors   kUnsupported: a format that is not known. kCorruption: a head that stays torn. Reading
// beyond the end of a file that got shorter: kFailed. Threads  One at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/redo/log_file.h"

namespace hbk::backup {

using innodb::Lsn;

// What one Read() got. Views point into the caller's buffer.
struct RingBytes {
  ByteView bytes;
  size_t index = 0;  // of bytes[0] in the buffer
};

class RedoRing {
 public:
  // How much more than the bytes asked for a buffer must hold: reads begin and end at multiples of
  // the alignment of direct I/O.
  static constexpr size_t kSlackBytes = 3 * io::kDirectAlignment;

  static Result<std::unique_ptr<RedoRing>> Open(io::FileSystem& fs, const std::string& path);

  // The `size` bytes from `lsn` on. size <= capacity, buffer.size() >= size + kSlackBytes.
  Result<RingBytes> Read(Lsn lsn, size_t size, AlignedBuffer& buffer);

  // Reads the checkpoint blocks anew.
  Result<redo::Checkpoint> ReadCheckpoint();

  [[nodiscard]] const redo::LogHead& head() const { return head_; }
  [[nodiscard]] const redo::LogFileHeader& header() const { return head_.header; }
  [[nodiscard]] const redo::LogGeometry& geometry() const { return geometry_; }
  [[nodiscard]] const redo::Checkpoint& checkpoint_at_open() const { return head_.checkpoint; }
  [[nodiscard]] const io::FileInfo& info() const { return info_; }
  [[nodiscard]] const std::string& path() const { return file_->path(); }

 private:
  RedoRing(std::unique_ptr<io::File> file, const io::FileInfo& info, redo::LogHead head,
           const redo::LogGeometry& geometry);

  static Result<redo::LogHead> ReadHead(io::File& file);
  Status ReadPart(uint64_t offset, size_t size, MutableByteView out);

  std::unique_ptr<io::File> file_;
  io::FileInfo info_;
  redo::LogHead head_;
  redo::LogGeometry geometry_;
  AlignedBuffer head_buffer_;
};

}  // namespace hbk::backup
