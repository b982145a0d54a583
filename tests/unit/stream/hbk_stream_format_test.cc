#include "hbk_stream_format.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::stream {
namespace {

TEST(HbkStreamFormatTest, RecordVouchesForThoseBeforeIt) {
  uint64_t chain = 7;
  RecordHead head;
  head.type = RecordType::kData;
  head.file = 3;
  head.payload_size = 5;
  head.number = uint64_t{1} << 40;
  head.payload_hash = PayloadHash(AsBytes("hello"));
  const auto bytes = RenderRecordHead(head, chain);
  uint64_t read_chain = 7;
  const auto read = ParseRecordHead(bytes, read_chain);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->file, 3U);
  EXPECT_EQ(read->number, uint64_t{1} << 40);
  EXPECT_EQ(read_chain, chain);
  // The same record once more, or behind another one, is none.
  EXPECT_FALSE(ParseRecordHead(bytes, read_chain).has_value());
  uint64_t other = 8;
  EXPECT_FALSE(ParseRecordHead(bytes, other).has_value());
}

TEST(HbkStreamFormatTest, EveryBitCounts) {
  uint64_t chain = 0;
  const auto record = RenderRecordHead({}, chain);
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    auto damaged = record;
    damaged[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    uint64_t start = 0;
    EXPECT_FALSE(ParseRecordHead(damaged, start).has_value()) << bit;
  }
  const std::array<uint8_t, kStreamIdBytes> id{1, 2, 3};
  const auto head = RenderStreamHead(id, chain);
  uint64_t read_chain = 0;
  EXPECT_EQ(ParseStreamHead(head, read_chain), kHbkStreamVersion);
  EXPECT_EQ(read_chain, chain);
  for (size_t bit = 0; bit < head.size() * 8; ++bit) {
    auto damaged = head;
    damaged[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    EXPECT_FALSE(ParseStreamHead(damaged, read_chain).has_value()) << bit;
  }
}

TEST(HbkStreamFormatTest, DataDigestDoesNotCareForTheOrder) {
  const uint64_t a = PayloadHash(AsBytes("a"));
  const uint64_t b = PayloadHash(AsBytes("b"));
  DataDigest one;
  one.Add(0, 1, a);
  one.Add(1, 1, b);
  DataDigest two;
  two.Add(1, 1, b);
  two.Add(0, 1, a);
  EXPECT_EQ(one.Render(), two.Render());
  DataDigest swapped;
  swapped.Add(0, 1, b);
  swapped.Add(1, 1, a);
  EXPECT_NE(one.Render(), swapped.Render());
}

TEST(HbkStreamFormatTest, CountsComeBack) {
  const EndCounts counts{1, 2, 3};
  EXPECT_EQ(EndCounts::Parse(counts.Render()), counts);
}

}  // namespace
}  // namespace hbk::stream
