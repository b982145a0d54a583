// Whether increments fit to a base and to one another, by what is written in them.
//
// Errors   kChainBroken: they do not; with what is wanted instead.
// Threads  Pure functions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "backup_set.h"
#include "increment_source.h"

namespace hbk::prepare {

using IncrementList = std::vector<std::unique_ptr<IncrementSource>>;  // oldest first

// The increments follow one another, and the first follows the base.
Status CheckChain(const BackupSet& base, const IncrementList& increments);

}  // namespace hbk::prepare
