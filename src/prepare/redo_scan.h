// Reads the redo once: page records go to the partitions, file records to the space logs.
//
// Errors   kCorruption: a record that no server writes, with its LSN. kInterrupted.
//
// Threads  Several sections of the redo at a time, each by one, with a store and a scan of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "hbk/base/status.h"
#include "hbk/report/reporter.h"

#include "partition_store.h"
#include "redo_filter.h"
#include "redo_reader.h"
#include "space_log.h"

namespace hbk::prepare {

struct RedoScan {
  SpaceLogs logs;
  redo::Lsn end_lsn = 0;
  uint64_t mtr_count = 0;
  uint64_t entry_count = 0;

  // Takes in what was read behind it.
  void Append(RedoScan later);
};

// How far all sections are, and whether they are to go on.
class ScanWatch {
 public:
  ScanWatch(report::Reporter& reporter, uint64_t total_bytes, std::stop_token stop)
      : reporter_(reporter), total_bytes_(total_bytes), stop_(std::move(stop)) {}

  // `section` has read so many bytes more. kInterrupted: it is to stop.
  Status Advance(uint32_t section, uint64_t bytes);
  // What is behind this section is not wanted any more.
  void StopBehind(uint32_t section);

 private:
  report::Reporter& reporter_;
  const uint64_t total_bytes_;
  const std::stop_token stop_;
  std::atomic<uint64_t> done_bytes_{0};
  std::atomic<uint32_t> last_section_{UINT32_MAX};
};

// Pages of 64 neighbours share a partition, so that they can be read and written together. Page 0
// of every tablespace goes to the last partition of the store.
uint32_t PartitionOf(innodb::PageId page, uint32_t partition_count);

// What of one log is read.
struct RedoPart {
  redo::Lsn start = 0;                 // a mini-transaction starts there; 0: the checkpoint
  redo::Lsn end_max = UINT64_MAX;      // none is read that starts there or behind it
  const RedoFilter* filter = nullptr;  // null: all counts
};

// To the end, wherever that is; sets scan.end_lsn to it. The redo of several backups goes into one
// scan, oldest first.
Status ScanRedo(RedoReader& reader, const RedoPart& part, PartitionStore::Section& section,
                RedoScan& scan, ScanWatch& watch);

}  // namespace hbk::prepare
