#include "hbk/filter/seek_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::filter {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

SeekTable Table() {
  SeekTable table;
  table.Add(300, kFileChunkBytes);
  table.Add(70, kFileChunkBytes);
  table.Add(20, 5);
  return table;
}

constexpr uint64_t kFramesBytes = 390;

Result<SeekTable> Parse(const std::vector<uint8_t>& bytes) {
  return SeekTable::Parse(bytes, kFramesBytes + bytes.size());
}

TEST(SeekTableTest, FramesLieBehindOneAnother) {
  const auto parsed = Parse(Table().Render());
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->chunk_count(), 3U);
  EXPECT_EQ(parsed->stored_size(), kFramesBytes);
  EXPECT_EQ(parsed->plain_size(), 2 * kFileChunkBytes + 5);
  EXPECT_EQ(parsed->FrameOf(1).offset, 300U);
  EXPECT_EQ(parsed->FrameOf(1).size, 70U);
  EXPECT_EQ(parsed->FrameOf(1).chunk_size, kFileChunkBytes);
  EXPECT_EQ(parsed->FrameOf(2).chunk_size, 5U);
}

// The seekable format of Zstandard, so that its tools read it.
TEST(SeekTableTest, ItsBytesAreThoseOfTheFormat) {
  SeekTable table;
  table.Add(0x0102, 0x33);
  const std::vector<uint8_t> expected = {0x5E, 0x2A, 0x4D, 0x18, 17,   0,    0,   0, 0x02,
                                         0x01, 0,    0,    0x33, 0,    0,    0,   1, 0,
                                         0,    0,    0x00, 0xB1, 0xEA, 0x92, 0x8F};
  EXPECT_EQ(table.Render(), expected);
}

TEST(SeekTableTest, AnEmptyFileHasATableOfNothing) {
  const auto bytes = SeekTable().Render();
  const auto parsed = SeekTable::Parse(bytes, bytes.size());
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->plain_size(), 0U);
  EXPECT_EQ(parsed->chunk_count(), 0U);
}

TEST(SeekTableTest, EveryFlippedBitIsSeen) {
  const auto bytes = Table().Render();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    const auto parsed = Parse(damaged);
    // The size of the last chunk is the business of its frame.
    const bool is_last_chunk = bit / 8 >= 28 && bit / 8 < 32;
    if (parsed.ok()) {
      EXPECT_TRUE(is_last_chunk) << bit;
    }
  }
}

TEST(SeekTableTest, FramesThatDoNotFillTheFileAreRefused) {
  const auto bytes = Table().Render();
  for (const uint64_t frames : {kFramesBytes - 1, kFramesBytes + 1})
    EXPECT_THAT(SeekTable::Parse(bytes, frames + bytes.size()),
                StatusIs(StatusCode::kCorruption, HasSubstr("do not fill")));
}

TEST(SeekTableTest, ACutTableIsRefused) {
  const auto bytes = Table().Render();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THAT(SeekTable::Parse(ByteView(bytes).last(size), kFramesBytes + size),
                StatusIs(StatusCode::kCorruption, HasSubstr("")))
        << size;
}

TEST(SeekTableTest, ATableThatIsLargerThanTheFileIsRefusedBeforeItIsRead) {
  const auto bytes = Table().Render();
  const ByteView footer = ByteView(bytes).last(SeekTable::kFooterBytes);
  EXPECT_THAT(SeekTable::TableBytes(footer, bytes.size()), IsOkAndHolds(bytes.size()));
  EXPECT_THAT(SeekTable::TableBytes(footer, bytes.size() - 1),
              StatusIs(StatusCode::kCorruption, HasSubstr("no seek table")));
}

}  // namespace
}  // namespace hbk::filter
