#include "page_image.h"

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"
#include "hbk/codec/page_codec.h"
#include "hbk/innodb/page.h"

#include "tablespace_image.h"

namespace hbk::backup {
namespace {

using innodb::PageVerdict;
using innodb::TablespaceFlags;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kPageBytes = 16384;
constexpr innodb::PageId kId{5, 3};

MutableByteView ViewOf(std::string& page) {
  return {reinterpret_cast<uint8_t*>(page.data()), page.size()};
}

TablespaceImage ImageOf(uint32_t flags) {
  TablespaceImage image;
  image.flags = TablespaceFlags::Decode(flags).value();
  return image;
}

// As the old format stores a compressed page.
std::string CompressOld(const std::string& page) {
  std::string image(page.size(), '\0');
  const MutableByteView view = ViewOf(image);
  std::copy(page.begin(), page.begin() + innodb::kFilData, image.begin());
  StoreBe32(view, innodb::kFilChecksum, 0xDEADBEEF);
  StoreBe16(view, innodb::kFilType, innodb::kPageCompressed);
  StoreBe64(view, innodb::kFilKeyVersion, 1);
  const auto size =
      codec::Compress(codec::Algorithm::kZlib, AsBytes(page), view.subspan(40, kPageBytes - 40));
  StoreBe16(view, innodb::kFilData, static_cast<uint16_t>(size.value()));
  return image;
}

TEST(PageImageTest, APlainPageIsUsedUpToItsEnd) {
  for (const uint32_t flags : {0x15U, 0x21U, 0x35U, 0x10021U, 0x27U}) {
    const TablespaceImage image = ImageOf(flags);
    const std::string page = MakePage(image, kId.page, 'x');
    EXPECT_EQ(UsedBytes(AsBytes(page), image.flags), page.size()) << flags;
    EXPECT_EQ(CheckImage(AsBytes(page), image.flags, kId), PageVerdict::kGood) << flags;
  }
}

TEST(PageImageTest, ACompressedPageIsUsedUpToTheEndOfItsImage) {
  const TablespaceImage full = ImageOf(0x35);
  std::string page = MakePage(full, kId.page, 'x');
  StoreBe16(ViewOf(page), innodb::kFilType, 0x8000 | 5);
  EXPECT_EQ(UsedBytes(AsBytes(page), full.flags), 5U * 256);

  const TablespaceImage old = ImageOf(0x10021);
  page = MakePage(old, kId.page, 'x');
  StoreBe16(ViewOf(page), innodb::kFilData, 100);
  StoreBe16(ViewOf(page), innodb::kFilType, innodb::kPageCompressed);
  EXPECT_EQ(UsedBytes(AsBytes(page), old.flags), 140U);
  StoreBe16(ViewOf(page), innodb::kFilType, innodb::kPageCompressedEncrypted);
  EXPECT_EQ(UsedBytes(AsBytes(page), old.flags), 142U);
}

TEST(PageImageTest, ThePageInsideOfAnOldCompressedOneIsChecked) {
  const TablespaceImage image = ImageOf(0x10021);
  const std::string page = MakePage(image, kId.page, 'x');
  std::string stored = CompressOld(page);
  EXPECT_EQ(CheckImage(AsBytes(stored), image.flags, kId), PageVerdict::kGood);

  stored[60] = static_cast<char>(stored[60] ^ 1);
  EXPECT_EQ(CheckImage(AsBytes(stored), image.flags, kId), PageVerdict::kBadChecksum);

  std::string damaged = page;
  damaged[9000] = '!';
  EXPECT_EQ(CheckImage(AsBytes(CompressOld(damaged)), image.flags, kId), PageVerdict::kBadChecksum);
}

TEST(PageImageTest, OnlyOldCompressedAndEncryptedPagesAreUnverifiable) {
  const TablespaceImage old = ImageOf(0x10021);
  std::string page = MakePage(old, kId.page, 'x');
  EXPECT_FALSE(IsUnverifiable(AsBytes(page), old.flags));
  StoreBe16(ViewOf(page), innodb::kFilType, innodb::kPageCompressedEncrypted);
  EXPECT_TRUE(IsUnverifiable(AsBytes(page), old.flags));
  EXPECT_FALSE(IsUnverifiable(AsBytes(page), ImageOf(0x35).flags));
}

TEST(PageImageTest, TheKeyVersionIsWhereTheFormatHasIt) {
  const TablespaceImage full = ImageOf(0x15);
  std::string page = MakePage(full, kId.page, 'x');
  StoreBe32(ViewOf(page), innodb::kFilChecksum, 7);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), full.flags, kId), 7U);

  const TablespaceImage old = ImageOf(0x21);
  page = MakePage(old, kId.page, 'x');
  StoreBe32(ViewOf(page), innodb::kFilKeyVersion, 8);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), old.flags, kId), 8U);
}

TEST(PageImageTest, PagesThatAreNeverEncryptedHaveNoKeyVersion) {
  // What stands there is an LSN, a split number, an algorithm.
  const TablespaceImage old = ImageOf(0x21);
  std::string page = MakePage(old, kId.page, 'x');
  StoreBe32(ViewOf(page), innodb::kFilKeyVersion, 8);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), old.flags, {5, 0}), 0U);
  EXPECT_EQ(KeyVersionOf(AsBytes(page), old.flags, {0, 5}), 0U);
  for (const uint16_t type : {innodb::kPageRtree, innodb::kPageCompressed}) {
    StoreBe16(ViewOf(page), innodb::kFilType, type);
    EXPECT_EQ(KeyVersionOf(AsBytes(page), old.flags, kId), 0U);
  }
}

TEST(PageImageTest, DamageIsDescribedWithWhatWasFound) {
  for (const uint32_t flags : {0x15U, 0x21U, 0x27U}) {
    const TablespaceImage image = ImageOf(flags);
    std::string page = MakePage(image, kId.page, 'x');
    EXPECT_EQ(DescribeDamage(AsBytes(page), image.flags, kId), "") << flags;
    page[page.size() / 2] ^= 1;
    EXPECT_THAT(
        DescribeDamage(AsBytes(page), image.flags, kId),
        AllOf(HasSubstr("checksum 0x"), HasSubstr("computed 0x"), Not(HasSubstr("page number"))))
        << flags;
    EXPECT_THAT(DescribeDamage(AsBytes(page), image.flags, {6, 4}),
                AllOf(HasSubstr("page number 3"), HasSubstr("space id 5")))
        << flags;
  }
}

TEST(PageImageTest, DifferentLsnsAreNamed) {
  const TablespaceImage image = ImageOf(0x21);
  std::string page = MakePage(image, kId.page, 'x');
  StoreBe32(ViewOf(page), kPageBytes - 4, 77);
  EXPECT_THAT(DescribeDamage(AsBytes(page), image.flags, kId),
              AllOf(HasSubstr("LSN 1000003 at the head"), HasSubstr("0x0000004d at the tail")));
}

TEST(PageImageTest, AnEncryptedPageDoesNotShowItsSpaceId) {
  const TablespaceImage image = ImageOf(0x15);
  std::string page = MakePage(image, kId.page, 'x');
  StoreBe32(ViewOf(page), innodb::kFilChecksum, 7);
  StoreBe32(ViewOf(page), kPageBytes - 4, Crc32c(AsBytes(page).first(kPageBytes - 4)));
  EXPECT_EQ(CheckImage(AsBytes(page), image.flags, {99, 3}), PageVerdict::kGood);
  EXPECT_EQ(DescribeDamage(AsBytes(page), image.flags, {99, 3}), "");
}

}  // namespace
}  // namespace hbk::backup
