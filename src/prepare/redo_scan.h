// Reads the redo once: page records go to the partitions, file records to the space logs.
//
// Errors   kCorruption: a record that no server writes, with its LSN. kInterrupted.
#pragma once

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
};

// Pages of 64 neighbours share a partition, so that they can be read and written together. Page 0
// of every tablespace goes to the last partition of the store.
uint32_t PartitionOf(innodb::PageId page, uint32_t partition_count);

// The redo of one backup of a chain.
struct RedoPart {
  redo::Lsn expected_end = 0;          // for the progress only
  redo::Lsn end_max = UINT64_MAX;      // it is not read from there on
  const RedoFilter* filter = nullptr;  // null: all counts
};

// From the checkpoint to the end, wherever that is; sets scan.end_lsn to it. The redo of several
// backups goes into one scan, oldest first.
Status ScanRedo(RedoReader& reader, const RedoPart& part, PartitionStore& store, RedoScan& scan,
                report::Reporter& reporter, const std::stop_token& stop);

}  // namespace hbk::prepare
