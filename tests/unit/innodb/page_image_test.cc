#include "hbk/innodb/page_image.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"
#include "hbk/codec/page_codec.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "tests/support/page_builder.h"

namespace hbk::innodb::page_image_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::MutableBytes;
using ::testing::Not;

constexpr size_t kPageBytes = 16384;
constexpr PageId kId{5, 3};
constexpr Lsn kLsn = 1'000'003;

TablespaceFlags Flags(uint32_t raw) {
  return TablespaceFlags::Decode(raw).value();
}

// A good index page full of 'x'.
std::string MakeGoodPage(const TablespaceFlags& flags) {
  std::string page = testing::MakePage(flags.physical_size(), kId, kLsn, kPageIndex);
  std::fill(page.begin() + kFilData, page.end(), 'x');
  SealPage(MutableBytes(page), flags, kId);
  return page;
}

// As the old format stores a compressed page.
std::string CompressOld(const std::string& page) {
  std::string image(page.size(), '\0');
  const MutableByteView view = MutableBytes(image);
  std::copy(page.begin(), page.begin() + kFilData, image.begin());
  StoreBe32(view, kFilChecksum, 0xDEADBEEF);
  StoreBe16(view, kFilType, kPageCompressed);
  StoreBe64(view, kFilKeyVersion, 1);
  const auto size =
      codec::Compress(codec::Algorithm::kZlib, AsBytes(page), view.subspan(40, kPageBytes - 40));
  StoreBe16(view, kFilData, static_cast<uint16_t>(size.value()));
  return image;
}

TEST(PageImageTest, APlainPageIsUsedUpToItsEnd) {
  for (const uint32_t raw : {0x15U, 0x21U, 0x35U, 0x10021U, 0x27U}) {
    const TablespaceFlags flags = Flags(raw);
    const std::string page = MakeGoodPage(flags);
    EXPECT_EQ(UsedBytes(AsBytes(page), flags), page.size()) << raw;
    EXPECT_EQ(CheckImage(AsBytes(page), flags, kId), PageVerdict::kGood) << raw;
  }
}

TEST(PageImageTest, ACompressedPageIsUsedUpToTheEndOfItsImage) {
  const TablespaceFlags full = Flags(0x35);
  std::string page = MakeGoodPage(full);
  StoreBe16(MutableBytes(page), kFilType, 0x8000 | 5);
  EXPECT_EQ(UsedBytes(AsBytes(page), full), 5U * 256);

  const TablespaceFlags old = Flags(0x10021);
  page = MakeGoodPage(old);
  StoreBe16(MutableBytes(page), kFilData, 100);
  StoreBe16(MutableBytes(page), kFilType, kPageCompressed);
  StoreBe64(MutableBytes(page), kOldAlgorithm, 1);
  EXPECT_EQ(UsedBytes(AsBytes(page), old), 140U);
  StoreBe16(MutableBytes(page), kFilType, kPageCompressedEncrypted);
  EXPECT_EQ(UsedBytes(AsBytes(page), old), 142U);
}

TEST(PageImageTest, ASizeThatNoCompressedImageHasMeansTheWholePage) {
  const TablespaceFlags flags = Flags(0x35);
  std::string page = MakeGoodPage(flags);
  for (const uint32_t units : {0U, 64U, 65U, 0x7FFFU}) {
    StoreBe16(MutableBytes(page), kFilType, static_cast<uint16_t>(0x8000 | units));
    EXPECT_EQ(FullCrc32Size(AsBytes(page)), kPageBytes) << units;
    EXPECT_EQ(CheckPage(AsBytes(page), flags, kId), PageVerdict::kBadChecksum) << units;
  }
}

TEST(PageImageTest, APayloadThatDoesNotFitIsNone) {
  std::string page = MakeGoodPage(Flags(0x10021));
  StoreBe64(MutableBytes(page), kOldAlgorithm, 1);
  for (const uint16_t type : {kPageCompressed, kPageCompressedEncrypted}) {
    StoreBe16(MutableBytes(page), kFilType, type);
    StoreBe16(MutableBytes(page), kFilData, kPageBytes - 42);
    ASSERT_TRUE(OldPayloadOf(AsBytes(page)).has_value());
    EXPECT_EQ(OldPayloadOf(AsBytes(page))->size(), kPageBytes - 42);
    StoreBe16(MutableBytes(page), kFilData, kPageBytes - 41);
    EXPECT_FALSE(OldPayloadOf(AsBytes(page)).has_value());
  }
}

