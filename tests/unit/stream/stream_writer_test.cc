#include "hbk/stream/stream_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/byte_buffers.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::SinkTo;
using hbk::testing::SunkBytes;
using ::testing::StartsWith;

TEST(StreamWriterTest, FormatHasAWriter) {
  for (const StreamFormat format : {StreamFormat::kMbstream, StreamFormat::kHbk}) {
    SunkBytes sunk;
    const auto writer = MakeStreamWriter(format, SinkTo(sunk));
    ASSERT_THAT(writer->OpenFile(1, "a"), IsOk());
    ASSERT_THAT(writer->CloseFile(1, 0), IsOk());
    ASSERT_THAT(writer->Finish(), IsOk());
    const bool is_mbstream = format == StreamFormat::kMbstream;
    EXPECT_THAT(sunk.bytes, StartsWith(is_mbstream ? "XBSTCK01" : "\x89HBK\r\n\x1a\n"));
    EXPECT_EQ(StreamFormatName(format), is_mbstream ? "mbstream" : "hbk");
  }
}

}  // namespace
}  // namespace hbk::stream
