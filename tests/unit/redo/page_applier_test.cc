#include "hbk/redo/page_applier.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/redo/mini_transaction.h"

#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo::page_applier_test {
namespace {

using ::hbk::testing::EncodeVarint;
using ::hbk::testing::FromHex;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MakePage;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::MutableBytes;
using ::hbk::testing::StatusIs;
using ::hbk::testing::ToHex;
using ::testing::HasSubstr;

constexpr PageId kPage = {.space = 5, .page = 6};
constexpr size_t kPageBytes = 16384;

std::string BlankPage(size_t size = kPageBytes) {
  return MakePage(size, kPage, 1000, 0);
}

Result<bool> Apply(std::string_view records, std::string& page, bool is_zip = false) {
  return ApplyRecords(AsBytes(records), MutableBytes(page), kPage, is_zip);
}

Result<bool> Apply(const MtrBuilder& mtr, std::string& page) {
  return Apply(mtr.body(), page);
}

// Bytes 0, 1, 2 ... in a stretch of the page.
void FillWithSteps(std::string& page, size_t begin, size_t count) {
  for (size_t i = 0; i < count; ++i)
    page[begin + i] = static_cast<char>(i);
}

TEST(ApplyRecordsTest, AppliesARealMtrRelativeToTheRecordBefore) {
  std::string page = MakePage(kPageBytes, {.space = 0x2b, .page = 6}, 0, 0);
  FillWithSteps(page, 8196 + 8 - 56, 11);
  const std::string mtr = FromHex("35 2b06 9f8320 d3 08 0b 6f b3 00 0ed1");

  EXPECT_THAT(ApplyRecords(AsBytes(mtr), MutableBytes(page), {.space = 0x2b, .page = 6}, false),
              IsOkAndHolds(true));

  EXPECT_EQ(page[0x1f83 + 0x80], '\x20');
  EXPECT_EQ(ToHex(page.substr(8195 + 1 + 8, 11)), "000102030405060708090a");
  EXPECT_EQ(ToHex(page.substr(8195 + 1 + 8 + 11, 2)), "0ed1");
}

TEST(ApplyRecordsTest, InitPageLeavesOnlyWhatNamesThePage) {
  std::string page(kPageBytes, 'x');

  EXPECT_THAT(Apply(MtrBuilder().InitPage(kPage), page), IsOkAndHolds(true));

  std::string expected(kPageBytes, '\0');
  expected[7] = 6;
  expected.replace(8, 8, 8, '\xff');
  expected[37] = 5;
  EXPECT_EQ(page, expected);
}

TEST(ApplyRecordsTest, OffsetsStartAtTheTypeAfterInitPage) {
  std::string page(kPageBytes, 'x');
  EXPECT_THAT(Apply(FromHex("12 0506 b3 00 0ed1"), page), IsOkAndHolds(true));
  EXPECT_EQ(ToHex(page.substr(24, 3)), "0ed100");
}

TEST(ApplyRecordsTest, OffsetsStartAtTheTypeAfterAnExtendedRecord) {
  std::string page = BlankPage();
  EXPECT_THAT(Apply(FromHex("36 0506 50616263 a1 02 b2 02 41"), page), IsOkAndHolds(true));
  EXPECT_EQ(page[26], 'A');
}

TEST(ApplyRecordsTest, OffsetsStartAtZeroWithAPageId) {
  std::string page = BlankPage();
  EXPECT_THAT(Apply(FromHex("34 05065041 34 05065042 b2 0043"), page), IsOkAndHolds(true));
  EXPECT_EQ(page.substr(0x50, 2), "BC");
}

TEST(ApplyRecordsTest, AnOptionMovesNothing) {
  std::string page = BlankPage();
  EXPECT_THAT(Apply(FromHex("34 05065041 f5 0001020304 b2 0042"), page), IsOkAndHolds(true));
  EXPECT_EQ(page.substr(0x50, 2), "AB");
}

TEST(ApplyRecordsTest, MemsetRepeatsItsPatternAndCutsTheLast) {
  std::string page = BlankPage();
  MtrBuilder mtr;
  mtr.Memset(kPage, 100, 8, "abc").Memset(kPage, 108, 3, "z").Write(kPage, 111, "!");

  EXPECT_THAT(Apply(mtr, page), IsOkAndHolds(true));

  EXPECT_EQ(page.substr(99, 14), std::string("\0abcabcabzzz!\0", 14));
}

TEST(ApplyRecordsTest, MemmoveWorksOnWhatTheRecordsBeforeLeft) {
  std::string page = BlankPage();
  MtrBuilder mtr;
  mtr.Write(kPage, 100, "abcdefgh").Memmove(kPage, 110, 100, 4).Memmove(kPage, 114, 110, 2);

  EXPECT_THAT(Apply(mtr, page), IsOkAndHolds(true));

  EXPECT_EQ(page.substr(110, 6), "abcdab");
}

TEST(ApplyRecordsTest, MemmoveMayOverlapBothWays) {
  std::string page = BlankPage();
  MtrBuilder mtr;
  mtr.Write(kPage, 100, "abcdefgh").Memmove(kPage, 102, 100, 6);
  EXPECT_THAT(Apply(mtr, page), IsOkAndHolds(true));
  EXPECT_EQ(page.substr(100, 8), "ababcdef");

  EXPECT_THAT(Apply(MtrBuilder().Memmove(kPage, 100, 102, 6), page), IsOkAndHolds(true));
  EXPECT_EQ(page.substr(100, 8), "abcdefef");
}

TEST(ApplyRecordsTest, TheLastByteOfThePageCanBeReached) {
  std::string page = BlankPage();
  const uint32_t last = kPageBytes - 1;
  EXPECT_THAT(Apply(MtrBuilder().Write(kPage, last, "x"), page), IsOkAndHolds(true));
  EXPECT_THAT(Apply(MtrBuilder().Memset(kPage, last - 1, 2, "x"), page), IsOkAndHolds(true));
  EXPECT_THAT(Apply(MtrBuilder().Memmove(kPage, last, last - 1, 1), page), IsOkAndHolds(true));
  EXPECT_THAT(Apply(MtrBuilder().Memmove(kPage, 100, last, 1), page), IsOkAndHolds(true));
}

TEST(ApplyRecordsTest, NothingReachesBeyondThePage) {
  const uint32_t end = kPageBytes;
  std::string page = BlankPage();
  for (const MtrBuilder& mtr :
       {MtrBuilder().Write(kPage, end, "x"), MtrBuilder().Write(kPage, end - 1, "xy"),
        MtrBuilder().Write(kPage, end - 5, "x").Write(kPage, end - 2, "xyz"),
        MtrBuilder().Memset(kPage, end - 2, 3, "x"), MtrBuilder().Memset(kPage, 100, end, "x"),
        MtrBuilder().Memset(kPage, 100, 2000000, "x"), MtrBuilder().Memmove(kPage, end - 2, 100, 3),
        MtrBuilder().Memmove(kPage, 100, end - 2, 3), MtrBuilder().Memmove(kPage, 100, end + 50, 3),
        MtrBuilder().Memmove(kPage, 100, 7, 3)})
    EXPECT_THAT(Apply(mtr, page), StatusIs(StatusCode::kCorruption, HasSubstr("5:6")))
        << ToHex(mtr.body());
  EXPECT_EQ(page.size(), kPageBytes);
}

TEST(ApplyRecordsTest, NothingWritesChecksumNorPageNumber) {
  std::string page = BlankPage();
  EXPECT_FALSE(Apply(MtrBuilder().Write(kPage, 7, "x"), page).ok());
  EXPECT_FALSE(Apply(MtrBuilder().Memset(kPage, 0, 20, "x"), page).ok());
  EXPECT_THAT(Apply(MtrBuilder().Write(kPage, 8, "x"), page), IsOkAndHolds(true));
}

TEST(ApplyRecordsTest, TheFrameMustBeThatOfThePage) {
  std::string other = MakePage(kPageBytes, {.space = 5, .page = 7}, 0, 0);
  std::string other_space = MakePage(kPageBytes, {.space = 4, .page = 6}, 0, 0);
  std::string zero(kPageBytes, '\0');
  for (std::string* page : {&other, &other_space, &zero})
    EXPECT_THAT(Apply(MtrBuilder().Write(kPage, 100, "x"), *page),
                StatusIs(StatusCode::kCorruption,
                         HasSubstr("applying WRITE to page 5:6: the page says that it is")));
}

TEST(ApplyRecordsTest, ARunOfAnotherPageIsRefused) {
  std::string page = BlankPage();
  EXPECT_THAT(Apply(MtrBuilder().Write({.space = 5, .page = 7}, 100, "x"), page),
              StatusIs(StatusCode::kCorruption, HasSubstr("a record of page 5:7")));
}

TEST(ApplyRecordsTest, FileRecordsAreRefused) {
  std::string page = BlankPage();
  EXPECT_FALSE(Apply(MtrBuilder().FileModify(5, "./a/b.ibd"), page).ok());
}

TEST(ApplyRecordsTest, AFreedPageIsNotChanged) {
  std::string page = BlankPage();
  const std::string before = page;
  EXPECT_THAT(Apply(MtrBuilder().FreePage(kPage), page), IsOkAndHolds(false));
  EXPECT_EQ(page, before);
}

TEST(ApplyRecordsTest, APageFreedAndInitialisedAgainIsChanged) {
  std::string page = BlankPage();
  EXPECT_THAT(Apply(MtrBuilder().FreePage(kPage).InitPage(kPage), page), IsOkAndHolds(true));
}

TEST(ApplyRecordsTest, TrimPagesIsNotAboutThePage) {
  std::string page = BlankPage();
  const std::string before = page;
  EXPECT_THAT(Apply(MtrBuilder().TrimPages(kPage.space, kPage.page), page), IsOkAndHolds(true));
  EXPECT_EQ(page, before);
}

TEST(ApplyRecordsTest, CompressedPagesTakeBytesOnly) {
  for (const size_t size : {1024U, 2048U, 4096U, 8192U, 16384U}) {
    std::string page = BlankPage(size);
    const MtrBuilder init = MtrBuilder().InitPage(kPage).Write(kPage, 1023, "x");
    EXPECT_THAT(Apply(init.body(), page, true), IsOkAndHolds(true));
    EXPECT_EQ(page[1023], 'x');
    const MtrBuilder extended = MtrBuilder().Extended(kPage, ExtendedKind::kInitRowFormatDynamic);
    EXPECT_THAT(Apply(extended.body(), page, true),
                StatusIs(StatusCode::kCorruption, HasSubstr("COMPRESSED")));
  }
}

TEST(ApplyRecordsTest, MalformedRecordsAreRefused) {
  std::string page = BlankPage();
  EXPECT_FALSE(Apply(FromHex("33 0506"), page).ok());
  EXPECT_FALSE(Apply(FromHex("64 05065041"), page).ok());
  EXPECT_FALSE(Apply(FromHex("00"), page).ok());
}

TEST(ApplyRecordsTest, AnEmptyRunChangesNothing) {
  std::string page = BlankPage();
  EXPECT_THAT(Apply(std::string_view(), page), IsOkAndHolds(true));
  EXPECT_EQ(page, BlankPage());
}

TEST(IsInitPageTest, LooksAtTheFirstRecord) {
  EXPECT_TRUE(IsInitPage(AsBytes(MtrBuilder().InitPage(kPage).body())));
  EXPECT_FALSE(IsInitPage(AsBytes(MtrBuilder().FreePage(kPage).body())));
  EXPECT_FALSE(IsInitPage(AsBytes(MtrBuilder().Write(kPage, 100, "x").body())));
  EXPECT_FALSE(IsInitPage(AsBytes(std::string_view("\x92"))));
  EXPECT_FALSE(IsInitPage(ByteView()));
}

TEST(IsFreePageTest, LooksAtTheFirstRecord) {
  EXPECT_TRUE(IsFreePage(AsBytes(MtrBuilder().FreePage(kPage).body())));
  EXPECT_FALSE(IsFreePage(AsBytes(MtrBuilder().InitPage(kPage).body())));
  EXPECT_FALSE(IsFreePage(ByteView()));
}

}  // namespace
}  // namespace hbk::redo::page_applier_test
