// Where the frames of a compressed file lie, and the table of that at its end.
//
// Format   docs/format/compressed-files.md.
// Units    Offsets and sizes are bytes.
// Memory   8 bytes a chunk when rendered, 16 when parsed.
// Errors   kCorruption: not such a table, or one that does not fit the file.
// Threads  One.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::filter {

constexpr uint32_t kFileChunkBytes = 1 << 20;

class SeekTable {
 public:
  // Of the last 9 bytes of a file: what TableBytes takes.
  static constexpr size_t kFooterBytes = 9;
  // The table's own size, which is at most that of the file.
  static Result<uint64_t> TableBytes(ByteView footer, uint64_t file_size);
  // `table` is the end of a file of that size, TableBytes long.
  static Result<SeekTable> Parse(ByteView table, uint64_t file_size);

  // The next frame. Every chunk but the last has kFileChunkBytes; none is empty (checked).
  void Add(uint32_t frame_size, uint32_t chunk_size);
  [[nodiscard]] std::vector<uint8_t> Render() const;

  struct Frame {
    uint64_t offset = 0;
    uint32_t size = 0;
    uint32_t chunk_size = 0;
  };
  [[nodiscard]] uint64_t chunk_count() const { return ends_.size(); }
  [[nodiscard]] Frame FrameOf(uint64_t index) const;
  // Of all frames.
  [[nodiscard]] uint64_t stored_size() const { return ends_.empty() ? 0 : ends_.back(); }
  // Of all chunks.
  [[nodiscard]] uint64_t plain_size() const;

 private:
  std::vector<uint64_t> ends_;  // of the frames
  uint32_t last_chunk_size_ = 0;
};

}  // namespace hbk::filter
