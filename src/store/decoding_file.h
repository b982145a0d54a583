// A stored file that is read as the plain one.
//
// Opened for its content only when that is asked for: whoever only syncs it need not read.
//
// Threads  As io::File.
#pragma once

#include <memory>
#include <string>

#include "hbk/base/mutex.h"
#include "hbk/codec/frame_codec.h"
#include "hbk/filter/compressed_file.h"
#include "hbk/io/file_system.h"

namespace hbk::store {

class DecodingFile final : public io::File {
 public:
  // `path` is the plain one.
  DecodingFile(std::unique_ptr<io::File> below, std::string path, codec::FrameMethod method);

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override;
  Status WriteAt(uint64_t offset, ByteView data) override;
  Status Truncate(uint64_t size) override;
  Status PunchHole(uint64_t offset, uint64_t size) override;
  Status Sync() override { return below_->Sync(); }
  Result<io::FileInfo> Stat() override;
  Result<uint64_t> SeekData(uint64_t offset) override { return offset; }
  Status SetOwner(uint32_t uid, uint32_t gid) override { return below_->SetOwner(uid, gid); }
  Status SetMode(uint32_t mode) override { return below_->SetMode(mode); }
  Result<bool> TryLock() override { return below_->TryLock(); }
  Status Close() override { return below_->Close(); }
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] bool is_direct() const override { return below_->is_direct(); }
  [[nodiscard]] bool is_encoded() const override { return true; }

 private:
  [[nodiscard]] Status Cannot() const;
  Result<filter::CompressedFileReader*> Reader() HBK_EXCLUDES(mutex_);

  const std::shared_ptr<io::File> below_;
  const std::string path_;
  const codec::FrameMethod method_;
  Mutex mutex_;
  std::unique_ptr<filter::CompressedFileReader> reader_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::store
