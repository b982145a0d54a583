#include "hbk/innodb/types.h"

#include <gtest/gtest.h>

namespace hbk::innodb {
namespace {

TEST(PageIdTest, TextIsSpaceThenPage) {
  EXPECT_EQ(ToString(PageId{.space = 17, .page = 3}), "17:3");
  EXPECT_EQ(ToString(PageId{.space = kTemporarySpaceId, .page = UINT32_MAX}),
            "4294967294:4294967295");
}

TEST(PageIdTest, SortsBySpaceBeforePage) {
  const PageId last_of_first{.space = 1, .page = 900};
  const PageId first_of_second{.space = 2, .page = 0};

  EXPECT_LT(last_of_first, first_of_second);
  EXPECT_LT(first_of_second, (PageId{.space = 2, .page = 1}));
}

TEST(PageIdTest, HashTellsSpaceAndPageApart) {
  const PageIdHash hash;

  EXPECT_NE(hash({.space = 1, .page = 2}), hash({.space = 2, .page = 1}));
  EXPECT_NE(hash({.space = 0, .page = 1}), hash({.space = 1, .page = 0}));
}

}  // namespace
}  // namespace hbk::innodb
