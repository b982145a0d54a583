#include "hbk/innodb/page_checksum.h"

#include <vector>

#include <gtest/gtest.h>

#include "hbk/innodb/page.h"

namespace hbk::innodb {
namespace {

constexpr PageId kId{13, 3};

TablespaceFlags Flags(uint32_t raw) {
  return TablespaceFlags::Decode(raw).value();
}

// Page 3 of space 13 at LSN 2345678, otherwise empty: what the checksums below were worked out for.
std::vector<uint8_t> SamplePage(size_t size) {
  std::vector<uint8_t> page(size);
  StoreBe32(page, kFilPageNo, kId.page);
  StoreBe32(page, kFilPrev, 0xFFFFFFFF);
  StoreBe32(page, kFilNext, 0xFFFFFFFF);
  StoreBe64(page, kFilLsn, 2345678);
  StoreBe16(page, kFilType, kPageIndex);
  StoreBe32(page, kFilSpaceId, kId.space);
  return page;
}

TEST(PageChecksumTest, SealsFullCrc32AsTheServerDoes) {
  std::vector<uint8_t> page = SamplePage(16384);

  SealPage(page, Flags(0x15), kId);

  EXPECT_EQ(LoadBe32(page, 16384 - 4), 0xdc1846feU);
  EXPECT_EQ(CheckPage(page, Flags(0x15), kId), PageVerdict::kGood);
}

TEST(PageChecksumTest, SealsOldFormatAsTheServerDoes) {
  std::vector<uint8_t> page = SamplePage(16384);

  SealPage(page, Flags(0x21), kId);

  EXPECT_EQ(LoadBe32(page, 0), 0x663710c9U);
  EXPECT_EQ(LoadBe32(page, 16384 - 8), 0x663710c9U);
  EXPECT_EQ(CheckPage(page, Flags(0x21), kId), PageVerdict::kGood);
}

TEST(PageChecksumTest, SealsCompressedRowFormatAsTheServerDoes) {
  std::vector<uint8_t> page = SamplePage(4096);

  SealPage(page, Flags(0x27), kId);

  EXPECT_EQ(LoadBe32(page, 0), 0x6d9dbc18U);
  EXPECT_EQ(CheckPage(page, Flags(0x27), kId), PageVerdict::kGood);
}

TEST(PageChecksumTest, AcceptsTheInnodbChecksumOfOldFiles) {
  std::vector<uint8_t> page = SamplePage(16384);
  StoreBe64(page, 16384 - 8, 2345678);
  StoreBe32(page, 0, 0x1a0e7fc4);
  StoreBe32(page, 16384 - 8, LoadBe32(page, kFilLsn));

  EXPECT_EQ(CheckPage(page, Flags(0x21), kId), PageVerdict::kGood);

  page[5000] ^= 1;
  EXPECT_EQ(CheckPage(page, Flags(0x21), kId), PageVerdict::kBadChecksum);
}

TEST(PageChecksumTest, AcceptsTheInnodbChecksumOfOldCompressedRowFormat) {
  std::vector<uint8_t> page = SamplePage(4096);
  StoreBe32(page, kFilChecksum, 0xc9d8090c);

  EXPECT_EQ(CheckPage(page, Flags(0x27), kId), PageVerdict::kGood);

  page[2000] ^= 1;
  EXPECT_EQ(CheckPage(page, Flags(0x27), kId), PageVerdict::kBadChecksum);
}

TEST(PageChecksumTest, OldFormatClearsTheBytesOfTheKeyVersionExceptOnPageZeroAndTrxSys) {
  for (const PageId id : {PageId{13, 3}, PageId{13, 0}, PageId{0, 5}, PageId{0, 6}}) {
    std::vector<uint8_t> page = SamplePage(16384);
    StoreBe64(page, kFilKeyVersion, 77);

    SealPage(page, Flags(0), id);

    const bool is_kept = id == PageId{13, 0} || id == PageId{0, 5};
    EXPECT_EQ(LoadBe64(page, kFilKeyVersion), is_kept ? 77U : 0U) << ToString(id);
  }
}

class EveryFormatTest : public testing::TestWithParam<uint32_t> {};

TEST_P(EveryFormatTest, FindsEveryFlippedByteThatItsChecksumCovers) {
  const TablespaceFlags flags = Flags(GetParam());
  const size_t size = flags.physical_size();
  std::vector<uint8_t> page = SamplePage(size);
  for (size_t i = kFilData; i < size - kFilTrailer; ++i)
    page[i] = static_cast<uint8_t>(i * 7);
  SealPage(page, flags, kId);
  ASSERT_EQ(CheckPage(page, flags, kId), PageVerdict::kGood);

  // Every byte of header and trailer, a sample of the body: it is one CRC all the way.
  for (size_t i = 0; i < size; i += (i < 64 || i + 64 >= size) ? 1 : 61) {
    // The LSN of a COMPRESSED page, and the bytes before the space id of an old page, are not
    // covered by any checksum.
    const bool is_uncovered =
        flags.is_zip() ? (i >= kFilLsn && i < kFilType) || (i >= kFilKeyVersion && i < kFilSpaceId)
                       : !flags.is_full_crc32() && i >= kFilKeyVersion && i < kFilSpaceId;
    page[i] ^= 0x10;
    const PageVerdict verdict = CheckPage(page, flags, kId);
    page[i] ^= 0x10;
    if (!is_uncovered) {
      ASSERT_NE(verdict, PageVerdict::kGood) << "byte " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Flags, EveryFormatTest,
                         testing::Values(0x13, 0x14, 0x15, 0x16, 0x17, 0xe1, 0x121, 0x0, 0x21,
                                         0x1a1, 0x1e1, 0x23, 0x25, 0x27, 0x29, 0x2b));

TEST(PageChecksumTest, ZeroPageIsZeroAndNothingElse) {
  std::vector<uint8_t> page(16384);
  EXPECT_EQ(CheckPage(page, Flags(0x15), kId), PageVerdict::kZero);

  page[9000] = 1;
  EXPECT_EQ(CheckPage(page, Flags(0x15), kId), PageVerdict::kBadChecksum);
}

TEST(PageChecksumTest, AWholePageInTheWrongPlaceIsNamed) {
  std::vector<uint8_t> page = SamplePage(16384);
  SealPage(page, Flags(0x15), kId);

  EXPECT_EQ(CheckPage(page, Flags(0x15), PageId{13, 4}), PageVerdict::kWrongPageNo);
  EXPECT_EQ(CheckPage(page, Flags(0x15), PageId{14, 3}), PageVerdict::kWrongSpaceId);
}

TEST(PageChecksumTest, AllZeroButTheLsnTailIsTorn) {
  std::vector<uint8_t> page = SamplePage(16384);
  SealPage(page, Flags(0x21), kId);
  StoreBe32(page, 16384 - 4, 1);

  EXPECT_EQ(CheckPage(page, Flags(0x21), kId), PageVerdict::kLsnMismatch);
}

}  // namespace
}  // namespace hbk::innodb
