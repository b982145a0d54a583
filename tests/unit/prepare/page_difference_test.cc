#include "page_difference.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::prepare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kSize = 256;
constexpr size_t kNameBytes = 8;  // what it costs to name a range

std::vector<ByteRange> Differences(const std::string& old_image, const std::string& new_image) {
  std::vector<ByteRange> ranges = {{7, 7}};  // of an earlier page
  FindDifferences(AsBytes(old_image), AsBytes(new_image), ranges);
  return ranges;
}

std::string Changed(std::initializer_list<size_t> offsets) {
  std::string image(kSize, 'a');
  for (const size_t offset : offsets)
    image[offset] = 'b';
  return image;
}

TEST(FindDifferencesTest, EqualImagesHaveNoRangesAndForgetEarlierOnes) {
  EXPECT_THAT(Differences(Changed({}), Changed({})), IsEmpty());
}

TEST(FindDifferencesTest, OneByteIsCoveredByTheWordAroundIt) {
  EXPECT_THAT(Differences(Changed({}), Changed({13})), ElementsAre(ByteRange{8, 8}));
}

TEST(FindDifferencesTest, FirstAndLastByteAreSeen) {
  EXPECT_THAT(Differences(Changed({}), Changed({0, kSize - 1})),
              ElementsAre(ByteRange{0, 8}, ByteRange{kSize - 8, 8}));
}

TEST(FindDifferencesTest, GapThatCostsNoMoreThanItsNameIsClosed) {
  EXPECT_THAT(Differences(Changed({}), Changed({16, 32})), ElementsAre(ByteRange{16, 24}));
}

TEST(FindDifferencesTest, LargerGapSplits) {
  EXPECT_THAT(Differences(Changed({}), Changed({16, 40})),
              ElementsAre(ByteRange{16, 8}, ByteRange{40, 8}));
}

TEST(FindDifferencesTest, WhollyDifferentImageIsOneRange) {
  EXPECT_THAT(Differences(std::string(kSize, 'a'), std::string(kSize, 'b')),
              ElementsAre(ByteRange{0, kSize}));
}

TEST(FindDifferencesTest, RangesLaidOverTheOldImageGiveTheNewOne) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    std::mt19937 random(seed);
    const std::string old_image = Changed({});
    std::string new_image = old_image;
    for (size_t change = random() % 12; change > 0; --change)
      new_image[random() % kSize] = 'b';

    const std::vector<ByteRange> ranges = Differences(old_image, new_image);

    std::string laid = old_image;
    size_t last_end = 0;
    for (const ByteRange& range : ranges) {
      ASSERT_LE(range.offset + range.size, kSize);
      ASSERT_TRUE(&range == ranges.data() || range.offset > last_end + kNameBytes) << seed;
      last_end = range.offset + range.size;
      laid.replace(range.offset, range.size, new_image, range.offset, range.size);
    }
    EXPECT_EQ(laid, new_image) << seed;
  }
}

}  // namespace
}  // namespace hbk::prepare
