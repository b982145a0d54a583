#include "buffered_source.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/byte_buffers.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::SourceOf;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

TEST(BufferedSourceTest, ReadsFieldsOfAllSizes) {
  std::string bytes(3'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 7 + i / 1000);
  BufferedSource source(SourceOf(bytes));
  uint64_t at = 0;
  for (const size_t size : {1U, 0U, 100U, 262144U, 262143U, 7U, 1'000'000U, 3U, 300'000U}) {
    std::vector<uint8_t> out(size);
    const auto peeked = source.Peek(8);
    ASSERT_THAT(peeked, IsOk());
    ASSERT_EQ(AsText(*peeked), bytes.substr(at, 8));
    ASSERT_THAT(source.Read(out), IsOk());
    ASSERT_TRUE(AsText(out) == std::string_view(bytes).substr(at, size)) << size;
    at += size;
    ASSERT_EQ(source.offset(), at);
  }
  EXPECT_THAT(source.IsAtEnd(), IsOkAndHolds(false));
  std::vector<uint8_t> rest(bytes.size() - at);
  EXPECT_THAT(source.Read(rest), IsOk());
  EXPECT_THAT(source.IsAtEnd(), IsOkAndHolds(true));
}

TEST(BufferedSourceTest, EndInTheMiddleIsDamage) {
  for (const size_t size : {5U, 400'000U}) {
    BufferedSource source(SourceOf("abcd"));
    std::vector<uint8_t> out(size);
    EXPECT_THAT(source.Read(out),
                StatusIs(StatusCode::kCorruption,
                         HasSubstr("cut off: it ends within what begins at offset 0")));
  }
}

TEST(BufferedSourceTest, PeekAtTheEndGivesWhatThereIs) {
  BufferedSource source(SourceOf("abc"));
  const auto peeked = source.Peek(8);
  ASSERT_THAT(peeked, IsOk());
  EXPECT_EQ(AsText(*peeked), "abc");
}

}  // namespace
}  // namespace hbk::stream
