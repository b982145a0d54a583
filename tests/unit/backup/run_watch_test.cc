#include "run_watch.h"

#include <atomic>
#include <thread>

#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

// Works until it is told to stop.
Status WorkUntilHalted(std::stop_token halt) {
  while (!halt.stop_requested())
    std::this_thread::yield();
  return InterruptedError();
}

TEST(RunWatchTest, ResultOfTheWorkIsReturned) {
  RunWatch watch({}, [] { return OkStatus(); });
  EXPECT_THAT(watch.Run([](std::stop_token) { return OkStatus(); }), IsOk());
  EXPECT_THAT(watch.Run([](std::stop_token) { return FailedError("disk"); }),
              StatusIs(StatusCode::kFailed, HasSubstr("disk")));
}

TEST(RunWatchTest, ReasonToStopGoesBeforeWhatTheWorkAnswers) {
  int calls = 0;
  RunWatch watch({}, [&calls] {
    return ++calls < 2 ? OkStatus() : Status(StatusCode::kRedoOverrun, "overrun");
  });
  EXPECT_THAT(watch.Run(WorkUntilHalted), StatusIs(StatusCode::kRedoOverrun, HasSubstr("overrun")));
}

TEST(RunWatchTest, StopRequestEndsTheWork) {
  std::stop_source stop;
  std::atomic<bool> has_begun = false;
  RunWatch watch(stop.get_token(), [] { return OkStatus(); });
  std::jthread signal([&stop, &has_begun] {
    has_begun.wait(false);
    stop.request_stop();
  });
  const Status status = watch.Run([&has_begun](std::stop_token halt) {
    has_begun = true;
    has_begun.notify_one();
    return WorkUntilHalted(halt);
  });
  EXPECT_THAT(status, StatusIs(StatusCode::kInterrupted, HasSubstr("interrupted")));
}

TEST(RunWatchTest, NothingIsBegunWhenThereIsAReasonAlready) {
  RunWatch watch({}, [] { return FailedError("lost"); });
  bool has_begun = false;
  EXPECT_FALSE(watch
                   .Run([&has_begun](std::stop_token) {
                     has_begun = true;
                     return OkStatus();
                   })
                   .ok());
  EXPECT_FALSE(has_begun);
}

}  // namespace
}  // namespace hbk::backup
