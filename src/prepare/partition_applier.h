// A worker: applies the redo of whole partitions to the pages in the files.
//
// Pages are gathered until the memory for them is full; then they are read, in runs of neighbours,
// decoded, brought forward, encoded, their changes committed to the journal, and those that changed
// written back, in runs again. Short images of page_compressed pages are written one by one, each
// with a hole behind it.
//
// Errors   kCorruption: a damaged page, redo that does not fit, a page newer than the log; with
//          file, page and LSN. kInterrupted.
// Threads  One applier for each.
#pragma once

#include <atomic>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/aligned_buffer.h"
#include "hbk/report/reporter.h"

#include "damaged_pages.h"
#include "page_journal.h"
#include "partition_loader.h"
#include "tablespace_io.h"

namespace hbk::prepare {

// What all workers share, and none changes.
struct ApplyInput {
  io::FileSystem& fs;
  const BackupSet& set;
  const PartitionStore& store;
  const SpaceLogs& logs;
  const TablespaceTable& table;
  const MemoryPlan& plan;
  innodb::Lsn start_lsn = 0;
  innodb::Lsn end_lsn = 0;
  std::stop_token stop;
  const manifest::DamagedPageList* damaged = nullptr;  // null: there are none
};

struct ApplyCounts {
  uint64_t pages_written = 0;
  uint64_t foreign_pages = 0;  // changed by something that is not in the redo
  uint64_t skipped_pages = 0;  // damaged, and known to be
  std::set<std::string> changed_files;
};

class PartitionApplier {
 public:
  PartitionApplier(const ApplyInput& input, uint32_t number);

  // Adds the bytes of redo dealt with to `done_bytes`.
  Status Apply(uint32_t partition, std::atomic<uint64_t>& done_bytes);
  // Once, after the last partition.
  Result<ApplyCounts> Finish();

 private:
  struct StagedPage {
    const Tablespace* space = nullptr;
    PageRedo redo;
    size_t frame_offset = 0;
    uint32_t size = 0;
    uint32_t image_bytes = 0;  // of the new image; less than size where it is page_compressed
    bool is_changed = false;
  };

  Status ApplyBatch();
  Status Stage(const PageRedo& redo, const Tablespace& space);
  Status ReleasePage(const PageRedo& redo, const Tablespace& space);
  // Reads, applies, journals and writes all staged pages.
  Status Flush();
  Status ReadFrames();
  // Calls `visit` with the first page of each run of neighbours, and its bytes.
  template <typename Visit>
  Status ForEachRunToRead(Visit visit) const;
  Status ApplyPage(StagedPage& page);
  // A page that is known to be damaged keeps what is in its file.
  [[nodiscard]] bool IsForgiven(const StagedPage& page, const Status& applied) const;
  // From image to frame in place; the image is kept in old_page_.
  Result<innodb::PageCoding> OpenFrame(const StagedPage& page, MutableByteView frame);
  // From frame to image in place.
  Status CloseFrame(StagedPage& page, const innodb::PageCoding& was, MutableByteView frame);
  [[nodiscard]] Status CheckPageLsn(ByteView frame) const;
  Status WriteFrames();
  Status LimitJournal();
  // Ends of the run of neighbours in file and memory that starts at staged page `begin`.
  template <typename Belongs>
  [[nodiscard]] size_t EndOfRun(size_t begin, Belongs belongs) const;
  [[nodiscard]] MutableByteView Frame(const StagedPage& page);

  const ApplyInput& input_;
  PartitionLoader loader_;
  TablespaceIo io_;
  PageJournal journal_;
  AlignedBuffer frames_;
  size_t frames_used_ = 0;
  AlignedBuffer old_page_;
  AlignedBuffer new_page_;
  std::vector<StagedPage> staged_;
  ApplyCounts counts_;
};

// Applies all partitions of the store with plan.worker_count threads.
Result<ApplyCounts> ApplyPartitions(const ApplyInput& input, const PartitionStore& store,
                                    report::Reporter& reporter);

}  // namespace hbk::prepare
