#include "hbk/aria/table_header.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/aria/golden_table.h"

namespace hbk::aria {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class TableHeaderTest : public ::testing::Test {
 protected:
  std::vector<uint8_t> head_ = ReadGolden("table.MAI");
};

TEST_F(TableHeaderTest, SaysWhatKindOfTableItIs) {
  const auto header = ParseTableHeader(ByteView(head_).first(kTableHeadBytes));

  ASSERT_THAT(header, IsOk());
  EXPECT_TRUE(header->IsCopyableOnline());
  EXPECT_TRUE(header->has_page_checksums);
  EXPECT_TRUE(header->is_transactional);
  EXPECT_TRUE(header->has_page_rows);
  EXPECT_FALSE(header->is_encrypted);
  EXPECT_EQ(header->open_count, 0);
  EXPECT_EQ(header->block_bytes, kGoldenPageBytes);
  EXPECT_EQ(header->header_bytes, kGoldenPageBytes);
}

TEST_F(TableHeaderTest, GenerationIsWhatTheServerWrote) {
  const auto header = ParseTableHeader(head_);

  ASSERT_THAT(header, IsOk());
  const LsnBytes lsn = {0x01, 0x00, 0x00, 0x8a, 0x50, 0x06, 0x00};
  EXPECT_EQ(header->generation.create_rename_lsn, lsn);
  EXPECT_EQ(header->generation.skip_redo_lsn, lsn);
  EXPECT_EQ(header->generation.create_trid, 0xECU);
  EXPECT_EQ(header->generation.instance_uuid[0], 0x51);
}

TEST_F(TableHeaderTest, AnotherRenameIsAnotherGeneration) {
  const auto before = ParseTableHeader(head_);
  head_[31] ^= 1;
  const auto after = ParseTableHeader(head_);

  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(after, IsOk());
  EXPECT_NE(before->generation, after->generation);
}

TEST_F(TableHeaderTest, TablesWithoutPageChecksumsCannotBeCopiedOnline) {
  head_[4] &= 0xF7;
  const auto header = ParseTableHeader(head_);

  ASSERT_THAT(header, IsOk());
  EXPECT_FALSE(header->IsCopyableOnline());
}

TEST_F(TableHeaderTest, EveryCutIsRefusedOrHasAllThatIsRead) {
  const auto whole = ParseTableHeader(head_);
  ASSERT_THAT(whole, IsOk());
  for (size_t size = 0; size < kTableHeadBytes; ++size) {
    const auto header = ParseTableHeader(ByteView(head_).first(size));
    EXPECT_TRUE(!header.ok() || header->generation == whole->generation) << size;
    EXPECT_TRUE(!header.ok() || size >= 300) << size;
  }
}

TEST_F(TableHeaderTest, ForeignFilesAreRefused) {
  head_[2] = 0x07;  // MyISAM
  EXPECT_THAT(ParseTableHeader(head_), StatusIs(StatusCode::kCorruption, HasSubstr("Aria")));
}

TEST_F(TableHeaderTest, ImpossibleSizesAreRefused) {
  const auto with = [this](size_t offset, uint8_t value) {
    std::vector<uint8_t> head = head_;
    head[offset] = value;
    return ParseTableHeader(head).status();
  };
  const size_t base = LoadBe16(head_, 12);
  EXPECT_THAT(with(12, 0xFF), StatusIs(StatusCode::kCorruption, HasSubstr("base information")));
  EXPECT_THAT(with(13, 0), StatusIs(StatusCode::kCorruption, HasSubstr("base information")));
  EXPECT_THAT(with(base + 101, 1), StatusIs(StatusCode::kCorruption, HasSubstr("pages")));
  EXPECT_THAT(with(base + 16, 1), StatusIs(StatusCode::kCorruption, HasSubstr("header")));
}

}  // namespace
}  // namespace hbk::aria
