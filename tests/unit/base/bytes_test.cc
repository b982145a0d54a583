// Integers in bytes, and IsAllZero.
#include "hbk/base/bytes.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace hbk {
namespace {

constexpr std::array<uint8_t, 10> kBytes = {0xff, 0x01, 0x02, 0x03, 0x04,
                                            0x05, 0x06, 0x07, 0x08, 0xff};

TEST(BytesTest, BigEndianHasTheHighByteFirst) {
  EXPECT_EQ(LoadBe16(kBytes, 1), 0x0102);
  EXPECT_EQ(LoadBe32(kBytes, 1), 0x01020304U);
  EXPECT_EQ(LoadBe64(kBytes, 1), 0x0102030405060708U);
}

TEST(BytesTest, LittleEndianHasTheLowByteFirst) {
  EXPECT_EQ(LoadLe16(kBytes, 1), 0x0201);
  EXPECT_EQ(LoadLe32(kBytes, 1), 0x04030201U);
  EXPECT_EQ(LoadLe64(kBytes, 1), 0x0807060504030201U);
}

TEST(BytesTest, StoreIsTheInverseOfLoadAndTouchesNothingElse) {
  std::array<uint8_t, 10> out{};
  out.fill(0xff);

  StoreBe64(out, 1, 0x0102030405060708U);
  EXPECT_EQ(out, kBytes);
  StoreBe32(out, 2, 0xa0b0c0d0U);
  EXPECT_EQ(LoadBe32(out, 2), 0xa0b0c0d0U);
  StoreBe16(out, 3, 0x1122);
  EXPECT_EQ(LoadBe16(out, 3), 0x1122);
  StoreLe32(out, 4, 0x01020304U);
  EXPECT_EQ(LoadLe32(out, 4), 0x01020304U);

  EXPECT_EQ(out[0], 0xff);
  EXPECT_EQ(out[9], 0xff);
}

TEST(BytesTest, TheLastPossibleOffsetWorks) {
  EXPECT_EQ(LoadBe16(kBytes, 8), 0x08ff);
  EXPECT_EQ(LoadBe64(kBytes, 2), 0x02030405060708ffU);
}

TEST(BytesDeathTest, AnAccessBeyondTheEndIsADefect) {
  std::array<uint8_t, 8> out{};

  EXPECT_DEATH((void)LoadBe16(out, 7), "check failed");
  EXPECT_DEATH((void)LoadLe64(out, 1), "check failed");
  EXPECT_DEATH(StoreBe32(out, 5, 1), "check failed");
  EXPECT_DEATH((void)LoadBe32({}, 0), "check failed");
}

// An offset that comes from a subtraction gone wrong must not wrap around to a valid place.
TEST(BytesDeathTest, AnOffsetNearTheMaximumIsADefect) {
  const std::array<uint8_t, 8> bytes{};

  EXPECT_DEATH((void)LoadBe16(bytes, SIZE_MAX), "check failed");
  EXPECT_DEATH((void)LoadBe32(bytes, SIZE_MAX - 1), "check failed");
  EXPECT_DEATH((void)LoadBe64(bytes, SIZE_MAX - 7), "check failed");
}

TEST(BytesTest, TextAndBytesAreViewsOfEachOther) {
  EXPECT_EQ(AsText(AsBytes("abc")), "abc");
  EXPECT_EQ(AsBytes("").size(), 0U);
}

TEST(BytesTest, IsAllZeroFindsOneBitAnywhere) {
  for (const size_t size : {1U, 2U, 7U, 8U, 63U, 4096U}) {
    std::vector<uint8_t> bytes(size, 0);
    EXPECT_TRUE(IsAllZero(bytes)) << size;
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      bytes[at] = 1;
      EXPECT_FALSE(IsAllZero(bytes)) << size << " " << at;
      bytes[at] = 0;
    }
  }
}

TEST(BytesTest, NothingIsAllZero) {
  EXPECT_TRUE(IsAllZero({}));
}

}  // namespace
}  // namespace hbk
