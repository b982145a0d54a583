#include "hbk/aria/page_check.h"

#include "tests/unit/aria/golden_table.h"

namespace hbk::aria {
namespace {

constexpr PageRules kData{AriaFile::kData, kGoldenPageBytes, kGoldenPageBytes, true, false};
constexpr PageRules kIndex{AriaFile::kIndex, kGoldenPageBytes, kGoldenPageBytes, true, false};

std::vector<uint8_t> Copy(ByteView page) {
  return {page.begin(), page.end()};
}

TEST(PageCheckTest, PagesOfAServerAreGood) {
  const auto data = ReadGolden("table.MAD");
  const auto index = ReadGolden("table.MAI");

  EXPECT_EQ(CheckPage(kData, 0, GoldenPage(data, 0)), PageState::kGood);
  EXPECT_EQ(CheckPage(kData, 1, GoldenPage(data, 1)), PageState::kGood);
  EXPECT_EQ(CheckPage(kIndex, 1, GoldenPage(index, 1)), PageState::kGood);
}

TEST(PageCheckTest, EveryFlippedByteOfADataPageIsFound) {
  const auto data = ReadGolden("table.MAD");
  std::vector<uint8_t> page = Copy(GoldenPage(data, 1));
  for (size_t i = 0; i < page.size(); i += 7) {
    page[i] ^= 0x20;
    EXPECT_EQ(CheckPage(kData, 1, page), PageState::kBad) << i;
    page[i] ^= 0x20;
  }
}

TEST(PageCheckTest, TheChecksumIsThatOfThePlace) {
  const auto data = ReadGolden("table.MAD");
  EXPECT_EQ(CheckPage(kData, 2, GoldenPage(data, 1)), PageState::kBad);
}

TEST(PageCheckTest, UnusedBytesOfAnIndexPageDoNotCount) {
  const auto index = ReadGolden("table.MAI");
  std::vector<uint8_t> page = Copy(GoldenPage(index, 1));
  page[page.size() - 5] ^= 1;
  EXPECT_EQ(CheckPage(kIndex, 1, page), PageState::kGood);
  page[20] ^= 1;
  EXPECT_EQ(CheckPage(kIndex, 1, page), PageState::kBad);
}

TEST(PageCheckTest, ImpossibleUseOfAnIndexPageIsBad) {
  const auto index = ReadGolden("table.MAI");
  std::vector<uint8_t> page = Copy(GoldenPage(index, 1));
  page[15] = 0xFF;
  EXPECT_EQ(CheckPage(kIndex, 1, page), PageState::kBad);
}

TEST(PageCheckTest, ZerosAreAPageThatWasNotWrittenYet) {
  const std::vector<uint8_t> page(kGoldenPageBytes);
  EXPECT_EQ(CheckPage(kData, 5, page), PageState::kGood);
}

TEST(PageCheckTest, WithoutAChecksumNothingIsKnown) {
  const auto index = ReadGolden("table.MAI");
  const auto data = ReadGolden("table.MAD");
  EXPECT_EQ(CheckPage(kIndex, 0, GoldenPage(index, 0)), PageState::kUnverifiable);

  std::vector<uint8_t> page = Copy(GoldenPage(data, 1));
  std::fill(page.end() - 4, page.end(), uint8_t{0xFF});
  EXPECT_EQ(CheckPage(kData, 1, page), PageState::kUnverifiable);
}

TEST(PageCheckTest, OfEncryptedTablesOnlyBitmapsCanBeChecked) {
  const auto data = ReadGolden("table.MAD");
  PageRules rules = kData;
  rules.is_encrypted = true;
  EXPECT_EQ(CheckPage(rules, 1, GoldenPage(data, 1)), PageState::kUnverifiable);
  std::vector<uint8_t> bitmap = Copy(GoldenPage(data, 0));
  EXPECT_EQ(CheckPage(rules, 0, bitmap), PageState::kGood);
  bitmap[3] ^= 1;
  EXPECT_EQ(CheckPage(rules, 0, bitmap), PageState::kBad);
}

TEST(PageCheckTest, BitmapsComeEverySoManyPages) {
  const uint64_t distance = (kGoldenPageBytes - 4) / 6 * 16 + 1;
  PageRules rules = kData;
  rules.is_encrypted = true;
  const std::vector<uint8_t> page(kGoldenPageBytes, 7);
  EXPECT_EQ(CheckPage(rules, distance, page), PageState::kBad);
  EXPECT_EQ(CheckPage(rules, distance + 1, page), PageState::kUnverifiable);
}

}  // namespace
}  // namespace hbk::aria
