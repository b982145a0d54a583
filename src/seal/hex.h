// Bytes as hex digits, lower case, and back.
//
// Threads  Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "hbk/base/bytes.h"

namespace hbk::seal {

std::string ToHex(ByteView bytes);
// Fills all of `out`. False: another length, or other characters than 0-9 and a-f.
bool FromHex(std::string_view digits, MutableByteView out);

}  // namespace hbk::seal
