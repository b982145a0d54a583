#include "hbk_stream_writer.h"

#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/stream/stream_reader.h"

#include "tests/support/byte_buffers.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::SinkTo;
using hbk::testing::SourceOf;
using hbk::testing::StatusIs;
using hbk::testing::SunkBytes;
using ::testing::HasSubstr;

TEST(HbkStreamWriterTest, ThreadsWriteTheSameFile) {
  SunkBytes sunk;
  HbkStreamWriter writer(SinkTo(sunk));
  std::string expected(8 << 20, '\0');
  std::mt19937 random(3);
  for (char& c : expected)
    c = static_cast<char>(random());
  ASSERT_THAT(writer.OpenFile(1, "t"), IsOk());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        // Larger than a record, too.
        EXPECT_THAT(writer.Write(1, i << 21, AsBytes(expected).subspan(i << 21, 2 << 20)), IsOk());
      });
    }
  }
  ASSERT_THAT(writer.CloseFile(1, expected.size()), IsOk());
  ASSERT_THAT(writer.Finish(), IsOk());

  auto reader = StreamReader::Open(SourceOf(sunk.bytes));
  ASSERT_THAT(reader, IsOk());
  std::string content(expected.size(), '\0');
  StreamEvent event;
  do {
    ASSERT_THAT((*reader)->Next(event), IsOk());
    if (event.kind == StreamEvent::Kind::kData)
      content.replace(event.offset, event.data.size(), AsText(event.data));
  } while (event.kind != StreamEvent::Kind::kEnd);
  EXPECT_TRUE(content == expected);
  EXPECT_EQ(event.file_count, 1U);
  EXPECT_EQ(event.directory_count, 0U);
}

TEST(HbkStreamWriterTest, NamesThatAReaderWouldRefuseAreRefused) {
  SunkBytes sunk;
  HbkStreamWriter writer(SinkTo(sunk));
  EXPECT_THAT(writer.OpenFile(1, "a/../b"),
              StatusIs(StatusCode::kUnsupported, HasSubstr("elsewhere")));
  EXPECT_THAT(writer.Rename("a", "/b"), StatusIs(StatusCode::kUnsupported, HasSubstr("absolute")));
}

TEST(HbkStreamWriterTest, SinkThatFailsIsSaid) {
  SunkBytes sunk;
  sunk.fail_at = 10;
  HbkStreamWriter writer(SinkTo(sunk));
  (void)writer.MakeDirectory("a").ok();
  EXPECT_THAT(writer.Finish(), StatusIs(StatusCode::kFailed, HasSubstr("gone")));
}

}  // namespace
}  // namespace hbk::stream
