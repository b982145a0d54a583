// The pages of one tablespace file that an increment has: runs of neighbouring pages, each with a
// checksum of its own, behind one another.
//
// A writer only appends, so that a delta can be made while its tablespace is read by several
// threads, and could go through a pipe. The runs are in no order; no page is in two of them.
//
// Format   docs/format/delta.md. The number of a page is its place in the file: offset divided by
//          the page size; in the second file of a system tablespace that is not what the page
//          itself says.
// Units    Sizes and offsets are bytes; page_size is that of an image in the tablespace file.
// Memory   a writer or reader: about 1 MiB, and as much for each thread in Append or ReadRun; an
//          index: 32 bytes a run.
// Errors   kCorruption: not such a file, cut off, or damaged; the message names file and offset.
//          kUnsupported: a version this build does not know.
// Threads  Append: any number; the other calls of a writer: one, when all of them have returned.
//          ReadRun: any number; the other calls of a reader: one.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

namespace hbk::delta {

// What is put behind the name of a tablespace file.
constexpr std::string_view kDeltaSuffix = ".hbk_delta";
// Of one run.
constexpr uint32_t kRunBytesMax = 1 << 20;

struct DeltaHeader {
  uint32_t page_size = 0;
  innodb::SpaceId space_id = 0;
  bool operator==(const DeltaHeader&) const = default;
};

struct DeltaRun {
  uint32_t first_page = 0;
  uint32_t page_count = 0;
  // page_count * page_size; or less, of a single page whose rest is zeros (page_compressed).
  uint32_t byte_count = 0;
  uint64_t offset = 0;  // of the bytes in the delta file
  // Of these bytes, if they are without stretches of zeros; 0: they are as they are.
  uint32_t elided_bytes = 0;

  [[nodiscard]] uint32_t stored_bytes() const {
    return elided_bytes != 0 ? elided_bytes : byte_count;
  }
  bool operator==(const DeltaRun&) const = default;
};

struct DeltaSummary {
  uint64_t size = 0;  // of the delta file; 0: no page was appended, there is no file
  uint64_t page_count = 0;
  std::string digest;  // of the delta file, filter::TreeDigest; empty if there is none
};

class DeltaWriter {
 public:
  // The file is made by the first Append; it must not exist. Mode 0600.
  DeltaWriter(io::FileSystem& fs, std::string path, const DeltaHeader& header);

  // `bytes`: the images of `page_count` pages from `first_page` on; or the beginning, not empty, of
  // a single page whose rest is zeros. At most kRunBytesMax.
  Status Append(uint32_t first_page, uint32_t page_count, ByteView bytes) HBK_EXCLUDES(mutex_);
  // Writes what is left and closes; not synced. Called once, also after an error.
  Result<DeltaSummary> Finish() HBK_EXCLUDES(mutex_);

 private:
  Status AddBytes(ByteView bytes) HBK_REQUIRES(mutex_);
  Status Open() HBK_REQUIRES(mutex_);
  Status Flush() HBK_REQUIRES(mutex_);

  io::FileSystem& fs_;
  const std::string path_;
  const DeltaHeader header_;

  Mutex mutex_;
  std::unique_ptr<io::File> file_ HBK_GUARDED_BY(mutex_);
  AlignedBuffer buffer_ HBK_GUARDED_BY(mutex_);
  size_t used_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t written_ HBK_GUARDED_BY(mutex_) = 0;
  uint32_t run_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t page_count_ HBK_GUARDED_BY(mutex_) = 0;
  filter::GrowingDigest digest_ HBK_GUARDED_BY(mutex_);
};

class DeltaReader {
 public:
  static Result<std::unique_ptr<DeltaReader>> Open(io::FileSystem& fs, const std::string& path);

  [[nodiscard]] const DeltaHeader& header() const { return header_; }

  // Reads the whole file, with every checksum. The runs, in the order of the file.
  Result<std::vector<DeltaRun>> ReadIndex(const std::stop_token& stop);
  // The bytes of a run, checked once more; `out` has byte_count bytes.
  Status ReadRun(const DeltaRun& run, MutableByteView out);

 private:
  DeltaReader(std::unique_ptr<io::File> file, const DeltaHeader& header, uint32_t version,
              uint64_t size);
  [[nodiscard]] Status Damaged(uint64_t offset, std::string_view what) const;
  Result<bool> ReadHead(uint64_t offset, DeltaRun& run);
  Status ReadStored(const DeltaRun& run, MutableByteView out);

  std::unique_ptr<io::File> file_;
  const DeltaHeader header_;
  const uint32_t version_;
  const uint64_t size_;
  uint32_t runs_read_ = 0;
  uint64_t pages_read_ = 0;
};

}  // namespace hbk::delta
