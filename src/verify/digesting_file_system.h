// A file system that keeps nothing of what is written into it but sizes and digests, and the
// content of files that may be a manifest. An archive is extracted into it to see whether it could
// be.
//
// Files are made, written, renamed and removed, never read. A file that is not written from front
// to back has no digest.
//
// Memory   1 MiB for each file that is open; a manifest.
// Threads  As io::FileSystem.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/io/file_system.h"

namespace hbk::verify {

// A file as it was written.
class DigestedFile {
 public:
  void Write(uint64_t offset, ByteView data);
  void Truncate(uint64_t size);
  void Finish();

  [[nodiscard]] uint64_t size() const { return size_; }
  // Empty: it is not known.
  [[nodiscard]] const std::string& digest() const { return digest_; }
  // Of a file that begins as JSON does; else empty.
  [[nodiscard]] const std::string& content() const { return content_; }

 private:
  void Append(ByteView data);
  void AppendZeros(uint64_t count);

  uint64_t size_ = 0;
  bool is_in_order_ = true;
  std::vector<uint8_t> chunk_;
  filter::GrowingDigest growing_;
  std::string digest_;
  std::string content_;
  bool keeps_content_ = true;
};

class DigestingFileSystem final : public io::FileSystem {
 public:
  using Files = std::map<std::string, std::shared_ptr<DigestedFile>>;

  // By path. When nobody writes any more.
  [[nodiscard]] Files files() const HBK_EXCLUDES(mutex_);

  Result<std::unique_ptr<io::File>> Open(const std::string& path,
                                         const io::OpenOptions& options) override;
  Result<io::FileInfo> Stat(const std::string& path, bool follow) override;
  Result<std::vector<io::DirectoryEntry>> List(const std::string& path) override;
  Status MakeDirectory(const std::string& path, uint32_t mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Result<bool> KeepsFileTimes(const std::string& path) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Result<int64_t> LockHolder(const std::string& path) override;

 private:
  [[nodiscard]] bool IsDirectory(const std::string& path) const HBK_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Files files_ HBK_GUARDED_BY(mutex_);
  std::map<std::string, bool> directories_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::verify
