#include "hbk/codec/frame_codec.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::codec {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

std::vector<uint8_t> Rows(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<uint8_t>(i % 97 < 60 ? 'a' : i / 97);
  return bytes;
}

std::vector<uint8_t> Noise(size_t size) {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes)
    byte = static_cast<uint8_t>(random());
  return bytes;
}

TEST(FrameChoiceTest, MethodsHaveAUsualLevel) {
  EXPECT_THAT(ParseFrameChoice("zstd"), IsOkAndHolds(FrameChoice{FrameMethod::kZstd, 3}));
  EXPECT_THAT(ParseFrameChoice("lz4"), IsOkAndHolds(FrameChoice{FrameMethod::kLz4, 1}));
  EXPECT_THAT(ParseFrameChoice("none"), IsOkAndHolds(FrameChoice{}));
}

TEST(FrameChoiceTest, ItsTextComesBack) {
  for (const char* text : {"zstd:19", "zstd:-7", "lz4:12", "none"}) {
    const auto choice = ParseFrameChoice(text);
    ASSERT_THAT(choice, IsOk());
    EXPECT_EQ(FormatFrameChoice(*choice), text);
  }
}

TEST(FrameChoiceTest, OtherTextsAreRefused) {
  for (const char* text : {"", "gzip", "zstd:", "zstd:20", "zstd:3x", "zstd:-8", "lz4:0", "lz4:13",
                           "none:1", "zstd:3:4", "ZSTD"})
    EXPECT_THAT(ParseFrameChoice(text), StatusIs(StatusCode::kUsage, HasSubstr("is no"))) << text;
}

class FrameCodecTest : public ::testing::TestWithParam<FrameChoice> {
 protected:
  std::vector<uint8_t> Encode(const std::vector<uint8_t>& chunk, bool is_fast = false) {
    std::vector<uint8_t> frame;
    EXPECT_THAT(FrameEncoder::Create(GetParam())->Encode(chunk, is_fast, frame), IsOk());
    return frame;
  }
  Status Decode(ByteView frame, size_t size) {
    chunk_.assign(size, 0);
    return decoder_->Decode(frame, chunk_);
  }

  std::unique_ptr<FrameDecoder> decoder_ = FrameDecoder::Create(GetParam().method);
  std::vector<uint8_t> chunk_;
};

INSTANTIATE_TEST_SUITE_P(Methods, FrameCodecTest,
                         ::testing::Values(FrameChoice{FrameMethod::kZstd, 3},
                                           FrameChoice{FrameMethod::kZstd, -7},
                                           FrameChoice{FrameMethod::kLz4, 1},
                                           FrameChoice{FrameMethod::kLz4, 9}),
                         [](const auto& param) { return "Choice" + std::to_string(param.index); });

TEST_P(FrameCodecTest, ChunksOfEverySizeComeBack) {
  for (const size_t size : {size_t{1}, size_t{100}, size_t{65537}, kFrameChunkBytesMax}) {
    for (const auto& chunk : {Rows(size), Noise(size), std::vector<uint8_t>(size)}) {
      for (const bool is_fast : {false, true}) {
        const auto frame = Encode(chunk, is_fast);
        ASSERT_THAT(Decode(frame, size), IsOk()) << size;
        EXPECT_EQ(chunk_, chunk);
        EXPECT_LE(frame.size(), size + 64 + size / 128);
      }
    }
  }
  EXPECT_LT(Encode(Rows(kFrameChunkBytesMax)).size(), kFrameChunkBytesMax / 2);
  EXPECT_LT(Encode(std::vector<uint8_t>(kFrameChunkBytesMax)).size(), 8192U);
}

TEST_P(FrameCodecTest, AFrameOfAnotherSizeIsRefused) {
  const auto frame = Encode(Rows(1000));
  for (const size_t size : {999U, 1001U, 1U})
    EXPECT_THAT(Decode(frame, size), StatusIs(StatusCode::kCorruption, HasSubstr("")));
}

TEST_P(FrameCodecTest, EveryCutIsSeen) {
  const auto frame = Encode(Rows(1000));
  for (size_t size = 0; size < frame.size(); ++size)
    EXPECT_THAT(Decode(ByteView(frame).first(size), 1000),
                StatusIs(StatusCode::kCorruption, HasSubstr("")))
        << size;
}

TEST_P(FrameCodecTest, WhatFollowsTheFrameIsSeen) {
  auto frame = Encode(Rows(1000));
  const auto again = frame;
  frame.insert(frame.end(), again.begin(), again.end());
  EXPECT_THAT(Decode(frame, 1000), StatusIs(StatusCode::kCorruption, HasSubstr("")));
  EXPECT_THAT(Decode(frame, 2000), StatusIs(StatusCode::kCorruption, HasSubstr("")));
  frame.resize(again.size() + 1);
  EXPECT_THAT(Decode(frame, 1000), StatusIs(StatusCode::kCorruption, HasSubstr("")));
}

// Some bits of a header mean nothing. The content is right, or it is refused.
TEST_P(FrameCodecTest, NoFlippedBitGivesAnotherContent) {
  const auto chunk = Rows(1000);
  const auto frame = Encode(chunk);
  size_t refused = 0;
  for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
    auto damaged = frame;
    damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    if (!Decode(damaged, chunk.size()).ok()) {
      ++refused;
    } else {
      EXPECT_EQ(chunk_, chunk) << bit;
    }
  }
  EXPECT_GT(refused, frame.size() * 8 - 40);
}

}  // namespace
}  // namespace hbk::codec
