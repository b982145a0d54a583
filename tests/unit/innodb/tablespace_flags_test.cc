#include "hbk/innodb/tablespace_flags.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::innodb {
namespace {

using ::hbk::testing::StatusIs;
using ::testing::_;

struct Case {
  uint32_t raw;
  uint32_t logical;
  uint32_t zip;
  bool is_full_crc32;
  uint32_t algorithm;
  bool is_page_compressed;
};

// Flags as they stand in files of a 10.11 server.
class RealFlagsTest : public ::testing::TestWithParam<Case> {};

TEST_P(RealFlagsTest, AreDecoded) {
  const Case& c = GetParam();
  const auto flags = TablespaceFlags::Decode(c.raw);
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->logical_size(), c.logical);
  EXPECT_EQ(flags->zip_size(), c.zip);
  EXPECT_EQ(flags->physical_size(), c.zip != 0 ? c.zip : c.logical);
  EXPECT_EQ(flags->is_full_crc32(), c.is_full_crc32);
  EXPECT_EQ(flags->compression_algorithm(), c.algorithm);
  EXPECT_EQ(flags->is_page_compressed(), c.is_page_compressed);
}

INSTANTIATE_TEST_SUITE_P(
    Files, RealFlagsTest,
    ::testing::Values(
        Case{0x13, 4096, 0, true, 0, false}, Case{0x14, 8192, 0, true, 0, false},
        Case{0x15, 16384, 0, true, 0, false}, Case{0x16, 32768, 0, true, 0, false},
        Case{0x17, 65536, 0, true, 0, false}, Case{0x35, 16384, 0, true, 1, true},
        Case{0xd5, 16384, 0, true, 6, true}, Case{0xc0, 4096, 0, false, 0, false},
        Case{0x100, 8192, 0, false, 0, false}, Case{0, 16384, 0, false, 0, false},
        Case{0x180, 32768, 0, false, 0, false}, Case{0x1c0, 65536, 0, false, 0, false},
        Case{0xe1, 4096, 0, false, 0, false}, Case{0x10021, 16384, 0, false, 0, true},
        Case{0x23, 16384, 1024, false, 0, false}, Case{0x27, 16384, 4096, false, 0, false},
        Case{0x2b, 16384, 16384, false, 0, false}, Case{0x123, 8192, 1024, false, 0, false},
        Case{0xe5, 4096, 2048, false, 0, false}));

TEST(TablespaceFlagsTest, BitsThatNoServerWritesAreCorruption) {
  for (const uint32_t raw : {0x11U, 0x1fU, 0xf5U, 0x115U, 0x41U, 0x2dU, 0x20U, 0x40021U, 0x7U}) {
    EXPECT_THAT(TablespaceFlags::Decode(raw), StatusIs(StatusCode::kCorruption, _)) << raw;
  }
}

TEST(TablespaceFlagsTest, LayoutsOfOtherServersAreUnsupported) {
  EXPECT_THAT(TablespaceFlags::Decode(0x4021), StatusIs(StatusCode::kUnsupported, _));
}

TEST(TablespaceFlagsTest, FullCrc32OfAPageSize) {
  EXPECT_EQ(TablespaceFlags::FullCrc32(16384).raw(), 0x15U);
  EXPECT_EQ(TablespaceFlags::FullCrc32(65536).raw(), 0x17U);
}

}  // namespace
}  // namespace hbk::innodb
