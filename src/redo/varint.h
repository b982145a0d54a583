// The variable-length integers of redo records.
//
// Format   docs/format/redo-log.md, "Integers": 1 to 5 bytes; the first byte tells how many, and
// each
//          length begins where the shorter one ends, so that every value has exactly one encoding.
// Errors   size == 0: no valid integer here, or the bytes end inside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hbk/base/bytes.h"

namespace hbk::redo {

constexpr uint32_t kVarint2Base = 0x80;
constexpr uint32_t kVarint3Base = kVarint2Base + (1U << 14);
constexpr uint32_t kVarint4Base = kVarint3Base + (1U << 21);
constexpr uint32_t kVarint5Base = kVarint4Base + (1U << 28);

struct Varint {
  uint32_t value = 0;
  uint32_t size = 0;
};

// How many bytes an integer with this first byte has; 0 if none starts so.
inline uint32_t VarintSize(uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xC0) return 2;
  if (first < 0xE0) return 3;
  if (first < 0xF0) return 4;
  return first == 0xF0 ? 5 : 0;
}

[[gnu::always_inline]] inline Varint DecodeVarint(ByteView bytes) {
  if (bytes.empty()) return {};
  const uint8_t* const p = bytes.data();
  // Nearly all of them.
  if (p[0] < kVarint2Base) return {p[0], 1};
  const uint32_t size = VarintSize(p[0]);
  if (size > bytes.size()) return {};
  switch (size) {
    case 1: return {p[0], 1};
    case 2: return {kVarint2Base + ((p[0] & 0x3FU) << 8 | p[1]), 2};
    case 3: return {kVarint3Base + ((p[0] & 0x1FU) << 16 | uint32_t{p[1]} << 8 | p[2]), 3};
    case 4:
      return {
          kVarint4Base + ((p[0] & 0x0FU) << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3]),
          4};
    case 5: {
      const uint32_t above = LoadBe32(bytes, 1);
      if (above > UINT32_MAX - kVarint5Base) return {};
      return {kVarint5Base + above, 5};
    }
    default: return {};
  }
}

// Takes one integer of at most `size_max` bytes off the front of `bytes`. False if there is none.
[[gnu::always_inline]] inline bool TakeVarint(ByteView& bytes, uint32_t& value,
                                              uint32_t size_max = 5) {
  const Varint varint = DecodeVarint(bytes);
  if (varint.size == 0 || varint.size > size_max) return false;
  value = varint.value;
  bytes = bytes.subspan(varint.size);
  return true;
}

}  // namespace hbk::redo