// No checksum covers it. Taken for a plain page it would be stored again as if it were whole.
TEST(PageImageTest, ACompressedPageThatNamesNoAlgorithmIsDamaged) {
  for (const uint32_t raw : {0x21U, 0x10021U}) {
    const TablespaceFlags flags = Flags(raw);
    std::string page = MakeGoodPage(flags);
    const MutableByteView view = MutableBytes(page);
    StoreBe32(view, kFilChecksum, 0xDEADBEEF);
    StoreBe16(view, kOldPayloadSize, 100);
    for (const uint16_t type : {kPageCompressed, kPageCompressedEncrypted}) {
      StoreBe16(view, kFilType, type);
      StoreBe64(view, kOldAlgorithm, 1);
      StoreBe16(view, kOldEncryptedAlgorithm, 1);
      EXPECT_EQ(CheckPage(view, flags, kId), PageVerdict::kGood);
      StoreBe64(view, kOldAlgorithm, type == kPageCompressed ? 0 : 1);
      StoreBe16(view, kOldEncryptedAlgorithm, 0);
      EXPECT_FALSE(OldPayloadOf(view).has_value());
      EXPECT_EQ(CheckPage(view, flags, kId), PageVerdict::kBadChecksum);
      EXPECT_EQ(UsedBytes(view, flags), page.size());
    }
  }
}

TEST(PageImageTest, ThePageInsideOfAnOldCompressedOneIsChecked) {
  const TablespaceFlags flags = Flags(0x10021);
  const std::string page = MakeGoodPage(flags);
  std::string stored = CompressOld(page);
  EXPECT_EQ(CheckImage(AsBytes(stored), flags, kId), PageVerdict::kGood);

  stored[60] = static_cast<char>(stored[60] ^ 1);
  EXPECT_EQ(CheckImage(AsBytes(stored), flags, kId), PageVerdict::kBadChecksum);

  std::string damaged = page;
  damaged[9000] = '!';
  EXPECT_EQ(CheckImage(AsBytes(CompressOld(damaged)), flags, kId), PageVerdict::kBadChecksum);
}

TEST(PageImageTest, OnlyOldCompressedAndEncryptedPagesAreUnverifiable) {
  const TablespaceFlags old = Flags(0x10021);
  std::string page = MakeGoodPage(old);
  EXPECT_FALSE(IsUnverifiable(AsBytes(page), old));
  StoreBe16(MutableBytes(page), kFilType, kPageCompressedEncrypted);
  EXPECT_TRUE(IsUnverifiable(AsBytes(page), old));
  EXPECT_FALSE(IsUnverifiable(AsBytes(page), Flags(0x35)));
}

TEST(PageImageTest, TheKeyVersionIsWhereTheFormatHasIt) {
  const TablespaceFlags full = Flags(0x15);
  std::string page = MakeGoodPage(full);
  StoreBe32(MutableBytes(page), kFilChecksum, 7);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), full, kId), 7U);

  const TablespaceFlags old = Flags(0x21);
  page = MakeGoodPage(old);
  StoreBe32(MutableBytes(page), kFilKeyVersion, 8);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), old, kId), 8U);
}

TEST(PageImageTest, PagesThatAreNeverEncryptedHaveNoKeyVersion) {
  // What stands there is an LSN, a split number, an algorithm.
  const TablespaceFlags old = Flags(0x21);
  std::string page = MakeGoodPage(old);
  StoreBe32(MutableBytes(page), kFilKeyVersion, 8);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), old, {5, 0}), 0U);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), old, {0, 5}), 0U);
  for (const uint16_t type : {kPageRtree, kPageCompressed}) {
    StoreBe16(MutableBytes(page), kFilType, type);
    EXPECT_EQ(KeyVersionOf(AsBytes(page), old, kId), 0U);
  }
}

TEST(PageImageTest, DamageIsDescribedWithWhatWasFound) {
  for (const uint32_t raw : {0x15U, 0x21U, 0x27U}) {
    const TablespaceFlags flags = Flags(raw);
    std::string page = MakeGoodPage(flags);
    EXPECT_EQ(DescribeDamage(AsBytes(page), flags, kId), "") << raw;
    page[page.size() / 2] ^= 1;
    EXPECT_THAT(
        DescribeDamage(AsBytes(page), flags, kId),
        AllOf(HasSubstr("checksum 0x"), HasSubstr("computed 0x"), Not(HasSubstr("page number"))))
        << raw;
    EXPECT_THAT(DescribeDamage(AsBytes(page), flags, {6, 4}),
                AllOf(HasSubstr("page number 3"), HasSubstr("space id 5")))
        << raw;
  }
}

TEST(PageImageTest, DifferentLsnsAreNamed) {
  const TablespaceFlags flags = Flags(0x21);
  std::string page = MakeGoodPage(flags);
  StoreBe32(MutableBytes(page), kPageBytes - 4, 77);
  EXPECT_THAT(DescribeDamage(AsBytes(page), flags, kId),
              AllOf(HasSubstr("LSN 1000003 at the head"), HasSubstr("0x0000004d at the tail")));
}

TEST(PageImageTest, AnEncryptedPageDoesNotShowItsSpaceId) {
  const TablespaceFlags flags = Flags(0x15);
  std::string page = MakeGoodPage(flags);
  StoreBe32(MutableBytes(page), kFilChecksum, 7);
  StoreBe32(MutableBytes(page), kPageBytes - 4, Crc32c(AsBytes(page).first(kPageBytes - 4)));
  EXPECT_EQ(CheckImage(AsBytes(page), flags, {99, 3}), PageVerdict::kGood);
  EXPECT_EQ(DescribeDamage(AsBytes(page), flags, {99, 3}), "");
}

}  // namespace
}  // namespace hbk::innodb::page_image_test
