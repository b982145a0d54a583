#include "hbk/stream/stream_reader.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk_stream_format.h"
#include "stream_events.h"
#include "tests/support/mbstream_chunks.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::MbEof;
using hbk::testing::SourceOf;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

TEST(StreamReaderTest, KnowsTheFormatByItsFirstBytes) {
  const auto reader = StreamReader::Open(SourceOf(MbEof("a")));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->format(), StreamFormat::kMbstream);
}

TEST(StreamReaderTest, OtherBytesAreNoStream) {
  EXPECT_THAT(ReadAllEvents("").status, StatusIs(StatusCode::kCorruption, HasSubstr("is empty")));
  EXPECT_THAT(ReadAllEvents("XBSTCK02").status,
              StatusIs(StatusCode::kCorruption, HasSubstr("neither")));
  const Status zstd = ReadAllEvents("\x28\xB5\x2F\xFD whatever").status;
  EXPECT_EQ(zstd.code(), StatusCode::kCorruption);
  EXPECT_THAT(zstd.hint(), HasSubstr("zstd -dc"));
}

TEST(StreamReaderTest, LaterVersionIsNotGuessedAt) {
  // Its check is right: it is no damage.
  uint64_t chain = 0;
  const std::array<uint8_t, kStreamIdBytes> id{};
  const auto head = RenderStreamHead(id, chain, kHbkStreamVersion + 1);
  EXPECT_THAT(ReadAllEvents(std::string(AsText(head))).status,
              StatusIs(StatusCode::kUnsupported, HasSubstr("version 2")));
}

}  // namespace
}  // namespace hbk::stream
