#include "index_page.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::IndexPageFault;
using ::hbk::testing::IsOk;
using ::hbk::testing::MakePage;
using ::hbk::testing::MutableBytes;
using ::hbk::testing::StatusIs;
using ::hbk::testing::ToHex;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 4096;

std::string NewPage(RecordFormat format) {
  std::string page = MakePage(kPageBytes, {.space = 1, .page = 50}, 0, 0);
  InitIndexPage(MutableBytes(page), format);
  return page;
}

TEST(InitIndexPageTest, MakesAnEmptyDynamicPageAndKeepsTheRest) {
  std::string page(kPageBytes, 'x');

  InitIndexPage(MutableBytes(page), RecordFormat::kDynamic);

  EXPECT_EQ(page.substr(0, 24), std::string(24, 'x'));
  EXPECT_EQ(ToHex(page.substr(24, 2)), "45bf");
  EXPECT_EQ(page.substr(26, 12), std::string(12, 'x'));
  EXPECT_EQ(ToHex(page.substr(38, 26)), "0002007880020000000000000005000000000000000000000000");
  EXPECT_EQ(page.substr(64, 30), std::string(30, 'x'));
  EXPECT_EQ(ToHex(page.substr(94, 26)),
            "010002000d696e66696d756d00010"
            "00b000073757072656d756d");
  EXPECT_EQ(page.substr(120, kPageBytes - 12 - 120), std::string(kPageBytes - 12 - 120, '\0'));
  EXPECT_EQ(ToHex(page.substr(kPageBytes - 12, 4)), "00700063");
  EXPECT_EQ(page.substr(kPageBytes - 8), std::string(8, 'x'));
}

TEST(InitIndexPageTest, MakesAnEmptyRedundantPage) {
  std::string page(kPageBytes, 'x');

  InitIndexPage(MutableBytes(page), RecordFormat::kRedundant);

  EXPECT_EQ(ToHex(page.substr(38, 26)), "0002007d00020000000000000005000000000000000000000000");
  EXPECT_EQ(ToHex(page.substr(94, 31)),
            "08010000030074696e66696d756d00"
            "0901000803000073757072656d756d00");
  EXPECT_EQ(page.substr(125, kPageBytes - 12 - 125), std::string(kPageBytes - 12 - 125, '\0'));
  EXPECT_EQ(ToHex(page.substr(kPageBytes - 12, 4)), "00740065");
}

TEST(IndexPageTest, OpensWhatInitMade) {
  for (const RecordFormat format : {RecordFormat::kRedundant, RecordFormat::kDynamic}) {
    std::string page = NewPage(format);
    EXPECT_THAT(IndexPage::Open(MutableBytes(page), format), IsOk());
    EXPECT_EQ(IndexPageFault(AsBytes(page), format == RecordFormat::kDynamic), "");
  }
}

TEST(IndexPageTest, OpensRtreePagesAndTheRootOfAnInstantlyAlteredTable) {
  for (const uint16_t type : std::initializer_list<uint16_t>{17854, 18}) {
    std::string page = NewPage(RecordFormat::kDynamic);
    StoreBe16(MutableBytes(page), 24, type);
    EXPECT_THAT(IndexPage::Open(MutableBytes(page), RecordFormat::kDynamic), IsOk());
  }
}

TEST(IndexPageTest, RefusesPagesThatNoServerWrites) {
  struct Case {
    size_t offset;
    uint16_t value;
    const char* message;
  };
  for (const Case& c :
       {Case{24, 2, "page type 2"}, Case{42, 0x0002, "other record format"},
        Case{42, 0x8001, "too few records"}, Case{38, 1, "1 slots"}, Case{38, 0, "0 slots"},
        Case{38, 60000, "60000 slots"}, Case{38, 3, "infimum to supremum"},
        Case{kPageBytes - 10, 112, "infimum to supremum"},
        Case{kPageBytes - 12, 99, "infimum to supremum"}, Case{40, 119, "heap ends at 119"},
        Case{40, kPageBytes - 11, "heap ends at"}, Case{110, 5, "follows the supremum"}}) {
    std::string page = NewPage(RecordFormat::kDynamic);
    StoreBe16(MutableBytes(page), c.offset, c.value);
    EXPECT_THAT(IndexPage::Open(MutableBytes(page), RecordFormat::kDynamic),
                StatusIs(StatusCode::kCorruption, HasSubstr(c.message)));
  }
  std::string redundant = NewPage(RecordFormat::kRedundant);
  EXPECT_FALSE(IndexPage::Open(MutableBytes(redundant), RecordFormat::kDynamic).ok());
}

TEST(IndexPageTest, LinksAreRelativeInDynamicAndAbsoluteInRedundantPages) {
  std::string dynamic = NewPage(RecordFormat::kDynamic);
  std::string redundant = NewPage(RecordFormat::kRedundant);
  const auto a = IndexPage::Open(MutableBytes(dynamic), RecordFormat::kDynamic);
  const auto b = IndexPage::Open(MutableBytes(redundant), RecordFormat::kRedundant);

  EXPECT_EQ(a->Next(a->infimum()), a->supremum());
  EXPECT_EQ(b->Next(b->infimum()), b->supremum());
  a->SetNext(200, 150);
  b->SetNext(200, 150);
  EXPECT_EQ(ToHex(dynamic.substr(198, 2)), "ffce");
  EXPECT_EQ(ToHex(redundant.substr(198, 2)), "0096");
  EXPECT_EQ(a->Next(200), 150U);
  EXPECT_EQ(b->Next(200), 150U);
}

TEST(IndexPageTest, OwnerIsNotLookedForInACircle) {
  std::string page = NewPage(RecordFormat::kDynamic);
  StoreBe16(MutableBytes(page), 40, 300);
  const auto index = IndexPage::Open(MutableBytes(page), RecordFormat::kDynamic);
  index->SetNext(200, 250);
  index->SetNext(250, 200);

  EXPECT_THAT(index->OwnerOf(200), StatusIs(StatusCode::kCorruption, HasSubstr("no directory")));
  index->SetOwned(250, 5);
  EXPECT_THAT(index->OwnerOf(200),
              StatusIs(StatusCode::kCorruption, HasSubstr("points to the owner at 250")));
  index->SetOwned(250, 9);
  EXPECT_THAT(index->OwnerOf(200), StatusIs(StatusCode::kCorruption, HasSubstr("owns 9")));
  index->SetOwned(250, 0);
  index->SetNext(250, 4000);
  EXPECT_THAT(index->OwnerOf(200), StatusIs(StatusCode::kCorruption, HasSubstr("leads to 4000")));
}

}  // namespace
}  // namespace hbk::redo
