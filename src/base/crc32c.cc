#include "hbk/base/crc32c.h"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace hbk {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit)
      c = (c & 1) != 0 ? (c >> 1) ^ kPolynomial : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

uint32_t ExtendPortable(uint32_t state, const uint8_t* p, size_t n) {
  for (; n > 0; --n, ++p)
    state = kTable[(state ^ *p) & 0xff] ^ (state >> 8);
  return state;
}

#if defined(__x86_64__)

// The crc32 instruction has a latency of three cycles and a throughput of one. Three independent
// streams keep it busy; the streams are joined by multiplying a state with x^(8*kStride), which is
// linear, hence four table look-ups.
constexpr size_t kStride = 1024;

constexpr uint32_t ShiftOneByte(uint32_t state) {
  return kTable[state & 0xff] ^ (state >> 8);
}

struct ShiftTables {
  std::array<std::array<uint32_t, 256>, 4> t;
};

constexpr uint32_t ShiftBytes(uint32_t state, size_t n) {
  for (size_t i = 0; i < n; ++i)
    state = ShiftOneByte(state);
  return state;
}

ShiftTables MakeShiftTables(size_t n) {
  // The image of each single bit gives the image of every byte at every position.
  std::array<uint32_t, 32> basis{};
  for (size_t bit = 0; bit < 32; ++bit)
    basis[bit] = ShiftBytes(uint32_t{1} << bit, n);
  ShiftTables tables{};
  for (size_t k = 0; k < 4; ++k) {
    for (uint32_t b = 0; b < 256; ++b) {
      uint32_t x = 0;
      for (size_t bit = 0; bit < 8; ++bit) {
        if ((b >> bit & 1) != 0) x ^= basis[8 * k + bit];
      }
      tables.t[k][b] = x;
    }
  }
  return tables;
}

uint32_t Shift(const ShiftTables& tables, uint32_t state) {
  return tables.t[0][state & 0xff] ^ tables.t[1][state >> 8 & 0xff] ^
         tables.t[2][state >> 16 & 0xff] ^ tables.t[3][state >> 24];
}

inline uint64_t Load64(const uint8_t* p) {
  uint64_t x;
  std::memcpy(&x, p, sizeof(x));
  return x;
}

__attribute__((target("sse4.2"))) uint32_t ExtendSse42(uint32_t state, const uint8_t* p, size_t n) {
  static const ShiftTables kShiftOnce = MakeShiftTables(kStride);
  static const ShiftTables kShiftTwice = MakeShiftTables(2 * kStride);
  while (n >= 3 * kStride) {
    uint64_t a = state;
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < kStride; i += 8) {
      a = _mm_crc32_u64(a, Load64(p + i));
      b = _mm_crc32_u64(b, Load64(p + kStride + i));
      c = _mm_crc32_u64(c, Load64(p + 2 * kStride + i));
    }
    state = Shift(kShiftTwice, static_cast<uint32_t>(a)) ^
            Shift(kShiftOnce, static_cast<uint32_t>(b)) ^ static_cast<uint32_t>(c);
    p += 3 * kStride;
    n -= 3 * kStride;
  }
  uint64_t wide = state;
  for (; n >= 8; n -= 8, p += 8)
    wide = _mm_crc32_u64(wide, Load64(p));
  state = static_cast<uint32_t>(wide);
  for (; n > 0; --n, ++p)
    state = _mm_crc32_u8(state, *p);
  return state;
}

#endif

using ExtendFunction = uint32_t (*)(uint32_t, const uint8_t*, size_t);

ExtendFunction ChooseExtend() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ExtendSse42;
#endif
  return ExtendPortable;
}

}  // namespace

uint32_t Crc32cExtend(uint32_t crc, ByteView bytes) {
  static const ExtendFunction kExtend = ChooseExtend();
  return ~kExtend(~crc, bytes.data(), bytes.size());
}

}  // namespace hbk
