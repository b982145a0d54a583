#include "parallel.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(RunParallelTest, EachItemIsDoneOnceByAWorkerThatExists) {
  std::array<std::atomic<int>, 500> counts{};
  std::atomic<bool> has_bad_worker{false};

  const Status status = RunParallel(4, counts.size(), [&](uint32_t worker, size_t item) {
    if (worker >= 4) has_bad_worker = true;
    ++counts[item];
    return OkStatus();
  });

  ASSERT_THAT(status, IsOk());
  EXPECT_FALSE(has_bad_worker);
  for (size_t item = 0; item < counts.size(); ++item)
    EXPECT_EQ(counts[item], 1) << item;
}

TEST(RunParallelTest, ItemsAreTakenInOrder) {
  std::vector<size_t> items;

  ASSERT_THAT(RunParallel(1, 4,
                          [&](uint32_t, size_t item) {
                            items.push_back(item);
                            return OkStatus();
                          }),
              IsOk());

  EXPECT_THAT(items, ::testing::ElementsAre(0, 1, 2, 3));
}

// Each item waits for the other one: one thread alone would never end.
TEST(RunParallelTest, WorkersRunAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable has_arrived;
  std::set<uint32_t> workers;

  const Status status = RunParallel(2, 2, [&](uint32_t worker, size_t) {
    std::unique_lock lock(mutex);
    workers.insert(worker);
    has_arrived.notify_all();
    has_arrived.wait(lock, [&] { return workers.size() == 2; });
    return OkStatus();
  });

  ASSERT_THAT(status, IsOk());
  EXPECT_THAT(workers, ::testing::ElementsAre(0U, 1U));
}

TEST(RunParallelTest, FailureIsReturnedAndNothingIsBegunAfterIt) {
  size_t done = 0;

  const Status status = RunParallel(1, 100, [&](uint32_t, size_t item) {
    ++done;
    return item == 3 ? FailedError("item 3") : OkStatus();
  });

  EXPECT_THAT(status, StatusIs(StatusCode::kFailed, "item 3"));
  EXPECT_EQ(done, 4U);
}

// The other worker has begun its item before the failure, and ends it.
TEST(RunParallelTest, ItemsInWorkAreEndedBeforeTheFailureIsReturned) {
  std::atomic<bool> has_begun{false};
  std::atomic<bool> has_failed{false};
  bool is_ended = false;

  const Status status = RunParallel(2, 2, [&](uint32_t, size_t item) {
    if (item == 0) {
      has_begun.wait(false);
      has_failed = true;
      has_failed.notify_all();
      return CorruptionError("item 0");
    }
    has_begun = true;
    has_begun.notify_all();
    has_failed.wait(false);
    is_ended = true;
    return OkStatus();
  });

  EXPECT_THAT(status, StatusIs(StatusCode::kCorruption, "item 0"));
  EXPECT_TRUE(is_ended);
}

TEST(RunParallelTest, NoItemsNeedNoWork) {
  EXPECT_THAT(RunParallel(4, 0, [](uint32_t, size_t) { return FailedError("called"); }), IsOk());
}

}  // namespace
}  // namespace hbk::prepare
