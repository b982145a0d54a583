// A file that is being written, encoded on its way.
//
// See compressed_file_system.h for how it is written.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hbk/filter/compressed_file.h"
#include "hbk/io/file_system.h"

namespace hbk::store {

class EncodingFile final : public io::File {
 public:
  // `path` is the plain one.
  EncodingFile(std::unique_ptr<io::File> below, std::string path, filter::FrameEncoderPool& pool);

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override;
  Status WriteAt(uint64_t offset, ByteView data) override;
  Result<uint64_t> WriteSparse(uint64_t offset, ByteView data, size_t hole_bytes) override;
  Status SkipZeros(uint64_t offset, uint64_t size) override;
  Status Truncate(uint64_t size) override;
  Status PunchHole(uint64_t offset, uint64_t size) override;
  Status Sync() override;
  Result<io::FileInfo> Stat() override;
  Result<uint64_t> SeekData(uint64_t offset) override;
  Status SetOwner(uint32_t uid, uint32_t gid) override;
  Status SetMode(uint32_t mode) override;
  Status Close() override;
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] bool is_direct() const override { return below_->is_direct(); }
  [[nodiscard]] bool is_encoded() const override { return true; }

 private:
  [[nodiscard]] Status Cannot(std::string_view what) const;
  Status WriteChunk(uint64_t offset, ByteView data);
  Status AppendBytes(uint64_t offset, ByteView data);
  Status EncodeHeld();
  Status AppendStored(ByteView bytes);

  const std::string path_;
  const std::unique_ptr<io::File> below_;
  uint64_t stored_bytes_ = 0;  // written to it
  filter::CompressedFileWriter writer_;
  std::atomic<bool> is_begun_ = false;
  // Said before the first byte.
  std::optional<uint64_t> announced_;
  bool is_whole_ = false;  // Truncate has been called at the end
  // Else: the last chunk, which is not encoded before it is known to be whole.
  std::vector<uint8_t> held_;
  uint64_t held_index_ = 0;
  bool wants_sync_ = false;
  bool is_closed_ = false;
};

}  // namespace hbk::store
