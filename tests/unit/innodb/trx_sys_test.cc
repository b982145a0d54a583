#include "hbk/innodb/trx_sys.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::innodb {
namespace {

TEST(TrxSysTest, DoublewriteBlocksAreRead) {
  std::vector<uint8_t> page(16384);
  StoreBe32(page, 16384 - 190, 536853855);
  StoreBe32(page, 16384 - 186, 64);
  StoreBe32(page, 16384 - 182, 128);

  const auto buffer = ParseDoublewriteBuffer(page);

  ASSERT_TRUE(buffer.has_value());
  EXPECT_FALSE(buffer->Contains(63));
  EXPECT_TRUE(buffer->Contains(64));
  EXPECT_TRUE(buffer->Contains(191));
  EXPECT_FALSE(buffer->Contains(192));
}

TEST(TrxSysTest, TheRepeatedDescriptorIsUsedWhenTheFirstIsDamaged) {
  std::vector<uint8_t> page(4096);
  StoreBe32(page, 4096 - 178, 536853855);
  StoreBe32(page, 4096 - 174, 256);
  StoreBe32(page, 4096 - 170, 512);

  const auto buffer = ParseDoublewriteBuffer(page);

  ASSERT_TRUE(buffer.has_value());
  EXPECT_TRUE(buffer->Contains(767));
  EXPECT_FALSE(buffer->Contains(768));
}

TEST(TrxSysTest, WithoutMagicThereIsNone) {
  EXPECT_FALSE(ParseDoublewriteBuffer(std::vector<uint8_t>(16384)).has_value());
}

TEST(TrxSysTest, RollbackSegmentsAreThoseOfUsedSlots) {
  std::vector<uint8_t> page(4096, 0xFF);
  StoreBe32(page, 56, 0);
  StoreBe32(page, 60, 6);
  StoreBe32(page, 56 + 127 * 8, 3);
  StoreBe32(page, 60 + 127 * 8, 70);
  // Behind the slots.
  StoreBe32(page, 60 + 128 * 8, 9);

  EXPECT_THAT(ParseRollbackSegments(page), ::testing::ElementsAre(PageId{0, 6}, PageId{3, 70}));
}

}  // namespace
}  // namespace hbk::innodb
