// Where two images of a page differ.
#pragma once

#include <cstdint>
#include <vector>

#include "hbk/base/bytes.h"

namespace hbk::prepare {

struct ByteRange {
  uint32_t offset = 0;
  uint32_t size = 0;
  bool operator==(const ByteRange&) const = default;
};

// Every byte in which the images, of one size, differ is in one of the ranges. Ranges are in order
// and apart by more than it costs to name one; a few equal bytes may be inside.
void FindDifferences(ByteView old_image, ByteView new_image, std::vector<ByteRange>& ranges);

}  // namespace hbk::prepare
