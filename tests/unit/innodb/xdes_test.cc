#include "hbk/innodb/xdes.h"

#include <vector>

#include <gtest/gtest.h>

namespace hbk::innodb::xdes_test {
namespace {

TablespaceFlags Flags(uint32_t raw) {
  return TablespaceFlags::Decode(raw).value();
}

TEST(XdesTest, ExtentsAreOneMiBOrSixtyFourPages) {
  EXPECT_EQ(ExtentPages(Flags(0x13)), 256U);
  EXPECT_EQ(ExtentPages(Flags(0x14)), 128U);
  EXPECT_EQ(ExtentPages(Flags(0x15)), 64U);
  EXPECT_EQ(ExtentPages(Flags(0x17)), 64U);
  // Of the instance's page size, also in a compressed file.
  EXPECT_EQ(ExtentPages(Flags(0x23)), 64U);
  EXPECT_EQ(XdesBytes(Flags(0x13)), 88U);
  EXPECT_EQ(XdesBytes(Flags(0x14)), 56U);
  EXPECT_EQ(XdesBytes(Flags(0x15)), 40U);
}

TEST(XdesTest, EveryDescriptorPageServesAsManyPagesAsItHasBytes) {
  EXPECT_EQ(DescriptorPageOf(Flags(0x15), 16383), 0U);
  EXPECT_EQ(DescriptorPageOf(Flags(0x15), 16384), 16384U);
  EXPECT_EQ(DescriptorPageOf(Flags(0x23), 5000), 4096U);
}

TEST(XdesTest, TheBitOfAPageIsFoundInTheDescriptorOfItsExtent) {
  const TablespaceFlags flags = Flags(0x15);
  std::vector<uint8_t> descriptor(16384);
  // Page 64 + 5 of the descriptor page's range: second entry, bit 10.
  descriptor[150 + 40 + 24 + 1] = 1 << 2;

  EXPECT_TRUE(IsPageFree(descriptor, flags, 1000, 69));
  EXPECT_FALSE(IsPageFree(descriptor, flags, 1000, 68));
  EXPECT_FALSE(IsPageFree(descriptor, flags, 1000, 5));
  EXPECT_TRUE(IsPageFree(descriptor, flags, 100000, 16384 + 69));
}

TEST(XdesTest, PagesFromTheLimitOnAreFree) {
  const std::vector<uint8_t> descriptor(16384);

  EXPECT_FALSE(IsPageFree(descriptor, Flags(0x15), 128, 127));
  EXPECT_TRUE(IsPageFree(descriptor, Flags(0x15), 128, 128));
}

TEST(XdesTest, TheLastPageOfARangeHasItsBitOnThePage) {
  for (const uint32_t raw : {0x13U, 0x14U, 0x15U, 0x16U, 0x17U, 0x23U, 0xe3U, 0x127U}) {
    const TablespaceFlags flags = Flags(raw);
    const std::vector<uint8_t> descriptor(flags.physical_size());
    EXPECT_FALSE(IsPageFree(descriptor, flags, UINT32_MAX, flags.physical_size() - 1)) << raw;
  }
}

}  // namespace
}  // namespace hbk::innodb::xdes_test
