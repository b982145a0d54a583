// Crc32c: the standard's vector, every length against a bitwise reference, chaining.
#include "hbk/base/crc32c.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace hbk {
namespace {

uint32_t BitwiseStep(uint32_t state, uint8_t byte) {
  state ^= byte;
  for (int bit = 0; bit < 8; ++bit)
    state = (state & 1) != 0 ? (state >> 1) ^ 0x82F63B78 : state >> 1;
  return state;
}

std::vector<uint8_t> SomeBytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  uint32_t state = 12345;
  for (uint8_t& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return bytes;
}

TEST(Crc32cTest, StandardVectors) {
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xE3069283U);
  EXPECT_EQ(Crc32c({}), 0U);
  // RFC 3720, B.4.
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0x00)), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0xFF)), 0x62A8AB43U);
}

// 10000 is beyond three rounds of the three-stream loop.
TEST(Crc32cTest, EveryLengthAgreesWithABitwiseReference) {
  const std::vector<uint8_t> bytes = SomeBytes(10'000);
  uint32_t state = 0xFFFFFFFF;
  for (size_t size = 0; size <= bytes.size(); ++size) {
    ASSERT_EQ(Crc32c(ByteView(bytes).first(size)), ~state) << size;
    if (size < bytes.size()) state = BitwiseStep(state, bytes[size]);
  }
}

TEST(Crc32cTest, EveryAlignmentAgrees) {
  const std::vector<uint8_t> bytes = SomeBytes(4096);
  const uint32_t crc = Crc32c(bytes);
  for (size_t shift = 0; shift < 16; ++shift) {
    std::vector<uint8_t> moved(shift + bytes.size());
    std::ranges::copy(bytes, moved.begin() + static_cast<ptrdiff_t>(shift));
    EXPECT_EQ(Crc32c(ByteView(moved).subspan(shift)), crc) << shift;
  }
}

TEST(Crc32cTest, ExtendGoesOnWhereAnotherEnded) {
  const std::vector<uint8_t> bytes = SomeBytes(8000);
  const uint32_t crc = Crc32c(bytes);
  for (size_t cut = 0; cut <= bytes.size(); cut += 37) {
    const ByteView view(bytes);
    ASSERT_EQ(Crc32cExtend(Crc32c(view.first(cut)), view.subspan(cut)), crc) << cut;
  }
}

}  // namespace
}  // namespace hbk
