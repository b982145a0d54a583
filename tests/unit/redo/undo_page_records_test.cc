#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "page_records.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo::undo_page_records_test {
namespace {

using ::hbk::testing::FromHex;
using ::hbk::testing::IsOk;
using ::hbk::testing::MakePage;
using ::hbk::testing::MutableBytes;
using ::hbk::testing::StatusIs;
using ::hbk::testing::ToHex;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 4096;

std::string NewUndoPage() {
  std::string page = MakePage(kPageBytes, {.space = 1, .page = 50}, 0, 0);
  InitUndoPage(MutableBytes(page));
  return page;
}

TEST(InitUndoPageTest, SetsTheHeaderAndKeepsTheSegmentHeader) {
  std::string page(kPageBytes, 'x');

  InitUndoPage(MutableBytes(page));

  EXPECT_EQ(page.substr(0, 24), std::string(24, 'x'));
  EXPECT_EQ(ToHex(page.substr(24, 2)), "0002");
  EXPECT_EQ(page.substr(26, 12), std::string(12, 'x'));
  EXPECT_EQ(ToHex(page.substr(38, 18)), "000000380038ffffffff0000ffffffff0000");
  EXPECT_EQ(page.substr(56, 30), std::string(30, 'x'));
  EXPECT_EQ(page.substr(86, kPageBytes - 8 - 86), std::string(kPageBytes - 8 - 86, '\0'));
  EXPECT_EQ(page.substr(kPageBytes - 8), std::string(8, 'x'));
}

TEST(AppendUndoTest, LinksTheRecordOnBothSides) {
  std::string page = NewUndoPage();

  EXPECT_THAT(AppendUndo(MutableBytes(page), AsBytes("abc")), IsOk());
  EXPECT_THAT(AppendUndo(MutableBytes(page), AsBytes("defg")), IsOk());

  EXPECT_EQ(ToHex(page.substr(42, 2)), "0047");
  EXPECT_EQ(page.substr(56, 15),
            FromHex("003f") + "abc" + FromHex("0038 0047") + "defg" + FromHex("003f"));
}

TEST(AppendUndoTest, FillsThePageButDoesNotOverfillIt) {
  // 6 more bytes and one that stays free must lie between the start and the trailer.
  const size_t bytes_max = kPageBytes - 8 - 56 - 6 - 1;
  std::string page = NewUndoPage();
  EXPECT_THAT(AppendUndo(MutableBytes(page), AsBytes(std::string(bytes_max + 1, 'u'))),
              StatusIs(StatusCode::kCorruption, HasSubstr("does not fit at offset 56")));
  EXPECT_THAT(AppendUndo(MutableBytes(page), AsBytes(std::string(bytes_max, 'u'))), IsOk());
}

TEST(AppendUndoTest, AFreeOffsetOutsideOfTheRecordsIsCorruption) {
  for (const uint16_t free : std::initializer_list<uint16_t>{0, 55, 4088, 65535}) {
    std::string page = NewUndoPage();
    StoreBe16(MutableBytes(page), 42, free);
    EXPECT_THAT(AppendUndo(MutableBytes(page), AsBytes("abc")),
                StatusIs(StatusCode::kCorruption, HasSubstr("does not fit")));
  }
}

}  // namespace
}  // namespace hbk::redo::undo_page_records_test
