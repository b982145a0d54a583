// BoundedQueue between threads: order, bound, close.
#include "hbk/base/bounded_queue.h"

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hbk {
namespace {

TEST(BoundedQueueTest, FirstInFirstOut) {
  BoundedQueue<int> queue(3);
  for (const int i : {1, 2, 3})
    ASSERT_TRUE(queue.Push(i));

  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), 2);
  EXPECT_EQ(queue.Pop(), 3);
}

TEST(BoundedQueueTest, CloseLetsWhatIsInsideOut) {
  BoundedQueue<int> queue(3);
  ASSERT_TRUE(queue.Push(1));

  queue.Close();

  EXPECT_FALSE(queue.Push(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueueTest, CloseWakesAPopper) {
  BoundedQueue<int> queue(1);
  std::jthread popper([&queue] { EXPECT_EQ(queue.Pop(), std::nullopt); });

  queue.Close();
}

TEST(BoundedQueueTest, CloseWakesAPusher) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.Push(1));
  std::jthread pusher([&queue] { EXPECT_FALSE(queue.Push(2)); });

  queue.Close();
}

TEST(BoundedQueueTest, ItemsMayBeMoveOnly) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  ASSERT_TRUE(queue.Push(std::make_unique<int>(5)));

  const auto item = queue.Pop();

  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(**item, 5);
}

TEST(BoundedQueueTest, NothingIsLostOrDoubledBetweenThreads) {
  constexpr int kPerThread = 5000;
  BoundedQueue<int> queue(4);
  std::atomic<int64_t> sum = 0;
  std::atomic<int> count = 0;
  std::vector<std::jthread> poppers;
  for (int t = 0; t < 3; ++t) {
    poppers.emplace_back([&queue, &sum, &count] {
      while (const auto item = queue.Pop()) {
        sum += *item;
        ++count;
      }
    });
  }

  {
    std::vector<std::jthread> pushers;
    for (int t = 0; t < 3; ++t) {
      pushers.emplace_back([&queue, t] {
        for (int i = 0; i < kPerThread; ++i)
          EXPECT_TRUE(queue.Push(t * kPerThread + i));
      });
    }
  }
  queue.Close();
  poppers.clear();

  EXPECT_EQ(count, 3 * kPerThread);
  EXPECT_EQ(sum, int64_t{3 * kPerThread} * (3 * kPerThread - 1) / 2);
}

}  // namespace
}  // namespace hbk
