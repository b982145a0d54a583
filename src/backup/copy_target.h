// Where the content of a file goes: into a file of its own (file_target.h), or, of a tablespace in
// an increment, into a delta (delta_target.h).
//
// Threads  Write and SkipHole: any number, each chunk once; Finish or Discard once, when all of
// them
//          have returned.
#pragma once

#include <cstdint>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

// Smaller files are not worth the calls that keep them out of the page cache.
constexpr uint64_t kLargeBytesMin = 64 << 10;

constexpr uint64_t AlignUp(uint64_t size) {
  return (size + io::kDirectAlignment - 1) / io::kDirectAlignment * io::kDirectAlignment;
}

// A part of a file as it is to be copied: checked, and without what does not belong to it.
struct FileChunk {
  uint64_t offset = 0;  // of a whole copy, a multiple of kCopyBufferBytes
  ByteView bytes;       // ends with zeros at a multiple of io::kDirectAlignment
  size_t size = 0;      // bytes of the file in it
  // Offsets in the file of pages that stayed bad.
  std::vector<uint64_t> damaged = {};
};

class CopyTarget {
 public:
  CopyTarget() = default;
  virtual ~CopyTarget() = default;
  CopyTarget(const CopyTarget&) = delete;
  CopyTarget& operator=(const CopyTarget&) = delete;

  virtual Status Write(const FileChunk& chunk) = 0;
  // The chunk at `offset` is all zeros, and was not read.
  virtual Status SkipHole(uint64_t offset) = 0;
  // `size` is that of the file: it may have become shorter. What the target has, and how long it
  // is, is noted in the result. Not synced.
  virtual Status Finish(uint64_t size, CopyResult& result) = 0;
  // Leaves nothing behind.
  virtual Status Discard() = 0;
  // Chunks wait for those before them.
  [[nodiscard]] virtual bool is_encoded() const { return false; }
};

}  // namespace hbk::backup
