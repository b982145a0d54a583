// A file that is being written, sealed on its way.
//
// See sealed_file_system.h for how it is written.
#pragma once

#include <memory>
#include <string>

#include "hbk/io/file_system.h"
#include "hbk/seal/sealed_file.h"

namespace hbk::store {

class SealingFile final : public io::File {
 public:
  // `path` is that without the suffix.
  static Result<std::unique_ptr<SealingFile>> Create(std::unique_ptr<io::File> below,
                                                     std::string path, const seal::DataKey& key,
                                                     const seal::FileId& id);

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override;
  Status WriteAt(uint64_t offset, ByteView data) override;
  Status Truncate(uint64_t size) override;
  Status PunchHole(uint64_t offset, uint64_t size) override;
  Status Sync() override;
  Result<io::FileInfo> Stat() override { return below_->Stat(); }
  Result<uint64_t> SeekData(uint64_t offset) override { return offset; }
  Status SetOwner(uint32_t uid, uint32_t gid) override { return below_->SetOwner(uid, gid); }
  Status SetMode(uint32_t mode) override { return below_->SetMode(mode); }
  Status Close() override;
  [[nodiscard]] const std::string& path() const override { return path_; }
  // It takes writes of any size.
  [[nodiscard]] bool is_direct() const override { return false; }
  [[nodiscard]] bool is_encoded() const override { return true; }

 private:
  SealingFile(std::unique_ptr<io::File> below, std::string path);
  [[nodiscard]] Status Cannot(std::string_view what) const;
  Status AppendSealed(ByteView bytes);

  const std::string path_;
  const std::unique_ptr<io::File> below_;
  uint64_t sealed_bytes_ = 0;  // written to it
  std::unique_ptr<seal::SealedWriter> writer_;
  bool wants_sync_ = false;
  bool is_closed_ = false;
};

}  // namespace hbk::store
