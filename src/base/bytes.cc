#include "hbk/base/bytes.h"

namespace hbk {

bool IsAllZero(ByteView bytes) {
  if (bytes.empty()) return true;
  // Comparing the view with itself shifted by one lets memcmp do the work with wide registers.
  if (bytes[0] != 0) return false;
  return std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace hbk
