// A copy that is a file: as long as the source, with its holes.
//
// Threads  See CopyTarget.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "hbk/base/status.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/io/file_system.h"

#include "copy_target.h"

namespace hbk::backup {

class FileTarget final : public CopyTarget {
 public:
  struct Options {
    std::string path;  // must not exist
    uint64_t size = 0;
    // Of page_compressed pages, which live from holes: there every block of the file system counts.
    bool has_small_holes = false;
  };
  static Result<std::unique_ptr<CopyTarget>> Create(io::FileSystem& fs, Options options);

  Status Write(const FileChunk& chunk) override;
  Status SkipHole(uint64_t offset) override;
  Status Finish(uint64_t size, CopyResult& result) override;
  Status Discard() override;
  [[nodiscard]] bool is_encoded() const override { return file_->is_encoded(); }

 private:
  Status SkipRest();

  FileTarget(io::FileSystem& fs, Options options, std::unique_ptr<io::File> file);

  io::FileSystem& fs_;
  const Options options_;
  std::unique_ptr<io::File> file_;
  filter::TreeDigest digest_;
  std::atomic<uint64_t> written_bytes_ = 0;
};

}  // namespace hbk::backup
