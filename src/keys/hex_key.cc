#include "hex_key.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace hbk::keys {
namespace {

// -1: no hex digit.
int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

size_t HexDigitCount(std::string_view text) {
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return DigitValue(c) < 0; });
  return static_cast<size_t>(end - text.begin());
}

Result<Secret> ParseHexKey(std::string_view digits) {
  const size_t count = HexDigitCount(digits);
  if (count != digits.size()) {
    return Status(StatusCode::kMissingKey, "the key has other characters than hex digits");
  }
  if (count != 32 && count != 48 && count != 64) {
    return Status(StatusCode::kMissingKey,
                  fmt::format("the key has {} hex digits; AES needs 32, 48 or 64", count));
  }
  std::string bytes;
  bytes.reserve(count / 2);  // so that no smaller copy is left behind
  for (size_t i = 0; i < count; i += 2)
    bytes += static_cast<char>(DigitValue(digits[i]) << 4 | DigitValue(digits[i + 1]));
  Secret key(bytes);
  std::fill(bytes.begin(), bytes.end(), '\0');
  return key;
}

}  // namespace hbk::keys
