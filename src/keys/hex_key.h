// Keys as hex digits.
//
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::keys {

// How many hex digits `text` begins with.
size_t HexDigitCount(std::string_view text);

// The bytes of 32, 48 or 64 hex digits. kMissingKey, without any digit in the message.
Result<Secret> ParseHexKey(std::string_view digits);

}  // namespace hbk::keys
