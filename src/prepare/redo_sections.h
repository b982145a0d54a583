// Several threads read the redo, each a section of it.
//
// Where a section begins is a guess (hbk/redo/mtr_search.h), which the section before it proves or
// refutes: its thread reads on until it is there or beyond. So what comes out is what one thread
// would have made of it, errors included.
//
// Threads  One for each section.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "hbk/base/status.h"

#include "partition_store.h"
#include "redo_scan.h"

namespace hbk::prepare {

// Where a mini-transaction starts, in the logs of a chain.
struct RedoPlace {
  size_t log = 0;
  redo::Lsn lsn = 0;  // 0: where the log begins

  friend bool operator==(const RedoPlace&, const RedoPlace&) = default;
};

// Reads from `begin` on up to `end`, into the section's part of the store and into `scan`; without
// an end, all there is. Returns where it has ended: at `end`, or behind it, or where the log has
// ended before.
using ReadSection =
    std::function<Result<RedoPlace>(PartitionStore::Section& section, const RedoPlace& begin,
                                    const std::optional<RedoPlace>& end, RedoScan& scan)>;

// `begins` of as many sections as the store has at most, in the order of the redo; the first one is
// no guess. Each section starts with a copy of `empty`.
Result<RedoScan> ReadSections(const std::vector<RedoPlace>& begins, const RedoScan& empty,
                              PartitionStore& store, ScanWatch& watch, const ReadSection& read);

}  // namespace hbk::prepare
