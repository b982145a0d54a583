// A key slot as text.
//
// Threads  A pure function.
#pragma once

#include <string>

#include "hbk/seal/key_slots.h"

namespace hbk::seal {

// One line, without a line end.
std::string RenderSlot(const KeySlot& slot, bool has_wrapped);

}  // namespace hbk::seal
