#include "hex_key.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::keys {
namespace {

using hbk::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(HexKeyTest, ThreeLengthsAreKeys) {
  for (const size_t bytes : {16U, 24U, 32U}) {
    std::string digits;
    std::string expected;
    for (size_t i = 0; i < bytes; ++i) {
      digits += "aB";
      expected += '\xab';
    }

    const Result<Secret> key = ParseHexKey(digits);

    ASSERT_TRUE(key.ok()) << key.status().ToString();
    EXPECT_EQ(key->Reveal(), expected);
  }
}

TEST(HexKeyTest, OtherLengthsAreNone) {
  for (const size_t digits : {0U, 1U, 31U, 33U, 34U, 62U, 63U, 65U, 66U, 128U}) {
    EXPECT_THAT(ParseHexKey(std::string(digits, '7')),
                StatusIs(StatusCode::kMissingKey, HasSubstr("AES needs 32, 48 or 64")))
        << digits;
  }
}

TEST(HexKeyTest, NoMessageShowsAKey) {
  const std::string text = std::string(31, '7') + "x";

  const Result<Secret> key = ParseHexKey(text);

  EXPECT_THAT(key, StatusIs(StatusCode::kMissingKey, HasSubstr("other characters")));
  EXPECT_THAT(key.status().ToString(), Not(HasSubstr("77")));
}

TEST(HexKeyTest, DigitsAreCountedUpToTheFirstOther) {
  EXPECT_EQ(HexDigitCount("0aFg1"), 3U);
  EXPECT_EQ(HexDigitCount(""), 0U);
}

}  // namespace
}  // namespace hbk::keys
