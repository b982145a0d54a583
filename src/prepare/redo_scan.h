// Reads the redo once: page records go to the partitions, file records to the space logs.
//
// Errors   kCorruption: a record that no server writes, with its LSN. kInterrupted.
#pragma once

#include <cstdint>
#include <stop_token>

#include "hbk/base/status.h"
#include "hbk/report/reporter.h"

#include "partition_store.h"
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

// From the checkpoint to the end, wherever that is. `expected_end` is for the progress only.
Result<RedoScan> ScanRedo(RedoReader& reader, PartitionStore& store, redo::Lsn expected_end,
                          report::Reporter& reporter, const std::stop_token& stop);

}  // namespace hbk::prepare
