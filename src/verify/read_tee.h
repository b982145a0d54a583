// Shows what somebody else reads of one file, so that it need not be read again for its digest.
//
// Whoever reads the file through this file system does so mostly from front to back. The sink gets
// each byte once and in order, in chunks; what was passed over is read for it.
//
// Memory   One chunk.
// Errors   Of the reader: those of the file. Of what is read for the sink alone: RestTo.
// Threads  The file: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/status.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/io/forwarding_file_system.h"

namespace hbk::verify {

class ReadTee final : public io::ForwardingFileSystem {
 public:
  static constexpr uint64_t kChunkBytes = filter::TreeDigest::kChunkBytes;
  // `bytes`: kChunkBytes at a multiple of that; in the end, fewer.
  using Sink = std::function<void(uint64_t offset, ByteView bytes)>;

  // Borrows `below`.
  ReadTee(io::FileSystem& below, std::string path, Sink sink)
      : ForwardingFileSystem(below),
        path_(std::move(path)),
        sink_(std::move(sink)),
        chunk_(kChunkBytes) {}

  Result<std::unique_ptr<io::File>> Open(const std::string& path,
                                         const io::OpenOptions& options) override;

  // Reads what nobody has read, up to `size`, and gives the sink the last chunk. kFailed if the
  // file is shorter.
  Status RestTo(uint64_t size);
  // So much was seen.
  [[nodiscard]] uint64_t position() const { return position_; }

 private:
  friend class TeeFile;

  void Show(uint64_t offset, ByteView bytes);
  Status ReadUpTo(io::File& file, uint64_t offset);
  // A part of the chunk that begins at position_.
  void Append(ByteView bytes);

  const std::string path_;
  const Sink sink_;
  AlignedBuffer chunk_;
  uint64_t position_ = 0;
};

}  // namespace hbk::verify
