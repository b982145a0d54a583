#include "image_check.h"

#include <gtest/gtest.h>

#include "hbk/innodb/page.h"

#include "tests/support/page_builder.h"

namespace hbk::prepare {
namespace {

using innodb::PageId;
using innodb::PageVerdict;
using innodb::TablespaceFlags;

constexpr uint32_t kPage = 16384;
constexpr PageId kId{.space = 7, .page = 3};

std::string Sealed(const TablespaceFlags& flags, PageId id) {
  std::string page = testing::MakePage(flags.physical_size(), id, 1000, innodb::kPageBlob);
  innodb::SealPage(testing::MutableBytes(page), flags, id);
  return page;
}

TablespaceFlags OldFormat() {
  return TablespaceFlags::Decode(0x21).value();
}

TEST(ImageCheckTest, EitherFormatIsFound) {
  ImageCheck full(kPage, 0);
  EXPECT_EQ(full.Check(AsBytes(Sealed(TablespaceFlags::FullCrc32(kPage), kId)), kId),
            PageVerdict::kGood);

  ImageCheck old(kPage, 0);
  EXPECT_EQ(old.Check(AsBytes(Sealed(OldFormat(), kId)), kId), PageVerdict::kGood);
}

TEST(ImageCheckTest, AFileHasOneFormat) {
  ImageCheck check(kPage, 0);
  ASSERT_EQ(check.Check(AsBytes(Sealed(TablespaceFlags::FullCrc32(kPage), kId)), kId),
            PageVerdict::kGood);

  EXPECT_NE(check.Check(AsBytes(Sealed(OldFormat(), kId)), kId), PageVerdict::kGood);
  EXPECT_TRUE(check.likely_flags().is_full_crc32());
}

TEST(ImageCheckTest, CompressedRowFormat) {
  const TablespaceFlags zip = TablespaceFlags::Decode(0x21 | 3 << 1).value();
  ImageCheck check(kPage, 4096);

  EXPECT_EQ(check.Check(AsBytes(Sealed(zip, kId)), kId), PageVerdict::kGood);
  EXPECT_EQ(check.Check(AsBytes(std::string(4096, 'x')), kId), PageVerdict::kBadChecksum);
}

TEST(ImageCheckTest, DamageAndOtherPlaces) {
  ImageCheck check(kPage, 0);
  std::string page = Sealed(TablespaceFlags::FullCrc32(kPage), kId);

  EXPECT_EQ(check.Check(AsBytes(page), {.space = 7, .page = 4}), PageVerdict::kWrongPageNo);
  EXPECT_EQ(check.Check(AsBytes(page), {.space = 8, .page = 3}), PageVerdict::kWrongSpaceId);
  page[5000] ^= 1;
  EXPECT_EQ(check.Check(AsBytes(page), kId), PageVerdict::kBadChecksum);
  EXPECT_EQ(check.Check(AsBytes(std::string(kPage, '\0')), kId), PageVerdict::kZero);
}

}  // namespace
}  // namespace hbk::prepare
