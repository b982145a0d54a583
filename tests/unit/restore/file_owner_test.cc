#include "file_owner.h"

#include <gmock/gmock.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr FileOwner kFallback = {.uid = 7, .gid = 8};
// A number that is nobody's, on any machine.
constexpr uint32_t kNobodysId = 4000000123;

TEST(FileOwnerTest, NamesAreLookedUp) {
  EXPECT_THAT(ParseOwner("root", kFallback), IsOkAndHolds(FileOwner{.uid = 0, .gid = 0}));
  EXPECT_THAT(ParseOwner("root:root", kFallback), IsOkAndHolds(FileOwner{.uid = 0, .gid = 0}));
  EXPECT_THAT(ParseOwner("root:123", kFallback), IsOkAndHolds(FileOwner{.uid = 0, .gid = 123}));
}

TEST(FileOwnerTest, NumbersNeedNoEntry) {
  EXPECT_THAT(ParseOwner("4000000123:4000000124", kFallback),
              IsOkAndHolds(FileOwner{.uid = kNobodysId, .gid = kNobodysId + 1}));
  EXPECT_THAT(ParseOwner("4000000123", kFallback),
              IsOkAndHolds(FileOwner{.uid = kNobodysId, .gid = kFallback.gid}));
  EXPECT_THAT(ParseOwner("0", kFallback), IsOkAndHolds(FileOwner{.uid = 0, .gid = 0}));
}

TEST(FileOwnerTest, WhoDoesNotExistIsAUsageError) {
  for (const char* text : {"no such user", ":root", "-1", "4294967295", "4294967296", "1x"})
    EXPECT_THAT(ParseOwner(text, kFallback), StatusIs(StatusCode::kUsage, HasSubstr("no user")));
  for (const char* text : {"root:", "root:no such group", "root:-1", "root:root:root"})
    EXPECT_THAT(ParseOwner(text, kFallback), StatusIs(StatusCode::kUsage, HasSubstr("no group")));
}

TEST(FileOwnerTest, AFileIsGivenAway) {
  MemFileSystem fs;
  fs.PutFile("/d/f", "x");

  ASSERT_THAT(GiveTo(fs, "/d/f", kFallback), IsOk());

  const auto info = fs.Stat("/d/f", /*follow=*/false);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info.value().uid, 7U);
  EXPECT_EQ(info.value().gid, 8U);
}

}  // namespace
}  // namespace hbk::restore
