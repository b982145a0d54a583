// Views of bytes, and integers in them.
//
// Units    Offsets and sizes are bytes. Be = big-endian (InnoDB pages and redo), Le = little-endian
//          (Aria, crypt nonces).
// Errors   An access beyond the view is a defect of the caller: HBK_CHECK. Parsers of foreign
//          bytes compare sizes first, or use ByteCursor, which never reads past its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "hbk/base/check.h"

namespace hbk {

using ByteView = std::span<const uint8_t>;
using MutableByteView = std::span<uint8_t>;

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline uint16_t LoadBe16(ByteView v, size_t offset) {
  HBK_CHECK(v.size() >= 2 && offset <= v.size() - 2);
  uint16_t x;
  std::memcpy(&x, v.data() + offset, sizeof(x));
  return __builtin_bswap16(x);
}
inline uint32_t LoadBe32(ByteView v, size_t offset) {
  HBK_CHECK(v.size() >= 4 && offset <= v.size() - 4);
  uint32_t x;
  std::memcpy(&x, v.data() + offset, sizeof(x));
  return __builtin_bswap32(x);
}
inline uint64_t LoadBe64(ByteView v, size_t offset) {
  HBK_CHECK(v.size() >= 8 && offset <= v.size() - 8);
  uint64_t x;
  std::memcpy(&x, v.data() + offset, sizeof(x));
  return __builtin_bswap64(x);
}
inline uint16_t LoadLe16(ByteView v, size_t offset) {
  HBK_CHECK(v.size() >= 2 && offset <= v.size() - 2);
  uint16_t x;
  std::memcpy(&x, v.data() + offset, sizeof(x));
  return x;
}
inline uint32_t LoadLe32(ByteView v, size_t offset) {
  HBK_CHECK(v.size() >= 4 && offset <= v.size() - 4);
  uint32_t x;
  std::memcpy(&x, v.data() + offset, sizeof(x));
  return x;
}
inline uint64_t LoadLe64(ByteView v, size_t offset) {
  HBK_CHECK(v.size() >= 8 && offset <= v.size() - 8);
  uint64_t x;
  std::memcpy(&x, v.data() + offset, sizeof(x));
  return x;
}
inline void StoreBe16(MutableByteView v, size_t offset, uint16_t x) {
  HBK_CHECK(v.size() >= 2 && offset <= v.size() - 2);
  x = __builtin_bswap16(x);
  std::memcpy(v.data() + offset, &x, sizeof(x));
}
inline void StoreBe32(MutableByteView v, size_t offset, uint32_t x) {
  HBK_CHECK(v.size() >= 4 && offset <= v.size() - 4);
  x = __builtin_bswap32(x);
  std::memcpy(v.data() + offset, &x, sizeof(x));
}
inline void StoreBe64(MutableByteView v, size_t offset, uint64_t x) {
  HBK_CHECK(v.size() >= 8 && offset <= v.size() - 8);
  x = __builtin_bswap64(x);
  std::memcpy(v.data() + offset, &x, sizeof(x));
}
inline void StoreLe32(MutableByteView v, size_t offset, uint32_t x) {
  HBK_CHECK(v.size() >= 4 && offset <= v.size() - 4);
  std::memcpy(v.data() + offset, &x, sizeof(x));
}
inline void StoreLe64(MutableByteView v, size_t offset, uint64_t x) {
  HBK_CHECK(v.size() >= 8 && offset <= v.size() - 8);
  std::memcpy(v.data() + offset, &x, sizeof(x));
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hbk runs on little-endian machines");

// True if every byte is zero. True for an empty view.
bool IsAllZero(ByteView bytes);

}  // namespace hbk
