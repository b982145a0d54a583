#include "varint.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/redo_builder.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::EncodeVarint;
using ::hbk::testing::FromHex;

Varint Decode(std::string_view bytes) {
  return DecodeVarint(AsBytes(bytes));
}

TEST(VarintTest, EachLengthBeginsWhereTheShorterEnds) {
  struct Case {
    uint32_t value;
    const char* bytes;
  };
  for (const Case& c : {Case{0, "00"}, Case{127, "7f"}, Case{128, "8000"}, Case{16511, "bfff"},
                        Case{16512, "c00000"}, Case{2113663, "dfffff"}, Case{2113664, "e0000000"},
                        Case{270549119, "efffffff"}, Case{270549120, "f000000000"},
                        Case{UINT32_MAX, "f0efdfbf7f"}}) {
    const std::string bytes = FromHex(c.bytes);
    EXPECT_EQ(Decode(bytes).value, c.value) << c.bytes;
    EXPECT_EQ(Decode(bytes).size, bytes.size()) << c.bytes;
    EXPECT_EQ(EncodeVarint(c.value), bytes) << c.bytes;
  }
}

TEST(VarintTest, ValuesBeyond32BitsAndUnknownFirstBytesAreInvalid) {
  for (const char* bytes : {"f0efdfbf80", "f0ffffffff", "f100000000", "f800000000", "ff00000000"})
    EXPECT_EQ(Decode(FromHex(bytes)).size, 0U) << bytes;
}

TEST(VarintTest, TruncatedIsInvalid) {
  for (const uint32_t value : {0U, 128U, 16512U, 2113664U, 270549120U}) {
    std::string bytes = EncodeVarint(value);
    bytes.pop_back();
    EXPECT_EQ(Decode(bytes).size, 0U) << value;
  }
}

TEST(VarintTest, TakingRespectsTheLimitAndLeavesTheRest) {
  const std::string text = FromHex("bfff 05");
  ByteView bytes = AsBytes(text);
  uint32_t value = 0;
  EXPECT_FALSE(TakeVarint(bytes, value, 1));
  EXPECT_TRUE(TakeVarint(bytes, value, 2));
  EXPECT_EQ(value, 16511U);
  EXPECT_TRUE(TakeVarint(bytes, value));
  EXPECT_EQ(value, 5U);
  EXPECT_TRUE(bytes.empty());
}

}  // namespace
}  // namespace hbk::redo
