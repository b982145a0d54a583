#include "hbk/innodb/tablespace_header.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

namespace hbk::innodb {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> FirstPageBytes(uint32_t raw_flags, SpaceId id) {
  const TablespaceFlags flags = TablespaceFlags::Decode(raw_flags).value();
  std::vector<uint8_t> page(flags.physical_size());
  StoreBe64(page, kFilLsn, 99);
  StoreBe16(page, kFilType, kPageFspHeader);
  StoreBe32(page, kFilSpaceId, id);
  StoreBe32(page, kFspSpaceId, id);
  StoreBe32(page, kFspSize, 7);
  StoreBe32(page, kFspFreeLimit, 64);
  StoreBe32(page, kFspFlags, raw_flags);
  return page;
}

void Seal(std::vector<uint8_t>& page, uint32_t raw_flags, SpaceId id) {
  SealPage(page, TablespaceFlags::Decode(raw_flags).value(), PageId{id, 0});
}

TEST(ClassifyFirstPageTest, ReadsTheHeader) {
  std::vector<uint8_t> page = FirstPageBytes(0x15, 42);
  Seal(page, 0x15, 42);

  const FirstPage first = ClassifyFirstPage(page, 7 * 16384, 16384);

  ASSERT_EQ(first.kind, FirstPageKind::kValid) << first.reason;
  EXPECT_EQ(first.header.space_id, 42U);
  EXPECT_EQ(first.header.size_pages, 7U);
  EXPECT_EQ(first.header.free_limit, 64U);
  EXPECT_EQ(first.header.flags.physical_size(), 16384U);
  EXPECT_FALSE(first.header.crypt.has_value());
}

TEST(ClassifyFirstPageTest, ZeroFirstPageOf1KiBIsDeferredWhateverFollows) {
  std::vector<uint8_t> head(65536);
  head[1024 + 24] = 5;

  EXPECT_EQ(ClassifyFirstPage(head, 65536, 16384).kind, FirstPageKind::kDeferred);
}

TEST(ClassifyFirstPageTest, EmptyAndZeroFilesAreDeferred) {
  EXPECT_EQ(ClassifyFirstPage({}, 0, 16384).kind, FirstPageKind::kDeferred);
  const std::vector<uint8_t> zeros(65536);
  EXPECT_EQ(ClassifyFirstPage(zeros, 65536, 16384).kind, FirstPageKind::kDeferred);
}

TEST(ClassifyFirstPageTest, CryptDataIsFoundAtItsPlace) {
  // 10428 for 16 KiB pages, 2748 for 4 KiB compressed pages of a 16 KiB instance.
  for (const auto& [raw, offset] :
       {std::pair{0x15U, size_t{10428}}, std::pair{0x27U, size_t{2748}}}) {
    std::vector<uint8_t> page = FirstPageBytes(raw, 5);
    const std::vector<uint8_t> magic = {0x73, 0x0E, 0x0C, 0x52, 0x45, 0x74, 1, 16};
    std::copy(magic.begin(), magic.end(), page.begin() + static_cast<long>(offset));
    std::fill_n(page.begin() + static_cast<long>(offset) + 8, 16, uint8_t{0xE1});
    StoreBe32(page, offset + 24, 3);
    StoreBe32(page, offset + 28, 9);
    Seal(page, raw, 5);

    const FirstPage first = ClassifyFirstPage(page, 1 << 20, 16384);

    ASSERT_EQ(first.kind, FirstPageKind::kValid) << first.reason;
    ASSERT_TRUE(first.header.crypt.has_value());
    EXPECT_EQ(first.header.crypt->type, 1);
    EXPECT_EQ(first.header.crypt->min_key_version, 3U);
    EXPECT_EQ(first.header.crypt->key_id, 9U);
    crypto::Block iv{};
    iv.fill(0xE1);
    EXPECT_EQ(first.header.crypt->iv, iv);
  }
}

TEST(ClassifyFirstPageTest, CryptDataOfAnotherKindIsDamage) {
  // Another scheme, another length of the IV.
  for (const auto& [at, value] :
       {std::pair{size_t{6}, uint8_t{2}}, std::pair{size_t{7}, uint8_t{8}}}) {
    std::vector<uint8_t> page = FirstPageBytes(0x15, 5);
    const std::vector<uint8_t> magic = {0x73, 0x0E, 0x0C, 0x52, 0x45, 0x74, 1, 16};
    std::copy(magic.begin(), magic.end(), page.begin() + 10428);
    page[10428 + at] = value;
    Seal(page, 0x15, 5);

    EXPECT_THAT(ClassifyFirstPage(page, 1 << 20, 16384).reason, HasSubstr("encryption metadata"));
  }
}

TEST(ClassifyFirstPageTest, DamageIsNamed) {
  std::vector<uint8_t> page = FirstPageBytes(0x15, 42);
  Seal(page, 0x15, 42);

  EXPECT_THAT(ClassifyFirstPage(page, 16384, 4096).reason, HasSubstr("page size"));
  EXPECT_THAT(ClassifyFirstPage(ByteView(page).first(8192), 8192, 16384).reason,
              HasSubstr("less than its page size"));
  page[9999] ^= 1;
  EXPECT_THAT(ClassifyFirstPage(page, 16384, 16384).reason, HasSubstr("bad checksum"));
  page[9999] ^= 1;
  StoreBe32(page, kFspSpaceId, 43);
  EXPECT_THAT(ClassifyFirstPage(page, 16384, 16384).reason, HasSubstr("space ids"));
}

}  // namespace
}  // namespace hbk::innodb
