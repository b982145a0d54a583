#include "hex.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::seal {
namespace {

TEST(HexTest, DigitsComeBack) {
  const std::array<uint8_t, 4> bytes = {0x00, 0x9a, 0xff, 0x10};
  EXPECT_EQ(ToHex(bytes), "009aff10");
  std::array<uint8_t, 4> back{};
  EXPECT_TRUE(FromHex("009aff10", back));
  EXPECT_EQ(back, bytes);
  EXPECT_EQ(ToHex({}), "");
  EXPECT_TRUE(FromHex("", {}));
}

TEST(HexTest, OtherTextsAreRefused) {
  std::array<uint8_t, 2> bytes{};
  for (const char* text : {"", "00", "000", "00000", "000000", "00AA", "00g0", "0x00", " 000"})
    EXPECT_FALSE(FromHex(text, bytes)) << text;
}

}  // namespace
}  // namespace hbk::seal
