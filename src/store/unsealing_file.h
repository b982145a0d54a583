// A sealed file that is read.
//
// Opened for its content only when that is asked for: whoever only syncs it need not read.
//
// Threads  As io::File.
#pragma once

#include <memory>
#include <string>

#include "hbk/base/mutex.h"
#include "hbk/io/file_system.h"
#include "hbk/seal/data_key.h"

namespace hbk::store {

class UnsealingFile final : public io::File {
 public:
  // `path` is that without the suffix. The key must outlive the file.
  UnsealingFile(std::unique_ptr<io::File> below, std::string path, const seal::DataKey& key,
                const seal::FileId& id);

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override;
  Status WriteAt(uint64_t offset, ByteView data) override;
  Status Truncate(uint64_t size) override;
  Status PunchHole(uint64_t offset, uint64_t size) override;
  Status Sync() override;
  Result<io::FileInfo> Stat() override;
  Result<uint64_t> SeekData(uint64_t offset) override { return offset; }
  Status SetOwner(uint32_t uid, uint32_t gid) override;
  Status SetMode(uint32_t mode) override;
  Status Close() override;
  [[nodiscard]] const std::string& path() const override { return path_; }
  // It takes reads of any size.
  [[nodiscard]] bool is_direct() const override { return false; }
  [[nodiscard]] bool is_encoded() const override { return true; }

 private:
  [[nodiscard]] Status Cannot() const;
  Result<io::File*> Opened() HBK_EXCLUDES(mutex_);
  // Whichever there is.
  Result<io::File*> Any() HBK_EXCLUDES(mutex_);

  const std::string path_;
  const seal::DataKey& key_;
  const seal::FileId id_;
  Mutex mutex_;
  std::unique_ptr<io::File> below_ HBK_GUARDED_BY(mutex_);  // until it is opened
  std::unique_ptr<io::File> opened_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::store
