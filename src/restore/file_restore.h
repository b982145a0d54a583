// One file on its way: read once, digested and written in the same pass.
//
// Cut into the chunks of its digest, so that several workers can share a huge file. Zeros are not
// written: the target's holes are where the source has holes or pages that were never used. A file
// whose plan has content of its own is read and digested, and that content is written.
//
// Errors   kCorruption: the digest does not fit, or the file became shorter. kInterrupted.
// Threads  Open, then Process from any number of threads, each range once, then Finish.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "hbk/base/aligned_buffer.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/io/file_system.h"
#include "hbk/report/reporter.h"

#include "created_entries.h"
#include "file_owner.h"
#include "restore_plan.h"

namespace hbk::restore {

// What all files of a run share.
struct RestoreContext {
  io::FileSystem& fs;
  CreatedEntries& created;
  FileOwner owner;
  std::stop_token stop;
};

class FileRestore {
 public:
  enum class Mode { kCopy, kCheckOnly };

  FileRestore(const RestoreContext& context, const PlannedFile& file, Mode mode);

  // Opens the source and makes the target. The target must not exist.
  Status Open();
  [[nodiscard]] uint64_t chunk_count() const { return digest_.chunk_count(); }
  // `buffer` holds a chunk. `done_bytes` grows as the work goes on.
  template <typename OnProgress>
  Status Process(uint64_t first_chunk, uint64_t end_chunk, AlignedBuffer& buffer,
                 OnProgress on_progress) {
    for (uint64_t index = first_chunk; index < end_chunk; ++index) {
      if (context_.stop.stop_requested()) return InterruptedError();
      HBK_RETURN_IF_ERROR(ProcessChunk(index, buffer));
      on_progress(ChunkBytes(index));
    }
    return OkStatus();
  }
  // After all chunks: checks the digest; size, mode and owner are set and everything is synced.
  Status Finish();

 private:
  [[nodiscard]] uint64_t ChunkBytes(uint64_t index) const;
  Status ProcessChunk(uint64_t index, AlignedBuffer& buffer);

  const RestoreContext& context_;
  const PlannedFile& file_;
  const Mode mode_;
  const uint64_t size_;
  const bool has_holes_;
  filter::TreeDigest digest_;
  std::unique_ptr<io::File> source_;
  std::unique_ptr<io::File> target_;  // none with kCheckOnly
};

}  // namespace hbk::restore
