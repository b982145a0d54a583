// Bytes without their long stretches of zeros: pages are often hardly filled.
//
// Format   docs/format/delta.md, "Runs without zeros".
// Errors   Decode: kCorruption without a place, if the bytes are not what Encode makes of some
// image
//          of that size.
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::delta {

// Into `encoded`; false, and of no use, if that would not save an eighth.
bool ElideZeros(ByteView image, std::vector<uint8_t>& encoded);
// `image` has the size that it had.
Status RestoreZeros(ByteView encoded, MutableByteView image);

}  // namespace hbk::delta
