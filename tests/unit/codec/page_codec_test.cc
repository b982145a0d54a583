#include "hbk/codec/page_codec.h"

#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::codec {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 16384;

class PageCodecTest : public ::testing::TestWithParam<Algorithm> {
 protected:
  void SetUp() override {
    if (!IsAvailable(GetParam())) GTEST_SKIP() << "not in this build";
  }
  static std::vector<uint8_t> Text() {
    std::vector<uint8_t> page(kPageBytes);
    for (size_t i = 0; i < page.size(); ++i)
      page[i] = static_cast<uint8_t>(i % 97 < 60 ? 'a' : i / 97);
    return page;
  }
};

TEST_P(PageCodecTest, PageComesBack) {
  const auto page = Text();
  std::vector<uint8_t> out(kPageBytes);
  const auto size = Compress(GetParam(), page, out);
  ASSERT_THAT(size, IsOk());
  ASSERT_GT(*size, 0U);
  ASSERT_LT(*size, kPageBytes / 2);
  std::vector<uint8_t> back(kPageBytes);
  ASSERT_THAT(Decompress(GetParam(), ByteView(out).first(*size), back), IsOk());
  EXPECT_EQ(back, page);
}

TEST_P(PageCodecTest, NoRoomIsZero) {
  std::mt19937 random(1);
  std::vector<uint8_t> page(kPageBytes);
  for (uint8_t& byte : page)
    byte = static_cast<uint8_t>(random());
  std::vector<uint8_t> out(kPageBytes - 64);
  const auto size = Compress(GetParam(), page, out);
  ASSERT_THAT(size, IsOk());
  EXPECT_EQ(*size, 0U);
}

TEST_P(PageCodecTest, CutStreamIsCorrupt) {
  std::vector<uint8_t> out(kPageBytes);
  const auto size = Compress(GetParam(), Text(), out);
  ASSERT_THAT(size, IsOk());
  std::vector<uint8_t> back(kPageBytes);
  EXPECT_THAT(Decompress(GetParam(), ByteView(out).first(*size / 2), back),
              StatusIs(StatusCode::kCorruption, HasSubstr(AlgorithmName(GetParam()))));
}

TEST_P(PageCodecTest, AnotherLengthIsCorrupt) {
  std::vector<uint8_t> out(kPageBytes);
  const auto size = Compress(GetParam(), Text(), out);
  ASSERT_THAT(size, IsOk());
  std::vector<uint8_t> longer(kPageBytes + 1);
  EXPECT_THAT(Decompress(GetParam(), ByteView(out).first(*size), longer).code(),
              StatusCode::kCorruption);
  std::vector<uint8_t> shorter(kPageBytes - 1);
  EXPECT_THAT(Decompress(GetParam(), ByteView(out).first(*size), shorter).code(),
              StatusCode::kCorruption);
}

TEST_P(PageCodecTest, GarbageNeverCrashes) {
  std::mt19937 random(2);
  std::vector<uint8_t> back(kPageBytes);
  for (int i = 0; i < 200; ++i) {
    std::vector<uint8_t> garbage(random() % 4096);
    for (uint8_t& byte : garbage)
      byte = static_cast<uint8_t>(random());
    (void)Decompress(GetParam(), garbage, back).ok();
  }
}

INSTANTIATE_TEST_SUITE_P(All, PageCodecTest,
                         ::testing::Values(Algorithm::kZlib, Algorithm::kLz4, Algorithm::kLzo,
                                           Algorithm::kLzma, Algorithm::kBzip2, Algorithm::kSnappy),
                         [](const auto& test) { return std::string(AlgorithmName(test.param)); });

TEST(PageCodecTest, UnknownAlgorithmIsUnsupported) {
  std::vector<uint8_t> page(kPageBytes);
  EXPECT_FALSE(IsAvailable(static_cast<Algorithm>(7)));
  EXPECT_THAT(Decompress(static_cast<Algorithm>(7), {}, page),
              StatusIs(StatusCode::kUnsupported, HasSubstr("unknown")));
}

}  // namespace
}  // namespace hbk::codec
