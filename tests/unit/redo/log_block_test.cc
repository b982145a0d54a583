#include "hbk/redo/log_block.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/redo_builder.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::BlockLogBuilder;

std::string OneBlock(Lsn lsn, size_t body_bytes) {
  BlockLogBuilder log(lsn, kBlockLogHeadBytes + 4096);
  log.Append(std::string(body_bytes, 'x'));
  return log.file().substr(kBlockLogHeadBytes, kLogBlockBytes);
}

TEST(LogBlockTest, LsnGoesOverTrailersAndHeaders) {
  EXPECT_EQ(AdvanceLsn(512 + 12, 0, false), 512U + 12);
  EXPECT_EQ(AdvanceLsn(512 + 12, 495, false), 512U + 507);
  // What fills a block ends at the payload of the next.
  EXPECT_EQ(AdvanceLsn(512 + 12, 496, false), 1024U + 12);
  EXPECT_EQ(AdvanceLsn(512 + 507, 1, false), 1024U + 12);
  EXPECT_EQ(AdvanceLsn(512 + 507, 1 + 496 + 5, false), 1536U + 17);
  EXPECT_EQ(AdvanceLsn(512 + 12, 492, true), 1024U + 12);
  EXPECT_EQ(AdvanceLsn(512 + 503, 2, true), 1024U + 13);
}

TEST(LogBlockTest, NumbersBeginAtOneAndGoRound) {
  EXPECT_EQ(LogBlockNumber(0), 1U);
  EXPECT_EQ(LogBlockNumber(512), 2U);
  EXPECT_EQ(LogBlockNumber(0xB200), 0x5AU);
  EXPECT_EQ(LogBlockNumber(512 * uint64_t{0x3FFFFFFF}), 0x40000000U);
  EXPECT_EQ(LogBlockNumber(512 * uint64_t{0x40000000}), 1U);
}

TEST(LogBlockTest, BlockOfAnotherPlaceOrWithAFlippedBitIsNone) {
  const std::string good = OneBlock(51200 + 12, 100);
  EXPECT_EQ(CheckLogBlock(AsBytes(good), 51200), "");
  EXPECT_EQ(CheckLogBlock(AsBytes(good), 51712), "block number");
  for (size_t i = 4; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_EQ(CheckLogBlock(AsBytes(bad), 51200), "block checksum") << i;
  }
}

TEST(LogBlockTest, BytesUsedAreThoseOfHeaderAndPayload) {
  EXPECT_EQ(LogBlockBytesUsed(AsBytes(OneBlock(51200 + 12, 100))), 113U);
  EXPECT_EQ(LogBlockBytesUsed(AsBytes(OneBlock(51200 + 12, 600))), 512U);
  for (const int impossible : {0, 11, 508, 511, 513, 0x8000}) {
    std::string block(512, '\0');
    block[4] = static_cast<char>(impossible >> 8);
    block[5] = static_cast<char>(impossible & 0xFF);
    EXPECT_EQ(LogBlockBytesUsed(AsBytes(block)), 0U) << impossible;
  }
}

}  // namespace
}  // namespace hbk::redo
