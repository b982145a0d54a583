#include "zero_stretches.h"

#include <random>

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace hbk::delta {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

std::vector<uint8_t> Le32(const std::vector<uint32_t>& numbers) {
  std::vector<uint8_t> bytes(4 * numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i)
    StoreLe32(bytes, 4 * i, numbers[i]);
  return bytes;
}

TEST(ZeroStretchesTest, WhatIsElidedIsRestored) {
  std::mt19937 random(1);
  std::vector<uint8_t> encoded;
  int elided = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<uint8_t> image(1 + random() % 5000);
    for (uint32_t stretches = random() % 8; stretches != 0; --stretches) {
      const size_t begin = random() % image.size();
      const size_t end = std::min<size_t>(image.size(), begin + random() % 1000);
      for (size_t i = begin; i < end; ++i)
        image[i] = static_cast<uint8_t>(random());
    }
    if (!ElideZeros(image, encoded)) continue;
    ++elided;
    EXPECT_LE(encoded.size(), image.size() - image.size() / 8);
    std::vector<uint8_t> restored(image.size(), 0xaa);
    ASSERT_THAT(RestoreZeros(encoded, restored), IsOk());
    EXPECT_EQ(restored, image);
  }
  EXPECT_GT(elided, 100);
}

TEST(ZeroStretchesTest, NothingIsElidedWhereItSavesLittle) {
  std::vector<uint8_t> image(4096, 1);
  std::vector<uint8_t> encoded;
  EXPECT_FALSE(ElideZeros(image, encoded));
  std::fill(image.begin(), image.begin() + 512, uint8_t{0});
  EXPECT_FALSE(ElideZeros(image, encoded));
  std::fill(image.begin(), image.begin() + 640, uint8_t{0});
  EXPECT_TRUE(ElideZeros(image, encoded));
  EXPECT_FALSE(ElideZeros({}, encoded));
}

TEST(ZeroStretchesTest, ImpossibleListsAreRefused) {
  std::vector<uint8_t> image(100);
  for (std::vector<uint8_t> encoded : {
           std::vector<uint8_t>{},         // nothing at all
           std::vector<uint8_t>{0, 0, 0},  // not even a number
           Le32({1}),                      // without the stretch
           Le32({0, 7}),                   // something behind
           Le32({1, 0, 0}),                // an empty stretch
           Le32({1, 0, 8, 1}),             // more than there is
           Le32({1, 98, 4, 1}),            // behind the image
           Le32({1, 0xffffffff, 4, 1}),    // far behind it
           Le32({2, 0, 4, 4, 4, 1, 1}),    // touching
           Le32({2, 8, 4, 0, 4, 1, 1}),    // in the wrong order
           Le32({0xffffffff, 0, 4, 1}),    // too many
       }) {
    EXPECT_THAT(RestoreZeros(encoded, image),
                StatusIs(StatusCode::kCorruption, HasSubstr("impossible")))
        << ::testing::PrintToString(encoded);
  }
  EXPECT_THAT(RestoreZeros(Le32({2, 8, 4, 16, 4, 1, 1}), image), IsOk());
}

}  // namespace
}  // namespace hbk::delta
