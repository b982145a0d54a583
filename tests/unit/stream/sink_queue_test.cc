#include "hbk/stream/sink_queue.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/byte_buffers.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::SinkTo;
using hbk::testing::StatusIs;
using hbk::testing::SunkBytes;
using ::testing::HasSubstr;

TEST(SinkQueueTest, NothingIsAnEmptyStream) {
  SunkBytes sunk;
  SinkQueue queue(SinkTo(sunk));
  EXPECT_THAT(queue.Finish(), IsOk());
  EXPECT_TRUE(sunk.is_finished);
  EXPECT_EQ(sunk.bytes, "");
}

TEST(SinkQueueTest, PiecesOfACallStayTogether) {
  SunkBytes sunk;
  SinkQueue queue(SinkTo(sunk));
  constexpr size_t kCalls = 200;
  {
    std::vector<std::jthread> threads;
    for (char c = 'a'; c < 'e'; ++c) {
      threads.emplace_back([&queue, c] {
        const std::string big(100'000, c);
        const std::string head = std::string("<") + c;
        for (size_t i = 0; i < kCalls; ++i)
          EXPECT_THAT(queue.Append({AsBytes(head), AsBytes(big), AsBytes(">")}), IsOk());
      });
    }
  }
  EXPECT_EQ(queue.byte_count(), 4 * kCalls * 100'003);
  EXPECT_THAT(queue.Finish(), IsOk());
  ASSERT_EQ(sunk.bytes.size(), 4 * kCalls * 100'003);
  for (size_t at = 0; at < sunk.bytes.size(); at += 100'003) {
    ASSERT_EQ(sunk.bytes[at], '<');
    const std::string body(100'001, sunk.bytes[at + 1]);
    ASSERT_TRUE(sunk.bytes.compare(at + 1, body.size(), body) == 0) << at;
    ASSERT_EQ(sunk.bytes[at + 100'002], '>');
  }
}

TEST(SinkQueueTest, FailureComesBackAndNobodyWaitsForever) {
  SunkBytes sunk;
  sunk.fail_at = 3 << 20;
  SinkQueue queue(SinkTo(sunk));
  const std::string big(1 << 20, 'x');
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i)
    status = queue.Append({AsBytes(big)});
  EXPECT_THAT(status, StatusIs(StatusCode::kFailed, HasSubstr("gone")));
  EXPECT_THAT(queue.Finish(), StatusIs(StatusCode::kFailed, HasSubstr("gone")));
  EXPECT_FALSE(sunk.is_finished);
}

}  // namespace
}  // namespace hbk::stream
