// What hbk key list says of the slots: a table for people, facts for programs.
//
// Threads  Pure functions.
#pragma once

#include <string>
#include <vector>

#include "hbk/report/reporter.h"
#include "hbk/seal/key_slots.h"

namespace hbk::cli {

// A heading, and a line for each slot.
std::string SlotTable(const std::vector<seal::KeySlot>& slots);
// slot, kind, created, label.
report::Facts SlotFacts(const seal::KeySlot& slot);

}  // namespace hbk::cli
